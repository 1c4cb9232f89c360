import { describe, expect, test } from "vitest";
import { Pool } from "../../src/cli/generate/pool";
import { seeded } from "../../src/cli/generate/random";
import { nextTransaction, type Shop } from "../../src/cli/generate/transactions";
import { excludedIn } from "../../src/cli/running";
import { causeIn, problemsIn } from "../../src/cli/status/collect";
import type { Status } from "../../src/cli/status/model";
import { render } from "../../src/cli/status/render";
import { notComparedOf } from "../../src/cli/verify/verify";
import { canonical } from "../../src/compare/canonical";
import { differences, digestSql } from "../../src/compare/digest";
import { pairOf, type Query } from "../../src/compare/pair";
import { quotedIdentifier } from "../../src/tables/sql";
import { column, table } from "../support/catalog";

describe("random numbers", () => {
  test("are the same for the same seed", () => {
    const take = (seed: number) => {
      const { next } = seeded(seed);
      return [next(), next(), next()];
    };
    expect(take(7)).toEqual(take(7));
    expect(take(7)).not.toEqual(take(8));
  });

  test("are spread over the whole range, both ends included", () => {
    const { between } = seeded(1);
    const seen = new Set(Array.from({ length: 500 }, () => between(1, 4)));
    expect([...seen].sort()).toEqual([1, 2, 3, 4]);
  });
});

test("what is taken from a pool is nobody else's until it is put back", () => {
  const pool = new Pool([1, 2, 3], seeded(1));
  expect([pool.take(), pool.take(), pool.take()].sort()).toEqual([1, 2, 3]);
  expect([pool.take(), pool.any()]).toEqual([undefined, undefined]);
  pool.put([4]);
  expect([pool.any(), pool.size]).toEqual([4, 1]);
});

