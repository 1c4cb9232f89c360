import { describe, expect, test } from "vitest";
import {
  Busy,
  type Comparison,
  ComparisonRounds,
  type Looks,
  Turns,
  untilTold,
} from "../../src/agent/comparison";
import {
  type ConsumerRow,
  consumersOf,
  consumersSql,
  readConsumers,
  restSeconds,
} from "../../src/agent/consumers";
import { Stopping } from "../../src/agent/loop";
import { newMetrics } from "../../src/agent/metrics";
import {
  differenceOf,
  keyColumns,
  keysQuery,
  Lasting,
  lastingMs,
  maxChangedKeys,
  settledSql,
  subtract,
  versionAt,
} from "../../src/agent/settled";
import { seeded } from "../../src/cli/generate/random";
import type { Buckets, TablePair } from "../../src/compare/digest";
import type { CatalogColumn, CatalogTable } from "../../src/tables/model";

function buckets(...entries: [bucket: number, rows: number, checksum: bigint][]): Buckets {
  return new Map(entries.map(([bucket, rows, checksum]) => [bucket, { rows, checksum }]));
}

describe("digests", () => {
  test("rows can be taken out of one afterwards", () => {
    const all = buckets([0, 10, 100n], [3, 5, -7n]);
    expect(subtract(all, buckets([3, 2, 4n]))).toEqual(buckets([0, 10, 100n], [3, 3, -11n]));
  });

  test("a bucket without rows is as good as none", () => {
    expect(differenceOf(buckets([0, 0, 0n]), buckets())).toEqual({ rows: 0, mark: "" });
  });

  test("each bucket that differs has one such row, or as many as one side has more", () => {
    const here = buckets([0, 10, 1n], [1, 10, 2n], [2, 10, 3n]);
    expect(differenceOf(here, buckets([0, 10, 1n], [1, 10, 9n], [2, 4, 8n], [7, 1, 1n])).rows).toBe(8);
    expect(differenceOf(here, here).rows).toBe(0);
  });
});

/**
 * Postgres and ClickHouse in small: transactions that run into each other, commits that other sessions see late, events
 * that arrive in order with delay. Versions are made as sql/clickhouse/table.sql does.
 */
