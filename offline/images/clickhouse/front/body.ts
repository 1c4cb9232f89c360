import * as fs from "node:fs/promises";
import { IncomingMessage } from "node:http";
import * as path from "node:path";
import type { Readable } from "node:stream";
import * as zlib from "node:zlib";
import { Failure } from "./failure";
import { readStatement, type Statement } from "./statement";

/** A query, and the file that holds the data of an INSERT: the caller removes it. */
export interface Received {
  readonly statement: Statement;
  readonly file: string | undefined;
}

/** An INSERT must show where its data begins within this many bytes: ClickHouse's default of max_query_size. */
const headBytes = 256 * 1024;
/** Data is written in pieces of about this size: clients may send it in very small ones. */
const pieceBytes = 1024 * 1024;
/** A text without data after it is held in memory, more than once; the front has 128 MiB (entrypoint.sh). */
const mostBytes = 16 * 1024 * 1024;

/**
 * Reads the query from the address and the body, which follows it. The data of an INSERT goes into a new file in
 * `folder` as it arrives, so that its size is no matter of memory.
 * @throws Failure for an unknown encoding, damaged data, or a query that is too large.
 */
export async function receive(request: IncomingMessage, query: string, folder: string): Promise<Received> {
  const input = chunksOf(decoded(request));
  try {
    return await receiveFrom(input, query, folder);
  } finally {
    // So that what is left can be read by somebody else.
    await input.return();
  }
}

async function receiveFrom(input: Chunks, query: string, folder: string): Promise<Received> {
  const head = await atLeast(input, query === "" ? Buffer.alloc(0) : Buffer.from(`${query}\n`), headBytes);
  const statement = readStatement(head.toString("latin1"));
  if (statement.data) {
    const file = path.join(folder, `${process.pid}-${counter++}`);
    await write(file, head.subarray(statement.data.start), input);
    return { statement, file };
  }
  if (head.length < headBytes) return { statement, file: undefined };
  const whole = await atLeast(input, head, mostBytes);
  if (whole.length >= mostBytes)
    throw new Failure(229, `The query is larger than ${mostBytes} bytes`, "QUERY_IS_TOO_LARGE");
  return { statement: readStatement(whole.toString("latin1")), file: undefined };
}

let counter = 0;

function decoded(request: IncomingMessage): Readable {
  const encoding = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding === "identity" || encoding === "") return request;
  const make = decoders.get(encoding);
  if (!make)
    throw new Failure(
      89,
      `Unknown compression method ${encoding}; the local image knows ${[...decoders.keys()].join(", ")}`,
      "UNKNOWN_COMPRESSION_METHOD",
    );
  const decoder = make();
  request.on("error", (error) => decoder.destroy(error));
  return request.pipe(decoder);
}

const zstd = (zlib as { createZstdDecompress?: () => zlib.Gunzip }).createZstdDecompress;
// By a name that the client gives: no object, which has names of its own, such as "constructor".
const decoders: ReadonlyMap<string, () => zlib.Gunzip | zlib.Inflate | zlib.BrotliDecompress> = new Map([
  ["gzip", () => zlib.createGunzip()],
  ["deflate", () => zlib.createInflate()],
  ["br", () => zlib.createBrotliDecompress()],
  // Node has it from 22.15 on.
  ...(zstd ? ([["zstd", () => zstd()]] as const) : []),
]);

type Chunks = AsyncIterator<Buffer>;

async function* chunksOf(stream: Readable): AsyncGenerator<Buffer, void, undefined> {
  try {
    // A destroyed request could not be answered any more.
    const destroyOnReturn = !(stream instanceof IncomingMessage);
    for await (const chunk of stream.iterator({ destroyOnReturn })) yield chunk as Buffer;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!/^(Z_|ZSTD_|ERR_.*(ZLIB|BROTLI|ZSTD)|ERR__ERROR_FORMAT)/.test(code)) throw error;
    throw new Failure(271, `Cannot decompress the request: ${(error as Error).message}`, "CANNOT_DECOMPRESS");
  }
}

async function atLeast(input: Chunks, first: Buffer, bytes: number): Promise<Buffer> {
  const parts = [first];
  let size = first.length;
  while (size < bytes) {
    const { done, value } = await input.next();
    if (done) break;
    parts.push(value);
    size += value.length;
  }
  return Buffer.concat(parts, size);
}

async function write(file: string, first: Buffer, rest: Chunks): Promise<void> {
  const handle = await fs.open(file, "wx", 0o600);
  try {
    for (let piece = await atLeast(rest, first, pieceBytes); piece.length > 0; ) {
      await handle.writeFile(piece);
      piece = await atLeast(rest, Buffer.alloc(0), pieceBytes);
    }
  } catch (error) {
    await fs.rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}
