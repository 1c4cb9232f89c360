import * as fs from "node:fs";
import * as path from "node:path";
import { inProject } from "../../../src/lib/paths";
import type { Recipe, Stage } from "../recipe";
import { bundlePage, bundleServer } from "./bundle";

/**
 * The dashboard page: a stand-in of ours for Grafana, which no package registry has. It draws the same dashboards with
 * Grafana's own components (@grafana/ui); it only reads, and has no login and no alerting. Versions and checksums of
 * what it is bundled from are in runtime/package-lock.json.
 */
export const recipe: Recipe = {
  name: "grafana",
  from: "node",
  folder: __dirname,
  versions: { esbuild: versionOf("esbuild"), yaml: versionOf("yaml") },
  inputs: [inProject("src", "dashboards", "queries-of.ts")],
  tools: ["npm"],
  prepare,
};

async function prepare(stage: Stage): Promise<void> {
  stage.step("the dashboard page, a stand-in for Grafana (@grafana/ui from npm)");
  const runtime = path.join(stage.dir, "runtime");
  const quiet = ["--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  await stage.run("npm", ["ci", ...quiet], { cwd: runtime });
  const built = path.join(stage.dir, "built");
  await bundleServer(path.join(built, "server.js"));
  await bundlePage(path.join(runtime, "node_modules"), path.join(built, "assets"));
  // The build context goes to the engine as a whole.
  fs.rmSync(runtime, { recursive: true });
}

function versionOf(name: "esbuild" | "yaml"): string {
  return JSON.parse(fs.readFileSync(inProject("node_modules", name, "package.json"), "utf8")).version;
}