describe("what is compared while rows change", () => {
  interface Change {
    readonly key: number;
    /** Undefined: deleted. */
    readonly value: number | undefined;
    /** Position of the change itself. */
    readonly lsn: number;
  }
  interface Transaction {
    readonly changes: readonly Change[];
    readonly commit: number;
    /** When other sessions see it. */
    readonly visible: number;
    readonly isCanary: boolean;
  }

  /** How long a commit may stay unseen. */
  const unseen = 9;

  /** Positions are also times: one position a tick. */
  function history(seed: number): Transaction[] {
    const { between, next } = seeded(seed);
    let position = 10;
    const open: Change[][] = [];
    const done: Transaction[] = [];
    const commit = (changes: readonly Change[], isCanary: boolean) => {
      position += 1;
      done.push({ changes, commit: position, visible: position + between(0, unseen), isCanary });
      position += 1;
    };
    for (let step = 0; step < 150; step += 1) {
      position += 1;
      if (step % 10 === 9) commit([], true);
      else if (open.length > 3 || (open.length > 0 && next() < 0.3))
        commit(open.splice(between(0, open.length - 1), 1)[0] ?? [], false);
      else if (next() < 0.4) open.push([]);
      else {
        // Two transactions cannot change a row at the same time; locks are held until the commit is seen.
        const unfinished = done.filter(({ visible }) => visible > position).map(({ changes }) => changes);
        const locked = new Set([...open, ...unfinished].flat().map(({ key }) => key));
        const key = between(1, 12);
        const own = open.at(-1);
        if (own && (!locked.has(key) || own.some((change) => change.key === key)))
          own.push({ key, value: next() < 0.3 ? undefined : between(1, 3), lsn: position });
      }
    }
    return done;
  }

  type Rows = ReadonlyMap<number, number>;

  function snapshot(transactions: readonly Transaction[], at: number): Rows {
    const rows = new Map<number, number>();
    for (const { changes, visible } of transactions)
      if (visible <= at)
        for (const { key, value } of changes) {
          if (value === undefined) rows.delete(key);
          else rows.set(key, value);
        }
    return rows;
  }

  interface Version {
    readonly version: bigint;
    readonly value: number | undefined;
  }

  /** The latest version of each key, of the first transactions. */
  function arrived(transactions: readonly Transaction[]): ReadonlyMap<number, Version> {
    const latest = new Map<number, Version>();
    let previous = 0;
    for (const { changes, commit } of transactions) {
      for (const { key, value, lsn } of changes) {
        const version = versionAt(BigInt(Math.max(previous, 1))) | BigInt(lsn);
        if (version > (latest.get(key)?.version ?? -1n)) latest.set(key, { version, value });
      }
      previous = commit;
    }
    return latest;
  }

  const hash = (key: number, value: number) => BigInt(key * 1_000_003 + value * 7919);

  function digest(rows: Iterable<readonly [number, number]>): Buckets {
    let [count, sum] = [0, 0n];
    for (const [key, value] of rows) {
      count += 1;
      sum += hash(key, value);
    }
    return buckets([0, count, sum]);
  }

  /** One comparison: P at a time, the snapshot after the next canary, ClickHouse at any time after. */
  function compare(transactions: readonly Transaction[], p: number, arrivedLater: number, spoil = false) {
    const canary = transactions.find(({ isCanary, commit }) => isCanary && commit > p);
    if (canary === undefined) return undefined;
    const at = canary.commit + unseen;
    const held = snapshot(transactions, at);
    const inTime = transactions.filter(({ commit }) => commit <= at).length;
    const latest = new Map(arrived(transactions.slice(0, inTime + arrivedLater)));
    const since = versionAt(BigInt(p));
    const old = [...latest].filter(([, { version }]) => version < since);
    if (spoil) {
      const victim = old.find(([, { value }]) => value !== undefined);
      if (victim === undefined) return undefined;
      old[old.indexOf(victim)] = [victim[0], { ...victim[1], value: 99 }];
    }
    const settled = old.flatMap(([key, { value }]): [number, number][] =>
      value === undefined ? [] : [[key, value]],
    );
    const changed = [...latest].filter(([, { version }]) => version >= since).map(([key]) => key);
    const some = [...held].filter(([key]) => changed.includes(key));
    return differenceOf(subtract(digest(held), digest(some)), digest(settled)).rows;
  }

  test("is equal whenever everything of the snapshot has arrived, whatever came after", () => {
    let comparisons = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const transactions = history(seed);
      const end = transactions.at(-1)?.commit ?? 0;
      for (let p = 10; p < end; p += 3)
        for (const later of [0, 1, 5]) {
          const rows = compare(transactions, p, later);
          if (rows === undefined) continue;
          comparisons += 1;
          expect(rows, `history ${seed}, position ${p}, ${later} later`).toBe(0);
        }
    }
    expect(comparisons).toBeGreaterThan(5000);
  });

  test("a row that differs is found", () => {
    let comparisons = 0;
    for (let seed = 1; seed <= 20; seed += 1) {
      const transactions = history(seed);
      const rows = compare(transactions, Math.floor((transactions.at(-1)?.commit ?? 0) / 2), 1, true);
      if (rows === undefined) continue;
      comparisons += 1;
      expect(rows, `history ${seed}`).toBe(1);
    }
    expect(comparisons).toBeGreaterThan(10);
  });
});

describe("a difference", () => {
  test("is one of rows when it stays the same after all has come through Kafka", () => {
    const lasting = new Lasting();
    expect(lasting.note("a", 0, false)).toBe(false);
    expect(lasting.note("a", 5000, false)).toBe(false);
    expect(lasting.note("a", 6000, true)).toBe(false);
    expect(lasting.note("a", 11_000, true)).toBe(false);
    expect(lasting.note("a", 5000 + lastingMs, true)).toBe(true);
  });

  test("is one of rows on their way as long as it changes", () => {
    const lasting = new Lasting();
    for (let second = 0; second < 60; second += 1)
      expect(lasting.note(`${second >> 2}`, second * 1000, true)).toBe(false);
  });
});

