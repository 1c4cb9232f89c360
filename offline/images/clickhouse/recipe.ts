import * as fs from "node:fs";
import * as path from "node:path";
import { bundled } from "../../../src/lib/bundle";
import type { Recipe, Stage } from "../recipe";

/**
 * ClickHouse behind the HTTP interface of docker.io/clickhouse/clickhouse-server: the engine that chdb brings for
 * use in-process, with a front of ours. Versions and checksums are in runtime/package-lock.json.
 */
export const recipe: Recipe = {
  name: "clickhouse",
  from: "node",
  folder: __dirname,
  versions: {},
  tools: ["npm"],
  prepare,
};

async function prepare(stage: Stage): Promise<void> {
  stage.step("ClickHouse 26.7 from npm (chdb, 170 MB)");
  const runtime = path.join(stage.dir, "runtime");
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await stage.run("npm", ["ci", ...quiet, `--cpu=${stage.arch === "arm64" ? "arm64" : "x64"}`], {
    cwd: runtime,
  });
  fs.renameSync(path.join(runtime, "node_modules"), path.join(stage.dir, "node_modules"));
  const front = await bundled("offline/images/clickhouse/front/main.ts", { packages: "external" });
  fs.writeFileSync(path.join(stage.dir, "front.js"), front);
}
