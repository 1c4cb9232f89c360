export interface WaitOptions {
  /** What is waited for, as it shall read in the error, e.g. "Postgres on 127.0.0.1:5432". */
  readonly what: string;
  /** Milliseconds after which waiting ends with an error. */
  readonly timeoutMs: number;
  /** Milliseconds between attempts; 250 by default. */
  readonly everyMs?: number;
  /** An error for which waiting is pointless (wrong password, say) is thrown at once. */
  readonly isFatal?: (error: unknown) => boolean;
}

/**
 * Calls `attempt` until it returns something other than undefined or false, and returns that.
 * The one way in which this project waits: for a condition, with a bound.
 * @throws Error that names what was waited for, for how long, and the last failure.
 */
export async function waitFor<T>(
  attempt: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitOptions,
): Promise<T> {
  const deadline = Date.now() + options.timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await attempt();
      if (value !== undefined && value !== false) return value;
      last = undefined;
    } catch (error) {
      if (options.isFatal?.(error)) throw error;
      last = error;
    }
    if (Date.now() >= deadline) {
      const why = last === undefined ? "" : `: ${messageOf(last)}`;
      throw new Error(`${options.what}: not ready after ${Math.round(options.timeoutMs / 1000)} s${why}`, {
        cause: last,
      });
    }
    await sleep(options.everyMs ?? 250);
  }
}

/** Waits; ends early, with the signal's reason as error, when it is aborted. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const end = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, ms);
    signal?.addEventListener("abort", end, { once: true });
  });
}

/** The message of an error, also of one that carries it only in its parts (AggregateError on a refused connection). */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && !error.message) return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message || error.name : String(error);
}

/** An error in a line: fetch says only in the cause what has happened. */
export function inOneLine(error: unknown): string {
  const { cause } = error as Error;
  const said = messageOf(error);
  const text = cause === undefined ? said : `${said}: ${messageOf(cause)}`;
  return text.replace(/\s+/g, " ").slice(0, 500);
}