describe("a table's own consumers in ClickHouse", () => {
  const consumer = (row: Partial<ConsumerRow> = {}): ConsumerRow => ({
    id: "a",
    partitions: "3",
    changes: "1",
    idle: "0",
    ...row,
  });

  test("are reading as long as they keep asking Kafka", () => {
    expect(consumersOf([consumer({ idle: String(restSeconds) })]).areReading).toBe(true);
    expect(consumersOf([consumer({ idle: String(restSeconds + 1) })]).areReading).toBe(false);
    // It has not asked at all: the time is that of 1970.
    expect(consumersOf([consumer(), consumer({ id: "b", idle: "1795000000" })]).areReading).toBe(false);
  });

  test("are not while they hold no partition; one that is left over does not count", () => {
    expect(consumersOf([consumer({ partitions: "0" })]).areReading).toBe(false);
    expect(consumersOf([consumer(), consumer({ id: "b", partitions: "0", idle: "60" })]).areReading).toBe(
      true,
    );
  });

  test("have another mark when a partition has changed hands", () => {
    const { mark } = consumersOf([consumer()]);
    expect(consumersOf([consumer({ idle: "2" })]).mark).toBe(mark);
    for (const other of [{ id: "b" }, { partitions: "2" }, { changes: "2" }])
      expect(consumersOf([consumer(other)]).mark).not.toBe(mark);
  });

  test("count as reading where ClickHouse does not tell", async () => {
    const refused = () => Promise.reject(new Error("ClickHouse: Not enough privileges"));
    expect(await readConsumers(refused, "cdc", "orders")).toEqual(consumersOf([]));
    expect(consumersOf([]).areReading).toBe(true);
  });

  test("are found by the name of the table that reads the topic", () => {
    expect(consumersSql("cdc", "it's")).toContain("database = 'cdc' AND table = 'it\\'s_queue'");
  });

  const differing = { postgres: buckets([0, 6, 9n]), clickhouse: buckets([0, 5, 7n]) };
  const even = { postgres: buckets([0, 6, 9n]), clickhouse: buckets([0, 6, 9n]) };

  /** Compares a table that lacks a row in ClickHouse, second by second. */
  function told(
    at: (second: number) => { rows?: readonly ConsumerRow[]; even?: boolean },
    { readingMs = 0, arrives = true } = {},
  ) {
    let now = 0;
    let asked = 0;
    let rested = false;
    const here = () => at(Math.floor(now / 1000));
    const read = async () => {
      now += readingMs;
      return here().even ? even : differing;
    };
    const looks: Looks = {
      hasArrived: () => arrives && rested,
      consumers: async () => {
        asked += 1;
        return consumersOf(here().rows ?? []);
      },
      read,
      readCloser: read,
      isWaitedFor: async () => false,
      rest: async (ms) => {
        now += ms;
        rested = true;
      },
      clock: () => now,
    };
    return untilTold(looks).then((comparison) => ({ comparison, seconds: now / 1000, asked }));
  }

  test("a row that is missing while they read is missing", async () => {
    const { comparison, seconds } = await told(() => ({ rows: [consumer()] }));
    expect(comparison).toEqual({ result: "different", sourceRows: 6, targetRows: 5, differing: 1 });
    expect(seconds).toBeLessThan(12);
    expect((await told(() => ({}))).comparison.result).toBe("different");
  });

  test("a row that is missing while they stand still is on its way", async () => {
    const standing = await told((second) => ({ rows: [consumer({ idle: String(second + 30) })] }));
    expect(standing.comparison).toEqual({
      result: "unsettled",
      why: "the table's consumer in ClickHouse stands still",
    });
    expect(standing.seconds).toBeLessThan(32);
    expect((await told(() => ({ rows: [consumer({ partitions: "0" })] }))).comparison.result).toBe(
      "unsettled",
    );
  });

  test("the time that a difference must last begins when they read again, or hold other partitions", async () => {
    const resumed = await told((second) => ({ rows: [consumer({ idle: second < 8 ? "30" : "0" })] }));
    expect(resumed.comparison.result).toBe("different");
    expect(resumed.seconds).toBeGreaterThan(17);
    const shared = await told((second) => ({ rows: [consumer({ changes: second < 8 ? "1" : "3" })] }));
    expect(shared.comparison.result).toBe("different");
    expect(shared.seconds).toBeGreaterThan(17);
    const late = await told((second) => ({
      rows: [consumer({ idle: second < 20 ? "30" : "0" })],
      even: second >= 21,
    }));
    expect(late.comparison).toEqual({ result: "equal", sourceRows: 6, targetRows: 6 });
  });

  test.each([2, 9, 10.5, 60])("a row is missing, too, where a reading takes %d s", async (readingSeconds) => {
    const { comparison } = await told(() => ({ rows: [consumer()] }), { readingMs: readingSeconds * 1000 });
    expect(comparison.result).toBe("different");
  });

  test.each([0, 20])(
    "nothing is said while nothing comes through, with readings of %d s",
    async (seconds) => {
      const { comparison } = await told(() => ({}), { readingMs: seconds * 1000, arrives: false });
      expect(comparison).toEqual({
        result: "unsettled",
        why: "rows are still on their way to ClickHouse",
      });
    },
  );

  test("a difference that changes with every reading is given up, however long they take", async () => {
    let reads = 0;
    const comparison = await untilTold({
      hasArrived: () => reads > 0,
      consumers: async () => consumersOf([consumer()]),
      read: async () => {
        reads += 1;
        return { postgres: buckets([0, 6, 9n]), clickhouse: buckets([0, 5, BigInt(reads)]) };
      },
      readCloser: async () => differing,
      isWaitedFor: async () => false,
      rest: async () => {},
      clock: () => reads * 60_000,
    });
    expect(comparison.result).toBe("unsettled");
    expect(reads).toBeLessThan(7);
  });

  test("tables that are equal at the first look are compared without asking for them", async () => {
    expect(await told(() => ({ even: true }))).toMatchObject({ comparison: { result: "equal" }, asked: 0 });
  });
});

