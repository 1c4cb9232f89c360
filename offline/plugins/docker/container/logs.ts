import type { Container } from "dockerode";

/** What a container has printed, both streams together. `tail`: only so many of the last lines. */
export async function logsOf(container: Container, tty: boolean, tail?: number): Promise<string> {
  const options = { stdout: true, stderr: true, follow: false as const, ...(tail && { tail }) };
  // Not followed, the logs come whole.
  const raw = (await container.logs(options)) as unknown as Buffer;
  return tty ? raw.toString() : unframed(raw);
}

/**
 * Without a terminal, the engine puts a header of 8 bytes before each piece: stream, three zeros, length.
 * Source: "Stream format" of ContainerAttach in the Docker Engine's API reference.
 */
export function unframed(raw: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 8 <= raw.length; ) {
    const end = at + 8 + raw.readUInt32BE(at + 4);
    pieces.push(raw.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(pieces).toString();
}
