import { sleep } from "../lib/retry";
import { heartbeatTable } from "../tables/own";
import type { ClickHouseQuery } from "./clickhouse";
import { type Clock, monotonic } from "./clock";
import { Loop } from "./loop";
import { type AgentMetrics, type Stage, stages } from "./metrics";
import type { Outcomes } from "./outcomes";
import type { Postgres } from "./postgres";

/** Row 1 is the connector's own heartbeat. */
const canaryRow = 2;

/**
 * Its time only ever rises, also where the clock was set back: by it, canaries are told apart and put in order.
 * Microseconds since 1970 fit into a JavaScript number until the year 2255.
 */
const writeSql = `
  INSERT INTO ${heartbeatTable.source} AS h (id, beat_at) VALUES (${canaryRow}, clock_timestamp())
  ON CONFLICT (id) DO UPDATE SET beat_at = greatest(clock_timestamp(), h.beat_at + interval '1 microsecond')
  RETURNING (extract(epoch FROM beat_at) * 1000000)::bigint::text AS beat`;

const rowsAtOnce = 1000;

function arrivalsSql(after: number): string {
  const time = (column: string) => `toString(toUnixTimestamp64Micro(${column})) AS ${column}_us`;
  return `
    SELECT ${["beat_at", "committed_at", "read_at", "sent_at", "arrived_at"].map(time).join(", ")}
    FROM ${heartbeatTable.target}
    WHERE id = ${canaryRow} AND beat_at > fromUnixTimestamp64Micro(toInt64(${after}), 'UTC')
    ORDER BY beat_at LIMIT ${rowsAtOnce}`;
}

type ArrivalRow = Readonly<
  Record<"beat_at_us" | "committed_at_us" | "read_at_us" | "sent_at_us" | "arrived_at_us", string>
>;

/** A canary as ClickHouse shows it; all times in microseconds since 1970. */
export interface Arrival {
  readonly beat: number;
  readonly committed: number;
  readonly read: number;
  readonly sent: number;
  readonly arrived: number;
}

export interface Sighting {
  readonly latencySeconds: number;
  readonly stageSeconds: Readonly<Partial<Record<Stage, number>>>;
}

/** A canary on its way. */
interface Waiting {
  /** Microseconds since 1970 by Postgres's clock. */
  readonly beat: number;
  /** When its commit was acknowledged, on the agent's own clock. */
  readonly at: number;
}

/**
 * Which canaries are on their way. They are changes of one row, so they arrive in the order in which they were written:
 * one that has not come when a later one has will not come any more, and is no longer waited for.
 */
export class CanaryLog {
  private waiting: Waiting[] = [];
  /** Canaries that were written when the list was full: when the first of them was. */
  private unlistedSince: number | undefined;
  private first: number | undefined;
  private newest: Waiting | undefined;
  private lastSeen = Number.NEGATIVE_INFINITY;

  /** @param limit canaries that are remembered one by one: an hour of them. */
  constructor(private readonly limit = 3600) {}

  written(beat: number, at: number): void {
    this.first ??= beat;
    this.newest = { beat, at };
    // It was looked for while its commit's answer was on the way.
    if (beat <= this.lastSeen) return;
    if (this.unlistedSince === undefined && this.waiting.length < this.limit) this.waiting.push({ beat, at });
    else this.unlistedSince ??= at;
  }

  /** Canaries later than this one are news, microseconds since 1970; undefined before the first is written. */
  get after(): number | undefined {
    if (this.first === undefined) return undefined;
    return Math.max(this.lastSeen, this.first - 1);
  }

  /** When the only canary that is on its way was written; undefined when there are none or several. */
  get single(): number | undefined {
    return this.waiting.length === 1 && this.unlistedSince === undefined ? this.waiting[0]?.at : undefined;
  }

  get isWaiting(): boolean {
    return this.waiting.length > 0 || this.unlistedSince !== undefined;
  }

