import * as fs from "node:fs";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { writeAtomically } from "../../lib/files";
import { requestFile } from "../../lib/http";
import { inCache } from "../../lib/paths";
import { messageOf } from "../../lib/retry";

/** What came of an attempt to get something from the internet. */
export type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false /** Why not, as a clause for the user. */; readonly why: string };

export interface AttemptOptions {
  /** Tries even where the last failure is fresh. */
  readonly retryDownloads?: boolean | undefined;
  /** The clock, milliseconds; for tests. */
  readonly now?: () => number;
}

/** How long a failure is believed, milliseconds: long enough for an afternoon's work, short enough for a move. */
export const believedForMs = 60 * 60_000;

/**
 * Makes an attempt to get something from the internet, unless the same attempt failed within the last hour: where a
 * network lets nothing through, its time-outs are paid once and not with each command. `CDC_OFFLINE=1` makes none.
 */
export async function attempt<T>(
  what: string,
  work: () => Promise<T>,
  { retryDownloads = false, now = Date.now }: AttemptOptions = {},
): Promise<Attempt<T>> {
  if (process.env.CDC_OFFLINE) return { ok: false, why: "CDC_OFFLINE is set" };
  const failure = readFailures()[what];
  const age = failure ? now() - failure.at : Number.POSITIVE_INFINITY;
  if (failure && age >= 0 && age < believedForMs && !retryDownloads) {
    const minutes = Math.round(age / 60_000);
    return { ok: false, why: `${failure.why} (${minutes} min ago; --retry-downloads tries again)` };
  }
  try {
    const value = await work();
    writeFailure(what, undefined);
    return { ok: true, value };
  } catch (error) {
    const why = messageOf(error).split("\n")[0] ?? "";
    writeFailure(what, { at: now(), why });
    return { ok: false, why };
  }
}

interface Failure {
  readonly at: number;
  readonly why: string;
}

function failuresFile(): string {
  return inCache("unreachable.json");
}

function readFailures(): Readonly<Record<string, Failure>> {
  try {
    return JSON.parse(fs.readFileSync(failuresFile(), "utf8"));
  } catch {
    // Missing, or cut off by a kill: nothing is known, and everything is tried.
    return {};
  }
}

function writeFailure(what: string, failure: Failure | undefined): void {
  const before = readFailures();
  if (!failure && !(what in before)) return;
  const { [what]: _, ...others } = before;
  writeAtomically(failuresFile(), JSON.stringify(failure ? { ...others, [what]: failure } : others, null, 2));
}

/**
 * Which of several addresses of the same file serves it, the first that does in the order given.
 * @throws Error that says of each host why not.
 */
export async function firstServing(urls: readonly string[], timeoutMs: number): Promise<string> {
  const results = await Promise.allSettled(urls.map((url) => probe(url, timeoutMs)));
  const found = urls.find((_, index) => results[index]?.status === "fulfilled");
  if (found) return found;
  const reasons = results.map((result, index) => {
    const host = new URL(urls[index] as string).host;
    return `${host}: ${result.status === "rejected" ? messageOf(result.reason) : ""}`;
  });
  throw new Error(reasons.join("; "));
}

async function probe(url: string, timeoutMs: number): Promise<void> {
  await within(timeoutMs, "no answer", async (signal) => {
    const { content } = await requestFile("HEAD", url, signal);
    content.resume();
  });
}

/** Downloads a small text file. */
export async function downloadText(url: string, timeoutMs: number): Promise<string> {
  return within(timeoutMs, "not all of it", async (signal) =>
    text((await requestFile("GET", url, signal)).content),
  );
}

/** Downloads a file; `onProgress` gets the part that is there, 0 to 1, where the server says how much there is. */
export async function downloadFile(
  url: string,
  file: string,
  { timeoutMs, onProgress }: { timeoutMs: number; onProgress?: (part: number) => void },
): Promise<void> {
  await within(timeoutMs, "not all of it", async (signal) => {
    const { bytes, content } = await requestFile("GET", url, signal);
    let received = 0;
    content.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (bytes !== undefined) onProgress?.(received / bytes);
    });
    fs.mkdirSync(path.dirname(file), { recursive: true });
    await pipeline(content, fs.createWriteStream(file));
  });
}

async function within<T>(
  timeoutMs: number,
  otherwise: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return await work(signal);
  } catch (error) {
    throw signal.aborted ? new Error(`${otherwise} within ${timeoutMs / 1000} s`) : error;
  }
}
