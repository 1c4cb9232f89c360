export interface LockOptions {
  /** What is done under the lock, as it shall read in an error, e.g. "installing npm packages". */
  readonly what: string;
  /** Milliseconds after which waiting for another process ends with an error. */
  readonly timeoutMs: number;
  /** Milliseconds between looks at the lock; 250 by default. */
  readonly everyMs?: number;
  /** Called once when another process holds the lock, with its id. */
  readonly onWait?: (pid: number) => void;
}

/**
 * Does `work` while no other process of this machine does work under the same lock file. The lock of a process that
 * was killed does not count. Not for use within one process: a process waits for itself.
 *
 * Plain JavaScript, because the launcher needs it before the npm packages are there.
 */
export function withLock<T>(file: string, options: LockOptions, work: () => T | Promise<T>): Promise<T>;

/**
 * A process id is used again sooner or later, after a reboot at once; with the start time of its process it is unique.
 * This is both, as a text that begins with the id.
 */
export function describeProcess(pid: number): string;

/** Whether the process of such a text still runs. */
export function isAlive(description: string): boolean;
