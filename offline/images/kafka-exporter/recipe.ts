import * as fs from "node:fs";
import * as path from "node:path";
import type { Recipe, Stage } from "../recipe";
import { transpileFolder } from "../transpile";

const client = path.dirname(require.resolve("kafkajs/package.json"));

/** A stand-in of ours for danielqsj/kafka_exporter, which no package registry has: same metrics, flags and paths. */
export const recipe: Recipe = {
  name: "kafka-exporter",
  from: "node",
  folder: __dirname,
  versions: { kafkajs: JSON.parse(fs.readFileSync(path.join(client, "package.json"), "utf8")).version },
  prepare,
};

async function prepare(stage: Stage): Promise<void> {
  stage.step("the stand-in for kafka_exporter");
  transpileFolder(path.join(stage.dir, "app"));
  for (const part of ["index.js", "src", "package.json", "LICENSE"])
    fs.cpSync(path.join(client, part), path.join(stage.dir, "node_modules", "kafkajs", part), {
      recursive: true,
    });
}
