import * as path from "node:path";
import { debianSuite, unpackDebianPackages } from "../debian";
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
  // Without what it depends on beyond the base: fonts, printing, sound and smart cards. The second package brings
  // the program that turns the system's certificates into Java's.
  await unpackDebianPackages(stage, [packageName, "ca-certificates-java"], path.join(stage.dir, "rootfs"));
}