const base = (name: string, kind: "base" | "enum" = "base") => ({ schema: "pg_catalog", name, kind });
const column = (name: string, type: string, base_: CatalogColumn["base"]): CatalogColumn => ({
  name,
  position: 1,
  type,
  base: base_,
  notNull: true,
  toastable: false,
  generated: false,
});
const id = column("id", "integer", base("int4"));
const day = column("day", "date", base("date"));
const blob = column("blob", "bytea", base("bytea"));
const pair: TablePair = {
  source: '"s"."t"',
  target: "`t_current`",
  columns: [{ postgres: '("id")::text', clickhouse: "toString(`id`)" }],
  key: [{ postgres: '("id")::text', clickhouse: "toString(`id`)" }],
};

describe("the queries", () => {
  test("ClickHouse's reads one generation, by number, as the view does, and the keys of later versions", () => {
    const sql = settledSql(pair, "whole", { generation: 2, truncated: 5n, loaded: 7n }, versionAt(16n));
    expect(sql).toContain(
      "FROM `t_current` FINAL WHERE _generation = 2 AND _version > toUInt128('5') AND _version >= toUInt128('7') " +
        "AND _version < toUInt128('295147905179352825856')",
    );
    expect(sql).toContain("WHERE _generation = 2 AND _version >= toUInt128('295147905179352825856')");
    expect(sql).toContain(`LIMIT ${maxChangedKeys + 1}`);
  });

  test("Postgres's finds rows by an index where it can read the keys", () => {
    const { sql, values } = keysQuery(pair, "whole", [id, day]);
    expect(sql).toMatch(
      /WHERE \("id", "day"\) IN \(SELECT k\.c0::integer, date '1970-01-01' \+ k\.c1::int FROM unnest\(\$1::text\[\], \$2::text\[\]\) AS k \(c0, c1\)\)/,
    );
    expect(
      values([
        ["1", "19000"],
        ["2", "19001"],
      ]),
    ).toEqual([
      ["1", "2"],
      ["19000", "19001"],
    ]);
  });

  test("and by their texts where it cannot", () => {
    const { sql, values } = keysQuery(pair, "bucket", [id, blob]);
    expect(sql).toMatch(/IN \(SELECT unnest\(\$1::text\[\]\)\) GROUP BY 1$/);
    expect(values([["1", "ff"]])).toEqual([["1\x1fff"]]);
  });

  test("a key with a column that has no common form is no key", () => {
    const table = { columns: [id, day] } as unknown as CatalogTable;
    expect(keyColumns(table, ["id"], pair)).toEqual([id]);
    expect(keyColumns(table, ["id", "day"], pair)).toBeUndefined();
  });
});

describe("turns", () => {
  const tables = [
    { source: "s.a", target: "a" },
    { source: "s.b", target: "b" },
  ] as const;

  test("each table as often as it was asked for, the longest waiting first", () => {
    const turns = new Turns(tables, 60_000, 0);
    expect(turns.next(0)).toEqual({ table: tables[0], inMs: 0 });
    turns.done(tables[0], 0, 3000, 100);
    expect(turns.next(3000)).toEqual({ table: tables[1], inMs: 1000 });
    turns.done(tables[1], 4000, 7000, 0);
    expect(turns.next(7000)).toEqual({ table: tables[0], inMs: 53_000 });
    expect(new Turns([], 60_000, 0).next(0)).toBeUndefined();
  });

  test("the databases rest ten times as long as they have worked", () => {
    const turns = new Turns(tables.slice(0, 1), 60_000, 0);
    turns.done(tables[0], 0, 20_000, 15_000);
    expect(turns.next(20_000)?.inMs).toBe(150_000);
  });
});

