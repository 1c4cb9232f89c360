import { type BucketRow, type Buckets, bucketsOf, groupedDigestSql } from "../compare/digest";
import { keyOf, pairOf, type Query } from "../compare/pair";
import { sleep } from "../lib/retry";
import { parseCatalog } from "../tables/catalog";
import { postgresName, quotedIdentifier } from "../tables/sql";
import type { Canary } from "./canary";
import type { ClickHouseQuery } from "./clickhouse";
import { type Clock, monotonic } from "./clock";
import { type Consumers, readConsumers, untold } from "./consumers";
import { Stopping } from "./loop";
import { type AgentMetrics, type ComparisonResult, comparisonResults } from "./metrics";
import { type PostgresLogin, type PostgresQuery, withPostgres } from "./postgres";
import type { AgentTable } from "./settings";
import {
  type Bounds,
  differenceOf,
  type KeysQuery,
  keyColumns,
  keysQuery,
  Lasting,
  maxChangedKeys,
  readingsThatLast,
  rowsIn,
  type SettledRow,
  settledSql,
  subtract,
  versionAt,
} from "./settled";

export interface CompareOptions {
  readonly postgres: PostgresLogin;
  readonly clickhouse: ClickHouseQuery;
  readonly database: string;
  readonly canary: Pick<Canary, "nextCommitted" | "hasArrived" | "waitingMs">;
  readonly catalogSql: string;
}

export type Comparison =
  | { readonly result: "equal"; readonly sourceRows: number; readonly targetRows: number }
  | {
      readonly result: "different";
      readonly sourceRows: number;
      readonly targetRows: number;
      /** At least so many. */
      readonly differing: number;
    }
  | { readonly result: "unsettled"; readonly why: string };

/** Postgres gives up what takes longer: a snapshot that is held for long keeps old rows from being cleaned up. */
const statementTimeoutMs = 120_000;
/** As in the view T: FINAL chooses among the versions of one generation. Those of another say nothing about its rows. */
const finalSettings = { do_not_merge_across_partitions_select_final: "1" };
/** How long a snapshot is held while the two sides differ. */
const patienceMs = 30_000;
/** A pipeline that takes longer has its own alerts; to compare would tell nothing. */
const slowestMs = 10_000;
/** For how long a commit may be in the log before all sessions see it. */
const visibleMs = 1000;

/**
 * Compares a table in Postgres with what ClickHouse shows of it, while both change: settled.ts says how, and why it is
 * right. A difference is believed when a second comparison finds it, too.
 */
export async function compareTable(
  table: AgentTable,
  options: CompareOptions,
  signal: AbortSignal,
  busy: Busy,
): Promise<Comparison> {
  const first = await compareOnce(table, options, signal, busy);
  return first.result === "different" ? compareOnce(table, options, signal, busy) : first;
}

