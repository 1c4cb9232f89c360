import * as fs from "node:fs";
import * as path from "node:path";
import * as kafkajs from "kafkajs/package.json";
import { bundled } from "../../../src/lib/bundle";
import type { Recipe, Stage } from "../recipe";

/** A stand-in of ours for danielqsj/kafka_exporter, which no package registry has: same metrics, flags and paths. */
export const recipe: Recipe = {
  name: "kafka-exporter",
  from: "node",
  folder: __dirname,
  versions: { kafkajs: kafkajs.version },
  prepare,
};

async function prepare(stage: Stage): Promise<void> {
  stage.step("the stand-in for kafka_exporter");
  const exporter = await bundled("offline/images/kafka-exporter/app/main.ts");
  fs.writeFileSync(path.join(stage.dir, "exporter.js"), exporter);
}