test("work of the databases is added up", async () => {
  const busy = new Busy();
  expect(await busy.count(async () => 7)).toBe(7);
  await expect(busy.count(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(busy.ms).toBeGreaterThan(0);
});

test.each([
  ["takes too long counts as failed", new Error("comparison: not finished after 900 s"), 1],
  ["the agent's end breaks off is nobody's fault", new Stopping(), 0],
])("a comparison that %s", async (_, reason, failed) => {
  const metrics = newMetrics();
  const ended = new AbortController();
  const told: unknown[] = [];
  const rounds = new ComparisonRounds({
    tables: [{ source: "s.t", target: "t" }],
    comparisonSeconds: 60,
    metrics,
    compare: async () => {
      ended.abort(reason);
      throw new Error("aborted");
    },
    onResult: (table, error) => told.push([table, error]),
    log: () => {},
  });
  const run = rounds.run(ended.signal);
  await (failed ? expect(run).resolves.toBe(0) : expect(run).rejects.toThrow("aborted"));
  expect(told).toEqual(failed ? [["s.t", reason]] : []);
  const { values } = await metrics.comparisons.get();
  expect(values.find(({ labels }) => labels.result === "failed")?.value).toBe(failed);
});

describe("a table's comparison", () => {
  async function compared(...outcomes: (Comparison | Error)[]) {
    const metrics = newMetrics();
    const lines: string[] = [];
    const errors: unknown[] = [];
    let now = 0;
    const rounds = new ComparisonRounds({
      tables: [{ source: "s.t", target: "t" }],
      comparisonSeconds: 60,
      metrics,
      compare: async () => {
        const next = outcomes.shift();
        if (next instanceof Error || next === undefined) throw next;
        return next;
      },
      onResult: (_, error) => errors.push(error),
      log: (line) => lines.push(line),
      clock: () => now,
    });
    while (outcomes.length > 0) {
      expect(await rounds.run(new AbortController().signal)).toBe(0);
      now += 60_000;
    }
    const text = await metrics.registry.metrics();
    const values = Object.fromEntries(
      [...text.matchAll(/^cdc_table_(\w+)\{table="s\.t"(?:,result="(\w+)")?\} (.*)$/gm)].map(
        ([, name, result, value]) => [result ?? name, Number(value)],
      ),
    );
    return { values, lines, errors };
  }

  const equal: Comparison = { result: "equal", sourceRows: 5, targetRows: 5 };
  const different: Comparison = { result: "different", sourceRows: 6, targetRows: 5, differing: 2 };

  test("shows rows, time and result", async () => {
    const { values } = await compared(equal);
    expect(values).toMatchObject({ source_rows: 5, target_rows: 5, rows_differing: 0, equal: 1, failed: 0 });
    expect(values.compared_timestamp_seconds).toBeCloseTo(Date.now() / 1000, -1);
  });

  test("what could not be told leaves the last result as it was", async () => {
    const { values, errors } = await compared(
      different,
      { result: "unsettled", why: "busy" },
      new Error("Postgres is away"),
    );
    expect(values).toMatchObject({
      rows_differing: 2,
      source_rows: 6,
      different: 1,
      unsettled: 1,
      failed: 1,
      comparisons_without_result: 2,
    });
    expect((await compared(new Error("Postgres is away"), equal)).values.comparisons_without_result).toBe(0);
    expect(errors.map(String)).toEqual(["undefined", "undefined", "Error: Postgres is away"]);
  });

  test("a difference is said once, and its end", async () => {
    const { lines, values } = await compared(different, different, equal, equal);
    expect(lines).toEqual([
      "s.t: at least 2 rows differ in ClickHouse; find them with: npx cdc verify",
      "s.t: the rows are equal again",
    ]);
    expect(values.rows_differing).toBe(0);
  });

  test("is not begun before its turn", async () => {
    const rounds = new ComparisonRounds({
      tables: [],
      comparisonSeconds: 60,
      metrics: newMetrics(),
      compare: () => Promise.reject(new Error("there is nothing to compare")),
      onResult: () => {},
      log: () => {},
    });
    expect(await rounds.run(new AbortController().signal)).toBe(60_000);
  });
});