  hasArrived(beat: number): boolean {
    return beat <= this.lastSeen;
  }

  /** Age of the oldest canary that has not arrived, in milliseconds; 0 when none is on its way. */
  waitingMs(now: number): number {
    const [oldest] = this.waiting;
    const since = oldest?.at ?? this.unlistedSince;
    return since === undefined ? 0 : Math.max(0, now - since);
  }

  /**
   * Takes note of what a query has shown.
   * @param rows in the order of their beats.
   * @param now when the answer was there, on the agent's clock.
   * @param wallMicros the same moment in microseconds since 1970.
   */
  seen(rows: readonly Arrival[], now: number, wallMicros: number): Sighting[] {
    return rows.flatMap((row) => {
      // Kafka may deliver an event twice.
      if (row.beat <= this.lastSeen) return [];
      this.lastSeen = row.beat;
      let found: Waiting | undefined;
      let passed = 0;
      for (const one of this.waiting) {
        if (one.beat > row.beat) break;
        if (one.beat === row.beat) found = one;
        passed += 1;
      }
      this.waiting.splice(0, passed);
      if (this.unlistedSince !== undefined && this.waiting.length === 0) this.passUnlisted(row.beat);
      const latencyMs = found ? now - found.at : (wallMicros - row.beat) / 1000;
      return [
        { latencySeconds: Math.max(0, latencyMs) / 1000, stageSeconds: stageSecondsOf(row, wallMicros) },
      ];
    });
  }

  /** Of those that are not on the list, the oldest that is left is later than the one that was seen last. */
  private passUnlisted(beat: number): void {
    const { newest } = this;
    if (newest === undefined || this.unlistedSince === undefined) return;
    if (beat >= newest.beat) this.unlistedSince = undefined;
    else this.unlistedSince = Math.max(this.unlistedSince, newest.at - (newest.beat - beat) / 1000);
  }
}

/** The stages' times are of several clocks, or of one with coarser ticks: none lasts less than nothing. */
function stageSecondsOf(
  { committed, read, sent, arrived }: Arrival,
  wallMicros: number,
): Sighting["stageSeconds"] {
  const between = (from: number, to: number) =>
    from > 0 && to > 0 ? Math.max(0, to - from) / 1e6 : undefined;
  const all = {
    capture: between(committed, read),
    publish: between(read, sent),
    consume: between(sent, arrived),
    visible: between(arrived, wallMicros),
  };
  return Object.fromEntries(Object.entries(all).filter(([, seconds]) => seconds !== undefined));
}

export interface CanaryOptions {
  readonly postgres: Pick<Postgres, "query">;
  readonly clickhouse: ClickHouseQuery;
  readonly metrics: AgentMetrics;
  readonly outcomes: Outcomes;
  readonly clock?: Clock;
}

const everyMs = 1000;

/** Writes a row in Postgres each second, and times its arrival in ClickHouse. */
export class Canary {
  readonly loops: readonly Loop[];
  private readonly log = new CanaryLog();
  private readonly clock: Clock;
  private sends = 0;
  private committed = { send: 0, beat: 0 };
  private readonly recentMs: number[] = [];
  private onWritten: (() => void) | undefined;

  constructor(private readonly options: CanaryOptions) {
    this.clock = options.clock ?? monotonic;
    const { outcomes } = options;
    this.loops = [
      new Loop({
        name: "canary, write",
        everyMs,
        timeoutMs: 5000,
        run: (signal) => this.write(signal),
        onResult: (error) => outcomes.report("canary", "write", error),
      }),
      new Loop({
        name: "canary, look",
        everyMs,
        timeoutMs: 15_000,
        run: (signal) => this.look(signal),
        onResult: (error) => outcomes.report("canary", "look", error),
      }),
    ];
  }

  /** Brings the metrics up to the moment. */
  refresh(): void {
    this.options.metrics.canaryWaiting.set(this.waitingMs() / 1000);
  }

