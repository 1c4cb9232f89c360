import * as path from "node:path";
import { debianSuite, unpackDebianPackage } from "../debian";
import type { Recipe, Stage } from "../recipe";

const packageName = "openjdk-17-jre-headless";

/** A Java 17 runtime for Kafka and Kafka Connect. */
export const recipe: Recipe = {
  name: "java",
  from: "base",
  folder: __dirname,
  versions: { debian: debianSuite, java: packageName },
  tools: ["debootstrap", "dpkg"],
  prepare,
};

async function prepare(stage: Stage): Promise<void> {
  stage.step(`${packageName} from Debian`);
  // The package alone: what it depends on beyond the base serves fonts, printing, sound and smart cards.
  await unpackDebianPackage(stage, packageName, path.join(stage.dir, "rootfs"));
}
