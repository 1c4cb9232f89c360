import { sleep } from "../lib/retry";
import { type Clock, monotonic } from "./clock";

export interface LoopOptions {
  readonly name: string;
  /** Milliseconds from the start of one run to the start of the next. */
  readonly everyMs: number;
  /** Milliseconds after which a run is told to end, and counts as failed. */
  readonly timeoutMs: number;
  /**
   * One run. It ends soon after the signal is aborted.
   * @returns milliseconds until the next run, where `everyMs` is not right this time.
   */
  readonly run: (signal: AbortSignal) => Promise<number | undefined>;
  /** Told how each run went: undefined when well. */
  readonly onResult: (error: unknown) => void;
  readonly clock?: Clock;
}

/** Why a run is told to end when it is not late: the agent stops. */
export class Stopping extends Error {
  constructor() {
    super("the agent stops");
  }
}

/** How long a run may go on after it was told to end, before the loop counts as dead. */
const graceMs = 60_000;

/** Does something again and again: never two runs at once, and each within a bounded time. */
export class Loop {
  private readonly clock: Clock;
  private readonly stopping = new AbortController();
  private finished: Promise<void> = Promise.resolve();
  /** When the next sign of life is due. */
  private deadline: number;

  constructor(private readonly options: LoopOptions) {
    this.clock = options.clock ?? monotonic;
    this.deadline = this.clock() + graceMs;
  }

  get name(): string {
    return this.options.name;
  }

  start(): void {
    this.finished = this.go();
  }

  /** Ends when the run that is under way has ended. */
  stop(): Promise<void> {
    this.stopping.abort(new Stopping());
    return this.finished;
  }

  /** Whether it gives signs of life; that its runs fail is none of death. */
  get isAlive(): boolean {
    return this.clock() < this.deadline;
  }

  private async go(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const started = this.clock();
      this.deadline = started + this.options.timeoutMs + graceMs;
      const next = await this.runOnce();
      const delay = Math.max(0, next ?? started + this.options.everyMs - this.clock());
      this.deadline = this.clock() + delay + graceMs;
      await sleep(delay, this.stopping.signal).catch(() => undefined);
    }
  }

  /** @returns milliseconds until the next run, where the run has said so. */
  private async runOnce(): Promise<number | undefined> {
    const { name, run, timeoutMs, onResult } = this.options;
    const late = new AbortController();
    const stop = () => late.abort(this.stopping.signal.reason);
    this.stopping.signal.addEventListener("abort", stop, { once: true });
    const timer = setTimeout(() => {
      const error = new Error(`${name}: not finished after ${timeoutMs / 1000} s`);
      onResult(error);
      late.abort(error);
    }, timeoutMs);
    try {
      const next = await run(late.signal);
      if (!late.signal.aborted) onResult(undefined);
      return next ?? undefined;
    } catch (error) {
      // What ends because it was told to has been reported, or is nobody's fault.
      if (!late.signal.aborted) onResult(error);
      return undefined;
    } finally {
      clearTimeout(timer);
      this.stopping.signal.removeEventListener("abort", stop);
    }
  }
}