async function compareOnce(
  table: AgentTable,
  options: CompareOptions,
  signal: AbortSignal,
  busy: Busy,
): Promise<Comparison> {
  const { canary, postgres: login } = options;
  if (canary.waitingMs() > slowestMs) return unsettled("nothing comes through the pipeline");
  return withPostgres(login, statementTimeoutMs, signal, async (run) => {
    const query: PostgresQuery = (sql, values) => busy.count(() => run(sql, values));
    const sides = await sidesOf(table, options, query, signal, busy);
    const before = await sides.bounds();
    const since = versionAt(await flushed(query));
    await canary.nextCommitted(signal);
    await sleep(visibleMs, signal);
    // What is left open when the agent dies must not keep its snapshot.
    await query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
      SET LOCAL idle_in_transaction_session_timeout = ${statementTimeoutMs + 30_000}`);
    const all = await sides.all("whole");
    let later: number | undefined;
    return untilTold({
      hasArrived: () => later !== undefined && canary.hasArrived(later),
      consumers: sides.consumers,
      read: () => sides.read(all, "whole", before, since),
      readCloser: async () => sides.read(await sides.all("bucket"), "bucket", before, since),
      isWaitedFor: () => isWaitedFor(query, table.source),
      rest: async (ms) => {
        later ??= await canary.nextCommitted(signal);
        await sleep(ms, signal);
      },
    });
  });
}

/** What a comparison looks at, again and again, while it holds its snapshot. */
export interface Looks {
  /** Whether a canary from after the snapshot has come through Debezium and Kafka. */
  readonly hasArrived: () => boolean;
  /** The table's own consumers: the canary comes through another one. */
  readonly consumers: () => Promise<Consumers>;
  readonly read: () => Promise<Reading | Unsettled>;
  readonly readCloser: () => Promise<Reading | Unsettled>;
  readonly isWaitedFor: () => Promise<boolean>;
  readonly rest: (ms: number) => Promise<void>;
  readonly clock?: Clock;
}

/** Looks until the two sides are equal, or their difference has lasted, or nothing can be said. */
export async function untilTold(looks: Looks): Promise<Comparison> {
  const clock = looks.clock ?? monotonic;
  const lasting = new Lasting();
  let limit = { from: clock(), ms: slowestMs, arrived: false };
  let readings = 0;
  for (;;) {
    // Asked before the reading: what has arrived by then, the reading sees.
    const arrived = looks.hasArrived();
    if (arrived && !limit.arrived) {
      limit = { from: clock(), ms: patienceMs, arrived };
      readings = 0;
    }
    readings += 1;
    const { areReading, mark: held } = arrived ? await looks.consumers() : untold;
    const reading = await looks.read();
    if ("result" in reading) return reading;
    const { mark, rows } = differenceOf(reading.postgres, reading.clickhouse);
    if (rows === 0) return equal(reading);
    const now = clock();
    if (lasting.note(`${mark} ${held}`, now, arrived && areReading)) {
      const closer = await looks.readCloser();
      return "result" in closer ? closer : judged(closer);
    }
    // That a large table takes long to read says nothing of the pipeline: some looks it gets in any case.
    if (now - limit.from > limit.ms && readings > readingsThatLast) {
      return unsettled(
        arrived && !areReading
          ? "the table's consumer in ClickHouse stands still"
          : "rows are still on their way to ClickHouse",
      );
    }
    if (await looks.isWaitedFor()) return unsettled("somebody waits for the table");
    await looks.rest(arrived ? 1000 : 300);
  }
}

function equal(reading: Reading): Comparison {
  return { result: "equal", ...rowsOf(reading) };
}

function judged(reading: Reading): Comparison {
  const { rows } = differenceOf(reading.postgres, reading.clickhouse);
  return rows === 0 ? equal(reading) : { result: "different", ...rowsOf(reading), differing: rows };
}

function rowsOf({ postgres, clickhouse }: Reading) {
  return { sourceRows: rowsIn(postgres), targetRows: rowsIn(clickhouse) };
}

/**
 * Whether a session waits for a lock on the table. To alter it, one must wait for the transaction that has read it, and
 * everybody else waits behind that one.
 */
async function isWaitedFor(query: PostgresQuery, source: string): Promise<boolean> {
  const [row] = await query<{ waiting: boolean }>(
    "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = to_regclass($1) AND NOT granted) AS waiting",
    [postgresName(source)],
  );
  return row?.waiting === true;
}

/** How far Postgres's log is on disk, in bytes. */
async function flushed(query: PostgresQuery): Promise<bigint> {
  const [row] = await query<{ position: string }>(
    "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::text AS position",
  );
  return BigInt(row?.position ?? 0);
}

type By = "whole" | "bucket";

export interface Reading {
  /** What has not changed, on either side. */
  readonly postgres: Buckets;
  readonly clickhouse: Buckets;
}

type Unsettled = Extract<Comparison, { readonly result: "unsettled" }>;

interface Sides {
  readonly bounds: () => Promise<Bounds>;
  /** The digest of all rows in Postgres. */
  readonly all: (by: By) => Promise<Buckets>;
  readonly read: (all: Buckets, by: By, before: Bounds, since: bigint) => Promise<Reading | Unsettled>;
  readonly consumers: () => Promise<Consumers>;
}

async function sidesOf(
  { source, target }: AgentTable,
  { clickhouse, database, catalogSql }: CompareOptions,
  postgres: PostgresQuery,
  signal: AbortSignal,
  busy: Busy,
): Promise<Sides> {
  const ask: Query = <T>(sql: string) =>
    busy.count(() => clickhouse<T>(sql, { signal, timeoutMs: statementTimeoutMs, settings: finalSettings }));
  const [table] = parseCatalog(await postgres(catalogSql, [[postgresName(source)]]));
  if (!table) throw new Error(`${source}: there is no such table in Postgres`);
  const { pair } = await pairOf(table, `${target}_current`, ask, database);
  const columns = keyColumns(table, keyOf(table), pair);
  const keys = (by: By): KeysQuery | undefined => columns && keysQuery(pair, by, columns);
  const bounds = () => readBounds(target, ask);
  return {
    bounds,
    all: async (by) => bucketsOf(await postgres<BucketRow>(groupedDigestSql(pair, "postgres", by))),
    read: async (all, by, before, since) => {
      const now = await bounds();
      if (now.generation !== before.generation) return unsettled("the connector began anew");
      if (now.truncated >= since) return unsettled("the table was truncated");
      const there = splitSettled(await ask<SettledRow>(settledSql(pair, by, now, since)));
      if (there.keys.length > maxChangedKeys)
        return unsettled(`more than ${maxChangedKeys} rows have changed`);
      if (there.keys.length === 0) return { postgres: all, clickhouse: there.settled };
      const query = keys(by);
      if (query === undefined) return unsettled("rows have changed, and their keys cannot be compared");
      const changed = bucketsOf(await postgres<BucketRow>(query.sql, query.values(there.keys)));
      return { postgres: subtract(all, changed), clickhouse: there.settled };
    },
    consumers: () => readConsumers(ask, database, target),
  };
}

function unsettled(why: string): Unsettled {
  return { result: "unsettled", why };
}

async function readBounds(target: string, ask: Query): Promise<Bounds> {
  const [life] = await ask<{ generation: number }>(
    `SELECT max(_generation) AS generation FROM ${quotedIdentifier(`${target}_current`)}`,
  );
  const generation = Number(life?.generation ?? 0);
  const [row] = await ask<{ truncated: string; loaded: string }>(`
    SELECT toString(maxIf(_version, operation = 't')) AS truncated,
           toString(minIf(_version, operation = 'r')) AS loaded
    FROM ${quotedIdentifier(`${target}_bounds`)} WHERE _generation = ${generation}`);
  return { generation, truncated: BigInt(row?.truncated ?? 0), loaded: BigInt(row?.loaded ?? 0) };
}

function splitSettled(rows: readonly SettledRow[]): {
  readonly settled: Buckets;
  readonly keys: readonly (readonly string[])[];
} {
  return {
    settled: bucketsOf(rows.filter(({ _bucket }) => _bucket >= 0)),
    keys: rows.filter(({ _bucket }) => _bucket < 0).map(({ _key }) => _key),
  };
}

/** Says which table is to be compared next, and when. */
export class Turns {
  private readonly due: Map<string, number>;
  private notBefore = 0;

  /**
   * @param everyMs from the start of a table's comparison to the start of its next.
   * @param now the first comparison begins at once.
   */
  constructor(
    private readonly tables: readonly AgentTable[],
    private readonly everyMs: number,
    now: number,
    private readonly rest = 10,
  ) {
    this.due = new Map(tables.map(({ source }) => [source, now]));
  }

  /** The table that waits longest, and the milliseconds until its turn; undefined when there are no tables. */
  next(now: number): { readonly table: AgentTable; readonly inMs: number } | undefined {
    const [table] = [...this.tables].sort((a, b) => this.dueAt(a) - this.dueAt(b));
    if (table === undefined) return undefined;
    return { table, inMs: Math.max(0, this.dueAt(table) - now, this.notBefore - now) };
  }

  /** @param busyMs how long the databases have worked for it: they rest that much, times `rest`. */
  done(table: AgentTable, started: number, now: number, busyMs: number): void {
    this.due.set(table.source, started + this.everyMs);
    this.notBefore = now + this.rest * busyMs;
  }

  private dueAt({ source }: AgentTable): number {
    return this.due.get(source) ?? 0;
  }
}

export interface ComparisonOptions {
  readonly tables: readonly AgentTable[];
  readonly comparisonSeconds: number;
  readonly metrics: AgentMetrics;
  readonly compare: (table: AgentTable, signal: AbortSignal, busy: Busy) => Promise<Comparison>;
  /** Told how each table's comparison went: undefined when it could be made. */
  readonly onResult: (table: string, error: unknown) => void;
  readonly log: (line: string) => void;
  readonly clock?: Clock;
  /** How many times as long as a comparison made them work the databases rest; 10 by default. */
  readonly rest?: number;
}

/** Adds up how long the databases work, which is less than a comparison takes. */
export class Busy {
  ms = 0;

  async count<T>(work: () => Promise<T>): Promise<T> {
    const started = monotonic();
    try {
      return await work();
    } finally {
      this.ms += monotonic() - started;
    }
  }
}

/** Compares the tables in turn, never two at once. */
export class ComparisonRounds {
  private readonly turns: Turns;
  private readonly clock: Clock;
  private readonly differing = new Set<string>();

  constructor(private readonly options: ComparisonOptions) {
    this.clock = options.clock ?? monotonic;
    this.turns = new Turns(options.tables, options.comparisonSeconds * 1000, this.clock(), options.rest);
    for (const { source } of options.tables) {
      options.metrics.withoutResult.set({ table: source }, 0);
      for (const result of comparisonResults) options.metrics.comparisons.inc({ table: source, result }, 0);
    }
  }

  /** @returns milliseconds until it wants to be called again. */
  async run(signal: AbortSignal): Promise<number> {
    const next = this.turns.next(this.clock());
    if (next === undefined) return 60_000;
    if (next.inMs > 0) return Math.min(next.inMs, 60_000);
    const { source } = next.table;
    const started = this.clock();
    const busy = new Busy();
    try {
      this.show(source, await this.options.compare(next.table, signal, busy));
      this.options.onResult(source, undefined);
    } catch (error) {
      // Told to end: that was no fault of the table's. One that takes too long is.
      if (signal.aborted && signal.reason instanceof Stopping) throw error;
      this.count(source, "failed");
      this.options.onResult(source, signal.aborted ? signal.reason : error);
    } finally {
      const ended = this.clock();
      this.options.metrics.comparisonSeconds.set({ table: source }, (ended - started) / 1000);
      this.turns.done(next.table, started, ended, busy.ms);
    }
    return 0;
  }

  private count(table: string, result: ComparisonResult): void {
    const { comparisons, withoutResult } = this.options.metrics;
    comparisons.inc({ table, result });
    if (result === "unsettled" || result === "failed") withoutResult.inc({ table });
    else withoutResult.set({ table }, 0);
  }

  private show(table: string, comparison: Comparison): void {
    const { metrics, log } = this.options;
    this.count(table, comparison.result);
    if (comparison.result === "unsettled") return;
    const differing = comparison.result === "different" ? comparison.differing : 0;
    metrics.sourceRows.set({ table }, comparison.sourceRows);
    metrics.targetRows.set({ table }, comparison.targetRows);
    metrics.rowsDiffering.set({ table }, differing);
    metrics.comparedAt.set({ table }, Date.now() / 1000);
    if (differing > 0 && !this.differing.has(table)) {
      this.differing.add(table);
      log(`${table}: at least ${differing} rows differ in ClickHouse; find them with: npx cdc verify`);
    }
    if (differing === 0 && this.differing.delete(table)) log(`${table}: the rows are equal again`);
  }
}
