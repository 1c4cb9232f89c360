import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** The project's own folder: the nearest one upwards that holds Pulumi.yaml. */
export const projectRoot = findProjectRoot(__dirname);

function findProjectRoot(from: string): string {
  let dir = from;
  while (!fs.existsSync(path.join(dir, "Pulumi.yaml"))) {
    const parent = path.dirname(dir);
    if (parent === dir)
      throw new Error(`no Pulumi.yaml in ${from} or above it; run from a checkout of the project`);
    dir = parent;
  }
  return dir;
}

/** A file or folder of the project, e.g. `inProject("sql", "postgres")`. */
export function inProject(...parts: string[]): string {
  return path.join(projectRoot, ...parts);
}

/**
 * Local, git-ignored state of this checkout: Pulumi's home and state where the user has none of their own,
 * logs, the resolved images. `CDC_HOME` moves it.
 */
export function inState(...parts: string[]): string {
  return path.join(process.env.CDC_HOME ?? inProject(".cdc"), ...parts);
}

/** What can be made again and is shared by all checkouts of this user: built tools, downloads. */
export function inCache(...parts: string[]): string {
  const base = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache");
  return path.join(base, "cdc-stack", ...parts);
}

/** Reads a file of the project as text. */
export function readProjectFile(...parts: string[]): string {
  return fs.readFileSync(inProject(...parts), "utf8");
}
