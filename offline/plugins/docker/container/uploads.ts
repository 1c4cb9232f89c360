import * as fs from "node:fs";
import { buffer } from "node:stream/consumers";
import tar from "tar-stream";
import type { Values } from "../../provider/schema";
import { isUnknown } from "../../provider/unknown";

/** The three ways to say what a file holds. */
const contents = ["content", "contentBase64", "source"] as const;

/** What is wrong with an upload beyond the type of each of its inputs. */
export function uploadProblem(upload: Values): string | undefined {
  if (contents.some((name) => isUnknown(upload[name]))) return undefined;
  const given = contents.filter((name) => upload[name]);
  if (given.length === 1) return undefined;
  const what = given.length === 0 ? "none is" : `${given.join(" and ")} are`;
  return `exactly one of ${contents.join(", ")} must be set and not empty; ${what}`;
}

/** The files as one archive, to be unpacked at the container's root. */
export async function archiveOf(uploads: readonly Values[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const upload of uploads) {
    const owner = upload.owner as string | undefined;
    const group = upload.group as string | undefined;
    const header = {
      // The archive's own root is the container's.
      name: (upload.file as string).replace(/^\/+/, ""),
      mode: modeOf(upload),
      uid: owner ? idOf("/etc/passwd", "owner", owner) : 0,
      gid: group ? idOf("/etc/group", "group", group) : 0,
      mtime: new Date(),
    };
    pack.entry(header, contentOf(upload));
  }
  pack.finalize();
  return buffer(pack);
}

function modeOf({ permissions, executable }: Values): number {
  if (permissions) return Number.parseInt(permissions as string, 8);
  return executable ? 0o744 : 0o644;
}

function contentOf({ content, contentBase64, source, file }: Values): Buffer {
  if (content) return Buffer.from(content as string);
  if (contentBase64) return Buffer.from(contentBase64 as string, "base64");
  try {
    return fs.readFileSync(source as string);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : String(error);
    throw new Error(`cannot read ${source}, the source of the upload ${file}: ${why}`);
  }
}

/** A number as it is, a name by this machine's own list. */
function idOf(list: string, what: string, name: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const entry = fs
    .readFileSync(list, "utf8")
    .split("\n")
    .find((line) => line.startsWith(`${name}:`));
  if (entry === undefined) {
    throw new Error(`unknown ${what} "${name}" of an upload: it is not in ${list}; give its number instead`);
  }
  return Number(entry.split(":")[2]);
}