describe("the workload", () => {
  const shop = (orders: number, customers: number): Shop => {
    const random = seeded(3);
    const ids = (n: number) => Array.from({ length: n }, (_, index) => index + 1);
    return {
      random,
      orders: new Pool(ids(orders), random),
      customers: new Pool(ids(customers), random),
      products: [1, 2, 3],
      run: "r",
      newCustomers: 0,
    };
  };

  test("inserts, updates and deletes as a shop does: more comes in than goes", () => {
    const busy = shop(5000, 1000);
    const made = Array.from({ length: 2000 }, () => nextTransaction(busy).sql);
    const share = (pattern: RegExp) => made.filter((sql) => pattern.test(sql)).length / made.length;
    expect(share(/INSERT INTO inventory\.orders/)).toBeGreaterThan(0.45);
    expect(share(/INSERT INTO inventory\.customers/)).toBeGreaterThan(0.05);
    expect(share(/UPDATE inventory\.orders/)).toBeGreaterThan(0.2);
    expect(share(/UPDATE inventory\.customers/)).toBeGreaterThan(0.03);
    expect(share(/DELETE FROM inventory\.orders/)).toBeGreaterThan(0.1);
    expect(share(/^BEGIN/)).toBeGreaterThan(0.08);
  });

  test("only orders new things where there is nothing to change yet", () => {
    const empty = shop(0, 0);
    const { sql, rows } = nextTransaction(empty);
    expect(sql).toMatch(/INSERT INTO inventory\.customers[\s\S]*currval/);
    expect(rows).toBeGreaterThan(1);
  });

  test("never has two open transactions on one row", () => {
    const small = shop(3, 3);
    const open = Array.from({ length: 50 }, () => nextTransaction(small));
    const ids = open.flatMap(({ claimed }) => claimed.orders);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("says what is missing where nothing can be ordered", () => {
    expect(() => nextTransaction({ ...shop(0, 0), products: [] })).toThrow(/inventory\.products is empty/);
  });
});

describe("comparing values", () => {
  const base = (name: string) => ({ schema: "pg_catalog", name, kind: "base" }) as const;

  test.each([
    ["int4", "UInt32"],
    ["numeric", "Decimal(10, 2)"],
    ["float8", "Float64"],
    ["timestamptz", "Nullable(DateTime64(6, 'UTC'))"],
    ["date", "Date32"],
    ["time", "Time64(6)"],
    ["text", "LowCardinality(Nullable(String))"],
    ["jsonb", "String"],
  ])("there is a common form of %s and %s", (source, target) => {
    const pair = canonical('a"b', base(source), target);
    expect(pair?.postgres).toContain('"a""b"');
    expect(pair?.clickhouse).toContain('`a"b`');
  });

  test.each([
    ["interval", "String"],
    ["timestamp", "String"],
  ])("there is none of %s and %s, and it is not guessed", (source, target) => {
    expect(canonical("a", base(source), target)).toBeUndefined();
  });

  test("a name of several lines is written as in the table's definition", () => {
    expect(canonical("first\r\nsecond", base("text"), "String")).toEqual({
      postgres: '("first\r\nsecond")::text',
      clickhouse: `toString(${quotedIdentifier("first\r\nsecond")})`,
    });
    expect(quotedIdentifier("first\r\nsecond")).toBe("`first\\r\\nsecond`");
  });

  test("arrays are compared element by element", () => {
    const type = { schema: "pg_catalog", name: "_int4", kind: "array", element: base("int4") } as const;
    expect(canonical("a", type, "Array(Nullable(Int32))")?.postgres).toMatch(/unnest\("a"\)/);
    expect(canonical("a", type, "String")).toBeUndefined();
  });

  test("a table boils down to two numbers by one statement on each side", () => {
    const column = { postgres: '"id"::text', clickhouse: "toString(`id`)" };
    const pair = { source: '"s"."t"', target: "`t`", columns: [column, column], key: [column] };
    expect(digestSql(pair, "postgres")).toMatch(/^SELECT count\(\*\)::text AS rows.* FROM "s"\."t"$/);
    expect(digestSql(pair, "clickhouse")).toMatch(/^SELECT toString\(count\(\)\) AS rows.* FROM `t`$/);
  });

  describe("columns that ClickHouse does not have", () => {
    const orders = table("orders", [
      column("id", "int4"),
      column("span", "interval"),
      column("secret", "text"),
      column("total", "int4", { generated: true }),
      column("note", "text"),
    ]);
    const clickhouse = (async () => [
      { name: "id", type: "UInt32" },
      { name: "span", type: "String" },
    ]) as Query;

    test("are told apart from those that it cannot compare; the others are compared", async () => {
      const { pair, notCompared, missing } = await pairOf(orders, "orders", clickhouse, "cdc");
      expect(pair.columns).toHaveLength(1);
      expect(notCompared).toEqual(["span"]);
      expect(missing).toEqual(["secret", "note"]);
    });

    test("are not compared, and it is said what brings them over; excluded ones are nobody's loss", async () => {
      const excluded = excludedIn({
        resources: [
          {
            urn: "urn:pulumi:dev::cdc::cdc:index:Stack$pulumi-nodejs:dynamic/cdc:ClickHouseSchema::schema",
            type: "pulumi-nodejs:dynamic/cdc:ClickHouseSchema",
            id: "cdc",
            custom: true,
            inputs: { tables: [{ schema: "inventory", name: "orders", excluded: ["secret", "total"] }] },
            outputs: {},
          },
        ],
      });
      const pair = await pairOf(orders, "orders", clickhouse, "cdc");
      expect(notComparedOf(pair, excluded["inventory.orders"] ?? [])).toEqual([
        "span",
        "note (not in ClickHouse; run: npx cdc preview --refresh, then npx cdc up --refresh)",
      ]);
    });

    test("excluded ones are not known of a stack that has none", () => {
      expect(excludedIn({ resources: [] })).toEqual({});
    });
  });

  test("rows that differ are named, each way", () => {
    const row = (key: string, hash: string) => ({ key, hash });
    const found = differences(
      [row("1", "a"), row("2", "b"), row("3", "c")],
      [row("1", "a"), row("2", "x"), row("4", "d"), row("1", "a")],
    );
    expect(found).toEqual([
      { key: "2", what: "different values" },
      { key: "3", what: "only in Postgres" },
      { key: "4", what: "only in ClickHouse" },
      { key: "1", what: "only in ClickHouse" },
    ]);
  });
});

describe("status", () => {
  const well: Status = {
    healthy: true,
    problems: [],
    notes: ["Kafka runs without JMX metrics"],
    services: [
      {
        service: "postgres",
        state: "running",
        health: "healthy",
        restarts: 2,
        url: "postgresql://h",
        image: "i",
      },
    ],
    connector: { name: "c", state: "RUNNING", tasks: [{ id: 0, state: "RUNNING" }] },
    slot: { name: "s", active: true, lagBytes: 2048, walStatus: "reserved" },
    consumers: [{ topic: "t", lag: 12 }],
    tables: [{ source: "inventory.orders", target: "orders", postgresRows: 5000, clickhouseRows: 4990 }],
    toolchain: {
      pulumi: "3.259.0",
      plugins: { docker: "stand-in", random: "official" },
      images: "local",
      missing: ["grafana"],
      state: "file:///s",
    },
  };

  test("shows both sides of each table, what runs where, and what the plugins are", () => {
    const text = render(well).join("\n");
    expect(text).toMatch(/postgres\s+running \(restarted 2×\)\s+healthy\s+postgresql:\/\/h/);
    expect(text).toMatch(/inventory\.orders → orders\s+5,000\s+4,990\s+12/);
    expect(text).toMatch(/plugin docker\s+stand-in/);
    expect(text).toMatch(/left out\s+grafana/);
    expect(text).toMatch(/\nnote: Kafka runs without JMX metrics\nhealthy$/);
  });

  const facts = { pipeline: { slot: "s" } } as never;

  test("finds nothing wrong where all runs", () => {
    expect(problemsIn(facts, well)).toEqual([]);
  });

  test("names each thing that is not as it should be", () => {
    const problems = problemsIn(facts, {
      services: [{ ...well.services[0], health: "unhealthy" } as never],
      connector: { name: "c", state: "RUNNING", tasks: [{ id: 0, state: "FAILED", error: "no slot" }] },
      slot: { name: "s", active: false, lagBytes: 0, walStatus: "lost" },
    });
    expect(problems).toEqual([
      "postgres: running, unhealthy; docker logs postgres says why",
      "connector task 0: FAILED: no slot",
      "replication slot s: nobody reads it",
      "replication slot s: lost, Postgres has removed WAL that it needs",
    ]);
  });

  test("a slot that is gone is a problem while Postgres runs", () => {
    expect(problemsIn(facts, { ...well, slot: undefined })).toEqual(["replication slot s: missing"]);
  });

  test("the innermost cause of a Java trace is what went wrong", () => {
    const trace =
      "org.X: outer\n\tat a.b\nCaused by: org.Y: middle\n\tat c\nCaused by: org.Z: slot is gone\n\t... 3 more";
    expect(causeIn(trace)).toBe("org.Z: slot is gone");
    expect(causeIn("org.X: alone\n\tat a")).toBe("org.X: alone");
  });
});
