import * as fs from "node:fs";
import * as path from "node:path";
import { messageOf } from "./retry";

/**
 * The text of a file; undefined where there is none.
 * @throws Error that names a file which is there and can't be read.
 */
export function readIfThere(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The latter of a file in /proc whose process ends at this moment.
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw new Error(
      `${file} is there but can't be read (${messageOf(error)}); make it a file that this user may read, or take it away`,
      { cause: error },
    );
  }
}

/** Writes a file, and its folder, in one step: who reads it sees the old content or the new, never a part. */
export function writeAtomically(file: string, content: string, mode = 0o644): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  fs.writeFileSync(draft, content, { mode });
  fs.renameSync(draft, file);
}