  /** Age of the oldest canary that has not arrived, in milliseconds; 0 when none is on its way. */
  waitingMs(): number {
    return this.log.waitingMs(this.clock());
  }

  /**
   * Waits until a canary has been committed that was sent after this was called.
   * @returns the canary, for `hasArrived`.
   * @throws Error when there is none in time.
   */
  async nextCommitted(signal: AbortSignal, timeoutMs = 10_000): Promise<number> {
    const { sends } = this;
    const deadline = this.clock() + timeoutMs;
    while (this.committed.send <= sends) {
      if (this.clock() > deadline) throw new Error("no canary can be written in Postgres");
      await sleep(50, signal);
    }
    return this.committed.beat;
  }

  /** Whether a canary, and so all that was committed before it, has come through Kafka. */
  hasArrived(beat: number): boolean {
    return this.log.hasArrived(beat);
  }

  private async write(signal: AbortSignal): Promise<undefined> {
    this.sends += 1;
    const send = this.sends;
    const [row] = await this.options.postgres.query<{ beat: string }>(writeSql, [], signal);
    const beat = Number(row?.beat);
    this.committed = { send, beat };
    this.log.written(beat, this.clock());
    this.options.metrics.canaryWritten.inc();
    this.onWritten?.();
  }

  /** @returns milliseconds until the next look. */
  private async look(signal: AbortSignal): Promise<number> {
    if (!this.log.isWaiting) await this.untilWritten(signal);
    const { after } = this.log;
    if (after === undefined || !this.log.isWaiting) return 0;
    await this.untilLikely(signal);
    const rows = await this.options.clickhouse<ArrivalRow>(arrivalsSql(after), {
      signal,
      // Twenty a second would fill the log of queries with nothing else.
      settings: { log_queries: "0" },
    });
    const now = this.clock();
    const sightings = this.log.seen(rows.map(arrivalOf), now, Date.now() * 1000);
    for (const sighting of sightings) this.count(sighting);
    if (rows.length === rowsAtOnce) return 0;
    const age = this.log.waitingMs(now);
    return age < 1000 ? 20 : age < 10_000 ? 100 : 1000;
  }

  private count({ latencySeconds, stageSeconds }: Sighting): void {
    const { canaryArrived, canaryLatency, canaryStage } = this.options.metrics;
    canaryArrived.inc();
    canaryLatency.observe(latencySeconds);
    for (const stage of stages) {
      const seconds = stageSeconds[stage];
      if (seconds !== undefined) canaryStage.observe({ stage }, seconds);
    }
    this.recentMs.push(latencySeconds * 1000);
    if (this.recentMs.length > 60) this.recentMs.shift();
  }

  private async untilWritten(signal: AbortSignal): Promise<void> {
    const written = new Promise<void>((resolve) => {
      this.onWritten = resolve;
    });
    const ending = new AbortController();
    const either = AbortSignal.any([signal, ending.signal]);
    try {
      await Promise.race([written, sleep(5000, either)]);
    } finally {
      this.onWritten = undefined;
      ending.abort();
    }
  }

  /**
   * No canary of the last minute was here sooner than the fastest: to ask much earlier would be in vain, and each
   * question costs ClickHouse something.
   */
  private async untilLikely(signal: AbortSignal): Promise<void> {
    const { single } = this.log;
    if (single === undefined || this.recentMs.length < 10) return;
    const likely = Math.min(500, 0.7 * Math.min(...this.recentMs));
    const left = single + likely - this.clock();
    if (left > 0) await sleep(left, signal);
  }
}

function arrivalOf(row: ArrivalRow): Arrival {
  return {
    beat: Number(row.beat_at_us),
    committed: Number(row.committed_at_us),
    read: Number(row.read_at_us),
    sent: Number(row.sent_at_us),
    arrived: Number(row.arrived_at_us),
  };
}
