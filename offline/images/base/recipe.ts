import * as path from "node:path";
import { bootstrapDebian, debianSuite } from "../debian";
import type { Recipe, Stage } from "../recipe";

/** A minimal Debian with what health checks and entrypoints use. All other local images stand on it. */
export const recipe: Recipe = {
  name: "base",
  folder: __dirname,
  versions: { debian: debianSuite },
  tools: ["debootstrap"],
  prepare,
};

async function prepare(stage: Stage): Promise<void> {
  stage.step(`Debian ${debianSuite} with debootstrap (about a minute)`);
  const root = path.join(stage.dir, "rootfs");
  await bootstrapDebian(stage, root, ["ca-certificates", "curl", "locales", "wget"]);
  await stage.run("sh", [path.join(stage.dir, "slim.sh"), root]);
  // A tarball keeps owners and modes through the build context; plain COPY would make all files root's.
  await stage.run("tar", ["--create", "--file=rootfs.tar", "--numeric-owner", `--directory=${root}`, "."]);
  await stage.run("rm", ["-rf", "--one-file-system", root]);
}
