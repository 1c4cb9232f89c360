import * as fs from "node:fs";
import * as path from "node:path";
import * as ts from "typescript";
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
  translate(path.join(stage.dir, "front"), path.join(stage.dir, "front.js"));
}

/** TypeScript to what Node runs; types are checked with the rest of the project. */
function translate(from: string, to: string): void {
  fs.mkdirSync(to);
  for (const file of fs.readdirSync(from)) {
    const { outputText } = ts.transpileModule(fs.readFileSync(path.join(from, file), "utf8"), {
      fileName: file,
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.CommonJS,
        esModuleInterop: true,
      },
    });
    fs.writeFileSync(path.join(to, file.replace(/\.ts$/, ".js")), outputText);
  }
}
