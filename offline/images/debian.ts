import * as fs from "node:fs";
import * as path from "node:path";
import type { Stage } from "./recipe";

/** The Debian release that all local images are made of; the official images are of the same or a near one. */
export const debianSuite = "bookworm";

/**
 * Makes the root file system of a minimal Debian in `target`.
 * @param include packages beyond the minimum
 */
export async function bootstrapDebian(
  stage: Stage,
  target: string,
  include: readonly string[],
): Promise<void> {
  await debootstrap(stage, target, include, []);
}

/**
 * Downloads Debian packages, checked against the archive's signature, and unpacks their files into `target`.
 * Their dependencies and their installation scripts are the recipe's business.
 */
export async function unpackDebianPackages(
  stage: Stage,
  names: readonly string[],
  target: string,
): Promise<void> {
  const scratch = path.join(stage.dir, ".debootstrap");
  await debootstrap(stage, scratch, names, ["--download-only"]);
  const archives = path.join(scratch, "var/cache/apt/archives");
  const files = fs.readdirSync(archives);
  fs.mkdirSync(target, { recursive: true });
  for (const name of names) {
    const file = files.find((entry) => entry.startsWith(`${name}_`));
    if (!file) throw new Error(`Debian package ${name}: debootstrap has not downloaded it to ${archives}`);
    await stage.run("dpkg", ["--extract", path.join(archives, file), target]);
  }
  fs.rmSync(scratch, { recursive: true, force: true });
}

async function debootstrap(
  stage: Stage,
  target: string,
  include: readonly string[],
  more: readonly string[],
): Promise<void> {
  const cache = path.join(stage.downloads, "debian");
  fs.mkdirSync(cache, { recursive: true });
  const mirror = await mirrorOfHost(stage);
  await stage.run("debootstrap", [
    "--variant=minbase",
    `--arch=${stage.arch}`,
    `--cache-dir=${cache}`,
    `--include=${include.join(",")}`,
    ...more,
    debianSuite,
    target,
    ...(mirror ? [mirror] : []),
  ]);
}

/** The Debian mirror that the host itself uses, where it is a Debian: a company's own mirror, say. */
async function mirrorOfHost(stage: Stage): Promise<string | undefined> {
  if (process.env.CDC_DEBIAN_MIRROR) return process.env.CDC_DEBIAN_MIRROR;
  const release = fs.existsSync("/etc/os-release") ? fs.readFileSync("/etc/os-release", "utf8") : "";
  if (!/^ID=debian$/m.test(release)) return undefined;
  const format = "$(REPO_URI)";
  const { stdout } = await stage.run("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]);
  return stdout.split("\n").find((uri) => /\/debian\/?$/.test(uri));
}
