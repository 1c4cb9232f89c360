import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import Docker from "dockerode";
import tar from "tar-stream";
import { inProject } from "../../src/lib/paths";
import { findProgram, run } from "../../src/lib/process";

/**
 * An image of a single small program (tiny-image/tiny.c says what it can do), made on the spot: no registry needed.
 * It stays for the next run, under the hash of its source.
 * @returns the image's name
 * @throws Error when there is no C compiler
 */
export async function tinyImage(docker = new Docker()): Promise<string> {
  const source = inProject("test", "support", "tiny-image", "tiny.c");
  const tag = createHash("sha256").update(fs.readFileSync(source)).digest("hex").slice(0, 12);
  const name = `cdc-test-tiny:${tag}`;
  if (!(await exists(docker, name))) await make(docker, source, tag);
  return name;
}

async function exists(docker: Docker, name: string): Promise<boolean> {
  const found = await docker.listImages({ filters: { reference: [name] } });
  return found.length > 0;
}

async function make(docker: Docker, source: string, tag: string): Promise<void> {
  if (findProgram("cc") === undefined) {
    throw new Error("no C compiler (cc) for the tests' image; Debian, Ubuntu: apt-get install gcc libc6-dev");
  }
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-tiny-"));
  try {
    await run("cc", ["-static", "-Os", "-s", "-o", path.join(dir, "tiny"), source]);
    const changes = ['ENTRYPOINT ["/tiny"]', 'CMD ["sleep"]', "ENV FROM_IMAGE=yes", "LABEL from.image=yes"];
    const options = { repo: "cdc-test-tiny", tag, changes };
    const stream = await docker.importImage(await archive(path.join(dir, "tiny")), options as object);
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(stream, (error: Error | null) => (error ? reject(error) : resolve()));
    });
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

async function archive(program: string): Promise<NodeJS.ReadableStream> {
  const pack = tar.pack();
  pack.entry({ name: "tiny", mode: 0o755 }, fs.readFileSync(program));
  pack.entry({ name: "tmp", mode: 0o1777, type: "directory" });
  pack.finalize();
  return pack;
}
