import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type ClickHouse, withClickHouse } from "../../src/lib/clickhouse";
import { waitFor } from "../../src/lib/retry";
import * as schemaOperations from "../../src/providers/clickhouse-schema/operations";
import * as connectorOperations from "../../src/providers/debezium-connector/operations";
import * as sourceOperations from "../../src/providers/postgres-source/operations";
import type { TableSettings } from "../../src/tables";
import { newDatabase, sourceArgs, type TestDatabase } from "../support/databases";
import {
  connectionTo,
  connectorArgs,
  makeTopics,
  type Pipeline,
  schemaArgs,
  slotOf,
  tablesOf,
} from "../support/pipeline";
import { cleanUp, TestResource } from "../support/provider";
import { connectorRole, healthy, server } from "../support/servers";
import { startWriting } from "../support/writing";

/**
 * The whole way on real servers: rows in Postgres, and what is in ClickHouse then. The tests build on each other: one
 * pipeline, started while rows change.
 */
const name = "path";
const settings: TableSettings[] = [
  {
    table: "inventory.orders",
    orderBy: ["order_date", "id"],
    columns: {
      id: "UInt32",
      order_date: "Date",
      purchaser: "UInt32",
      quantity: "UInt16",
      product_id: "UInt32",
    },
  },
  { table: "inventory.kinds" },
  { table: "inventory.churn" },
];

let pipeline: Pipeline;
let postgres: TestDatabase;
const source = new TestResource(sourceOperations);
const schema = new TestResource(schemaOperations);
const connector = new TestResource(connectorOperations);

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  const [kafka, connect, clickhouse] = await Promise.all([
    server("kafka"),
    server("connect"),
    server("clickhouse"),
    server("postgres"),
  ]);
  postgres = await newDatabase(name);
  pipeline = { name, settings, postgres, kafka, connect, clickhouse };
  await postgres.query(tables);
  await source.up(sourceInputs());
  await makeTopics(pipeline);
  await schema.up(schemaInputs());
  const writing = startChurn();
  try {
    await connector.up(connectorInputs());
  } finally {
    await writing.end();
  }
});

afterAll(() =>
  cleanUp(
    () => connector.destroy(),
    () => schema.destroy(),
    () => source.destroy(),
    () => postgres?.drop(),
    () => vi.restoreAllMocks(),
  ),
);

/** Each kind of value once as NULL and once with the edges of its range. */
const kinds: readonly (readonly [type: string, value: string, expected: unknown])[] = [
  ["smallint", "-32768", -32768],
  ["integer", "2147483647", 2147483647],
  ["bigint", "-9223372036854775808", "-9223372036854775808"],
  ["oid", "4294967295", 4294967295],
  ["numeric(12,3)", "-123456789.125", -123456789.125],
  [
    "numeric",
    "12345678901234567890123456789012345678901234567890.10",
    "12345678901234567890123456789012345678901234567890.10",
  ],
  ["numeric", "'Infinity'", "Infinity"],
  ["numeric", "'NaN'", "NaN"],
  ["real", "0.1", 0.1],
  ["double precision", "1e-300", 1e-300],
  ["boolean", "true", true],
  ["bit(1)", "B'1'", true],
  ["bit(12)", "B'000000000101'", "000000000101"],
  ["money", "'12.34'", 12.34],
  ["text", "E'it''s \"x\" \\\\ \\u00e4\\n'", 'it\'s "x" \\ ä\n'],
  ["varchar(20)", "'__debezium'", "__debezium"],
  ["char(5)", "'ab'", "ab   "],
  ["bytea", "'\\x414243'", "ABC"],
  ["uuid", "'6d3c9a1e-3f0b-4a53-9b8d-1c5f5d5e0f11'", "6d3c9a1e-3f0b-4a53-9b8d-1c5f5d5e0f11"],
  ["json", `'{"b": 1,  "a": [null]}'`, '{"b": 1,  "a": [null]}'],
  ["jsonb", `'{"b": 1, "a": [null]}'`, '{"a": [null], "b": 1}'],
  ["date", "'1900-01-01'", "1900-01-01"],
  ["time(0)", "'08:09:10'", "08:09:10.000"],
  ["time", "'24:00'", "24:00:00.000000"],
  ["timetz", "'08:09:10.5+02'", "06:09:10.5Z"],
  ["timestamp", "'2299-12-31 23:59:59.999999'", "2299-12-31 23:59:59.999999"],
  ["timestamp(3)", "'1900-01-01 00:00:00.001'", "1900-01-01 00:00:00.001"],
  ["timestamptz", "'2024-06-01 12:00:00.000001+02'", "2024-06-01 10:00:00.000001"],
  ["timestamptz(0)", "'1900-01-01 00:00:00Z'", "1900-01-01 00:00:00.000"],
  ["interval", "'1 year 2 mons 3 days 04:05:06.7'", "P1Y2M3DT4H5M6.7S"],
  ["inet", "'10.0.0.1/8'", "10.0.0.1/8"],
  ["cidr", "'10.0.0.0/8'", "10.0.0.0/8"],
  ["macaddr", "'08:00:2b:01:02:03'", "08:00:2b:01:02:03"],
  ["point", "'(1.5,-2)'", '{"x":1.5,"y":-2,"wkb":"AQEAAAAAAAAAAAD4PwAAAAAAAADA","srid":null}'],
  ["inventory.mood", "'ok'", "ok"],
  ["inventory.label", "'a'", "a"],
  ["int4range", "'[1,5)'", "[1,5)"],
  ["tsvector", "'a fat cat'", "'a' 'cat' 'fat'"],
  ["integer[]", "'{1,NULL,3}'", [1, null, 3]],
  ["text[]", `'{a,NULL,"b,c"}'`, ["a", null, "b,c"]],
  ["numeric(8,2)[]", "'{1.50,NULL}'", [1.5, null]],
  ["date[]", "'{2024-01-01,NULL}'", ["2024-01-01", null]],
  ["uuid[]", "'{6d3c9a1e-3f0b-4a53-9b8d-1c5f5d5e0f11}'", ["6d3c9a1e-3f0b-4a53-9b8d-1c5f5d5e0f11"]],
  ["timestamptz[]", `'{"2024-01-01 00:00:00.5Z",NULL}'`, ["2024-01-01 00:00:00.500000", null]],
  ["boolean[]", "'{t,f,NULL}'", [true, false, null]],
  ["bytea[]", `'{"\\\\x4142"}'`, ["AB"]],
];

const tables = `
  CREATE TYPE inventory.mood AS ENUM ('sad', 'ok');
  CREATE DOMAIN inventory.label AS text;
  CREATE TABLE inventory.kinds (id bigint PRIMARY KEY, ${kinds.map(([type], index) => `c${index} ${type}`).join(", ")});
  INSERT INTO inventory.kinds (id) VALUES (1);
  INSERT INTO inventory.kinds VALUES (2, ${kinds.map(([, value]) => value).join(", ")});
  CREATE TABLE inventory.churn (id bigint PRIMARY KEY, n bigint NOT NULL, v text, big text);
  INSERT INTO inventory.churn SELECT i, 0, 'start', repeat(md5(i::text), 150) FROM generate_series(1, 5000) AS i;
`;

function sourceInputs() {
  return sourceArgs(postgres, {
    tables: tablesOf(pipeline),
    orderBy: { "inventory.orders": ["order_date", "id"] },
    slot: slotOf(pipeline),
  });
}

const schemaInputs = () => schemaArgs(pipeline, source, { relations: source.state.relations });

function connectorInputs() {
  const { host, port, name: database } = postgres;
  return connectorArgs(pipeline, {
    signals: { host, port, database, ...connectorRole },
    births: schema.state.births,
  });
}

function rows<T>(sql: string): Promise<T[]> {
  return withClickHouse(connectionTo(pipeline), { waitMs: 60_000 }, (client: ClickHouse) =>
    client.rows<T>(sql),
  );
}

/** Waits until the view of a table holds just what Postgres does. */
async function untilSame(table: string, columns: readonly string[]): Promise<number> {
  const list = columns.map((column) => `${column}::text`).join(", ");
  const texts = columns.map((column) => `toString(${column}) AS ${column}`).join(", ");
  let count = 0;
  await waitFor(
    async () => {
      const there = inOrder(await postgres.query(`SELECT ${list} FROM inventory.${table}`));
      const here = inOrder(await rows<Row>(`SELECT ${texts} FROM ${table}`));
      count = there.length;
      expect(here.length).toBe(there.length);
      expect(here).toEqual(there);
      return true;
    },
    { what: `the rows of ${table} in ClickHouse`, timeoutMs: 100_000, everyMs: 300 },
  );
  return count;
}

type Row = Readonly<Record<string, unknown>>;

function inOrder(found: readonly Row[]): readonly Row[] {
  return [...found].sort((a, b) => Number(a.id) - Number(b.id));
}

const churn = ["id", "n", "v", "big"];

/** Transactions that run into each other on few rows; changed keys, deletes and inserts of the same key included. */
function startChurn() {
  return startWriting(postgres, 4, (writer, turn) =>
    Array.from({ length: 5 }, (_, step) => statement(writer, turn * 5 + step)),
  );
}

function statement(writer: number, step: number): string {
  const id = 1 + ((step * 7919 + writer * 31) % (step % 3 === 0 ? 5000 : 60));
  const other = 1 + ((step * 104_729 + writer) % 6000);
  switch (step % 7) {
    case 0:
      return `DELETE FROM inventory.churn WHERE id = ${id}`;
    case 1:
      return `INSERT INTO inventory.churn VALUES (${id}, 0, 'new ${writer}', NULL) ON CONFLICT (id) DO UPDATE SET n = churn.n + 1000`;
    case 2:
      return `UPDATE inventory.churn SET id = ${other} WHERE id = ${id} AND NOT EXISTS (SELECT FROM inventory.churn WHERE id = ${other})`;
    default:
      // The large value is left alone: Postgres does not log it again.
      return `UPDATE inventory.churn SET n = n + 1, v = '${writer}-${step}' WHERE id = ${id}`;
  }
}

test("rows that changed while the snapshot was read are as in Postgres", async () => {
  expect(await untilSame("churn", churn)).toBeGreaterThan(1000);
  const [log] = await rows<{ operations: string[] }>(
    "SELECT arraySort(groupUniqArray(operation)) AS operations FROM churn_final",
  );
  expect(log?.operations).toEqual(["c", "d", "r", "u"]);
  expect(await rows("SELECT problem FROM churn_errors")).toEqual([]);
});

test("the log of the orders is as it was specified", async () => {
  await untilSame("orders", ["id", "order_date", "purchaser", "quantity", "product_id"]);
  const columns = await rows<{ name: string; type: string }>(
    `SELECT name, type FROM system.columns WHERE database = '${name}' AND table = 'orders_final' ORDER BY position LIMIT 7`,
  );
  expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
    "id UInt32",
    "order_date Date",
    "purchaser UInt32",
    "quantity UInt16",
    "product_id UInt32",
    "operation String",
    "_synced_at DateTime",
  ]);
});

test("insert, update and delete come out, and the delete in the log has the row's values", async () => {
  await postgres.query(
    `INSERT INTO inventory.orders VALUES (9001, '2025-01-01', 1, 10, 1);
     UPDATE inventory.orders SET quantity = 11 WHERE id = 9001;
     DELETE FROM inventory.orders WHERE id = 9001`,
  );
  await untilSame("orders", ["id", "order_date", "purchaser", "quantity", "product_id"]);
  const log = () =>
    rows(
      "SELECT operation, toString(order_date) AS day, quantity FROM orders_final FINAL WHERE id = 9001 ORDER BY _version",
    );
  await waitFor(async () => (await log()).length === 3, { what: "three events", timeoutMs: 20_000 });
  expect(await log()).toEqual([
    { operation: "c", day: "2025-01-01", quantity: 10 },
    { operation: "u", day: "2025-01-01", quantity: 11 },
    { operation: "d", day: "2025-01-01", quantity: 11 },
  ]);
});

test("a value of each type arrives, from the snapshot and from the stream alike", async () => {
  const names = kinds.map((_, index) => `c${index}`);
  await postgres.query(
    `INSERT INTO inventory.kinds SELECT 3, ${names.join(", ")} FROM inventory.kinds WHERE id = 2`,
  );
  const found = () => rows<Record<string, unknown>>("SELECT * FROM kinds ORDER BY id");
  await waitFor(async () => (await found()).length === 3, { what: "three rows of kinds", timeoutMs: 20_000 });
  const [empty, snapshot, stream] = await found();
  const expected = Object.fromEntries(kinds.map(([, , value], index) => [`c${index}`, value]));
  expect(snapshot).toEqual({ id: "2", ...expected });
  expect(stream).toEqual({ id: "3", ...expected });
  const nothing = Object.fromEntries(
    kinds.map(([type], index) => [`c${index}`, type.endsWith("[]") ? [] : null]),
  );
  expect(empty).toEqual({ id: "1", ...nothing });
});

test("what does not fit is kept apart with its reason and its place", async () => {
  const column = (type: string) => `c${kinds.findIndex(([kind]) => kind === type)}`;
  const [decimal, day, moment, zoned] = [
    column("numeric(12,3)"),
    column("date"),
    column("timestamp"),
    column("timestamptz"),
  ];
  await postgres.query(
    `INSERT INTO inventory.kinds (id, ${decimal}) VALUES (10, 'NaN');
     INSERT INTO inventory.kinds (id, ${day}) VALUES (11, 'infinity'), (12, '0044-03-15 BC'), (13, '2300-01-01');
     INSERT INTO inventory.kinds (id, ${moment}) VALUES (14, '2300-01-01'), (15, '-infinity');
     INSERT INTO inventory.kinds (id, ${zoned}) VALUES (16, 'infinity'), (17, '1899-12-31Z');
     INSERT INTO inventory.orders VALUES (9002, '1969-12-31', 1, 1, 1)`,
  );
  const problems = () =>
    rows<{ id: string; problem: string }>(
      "SELECT JSONExtractInt(raw_data, 'after', 'id') AS id, problem FROM kinds_errors FINAL ORDER BY id",
    );
  await waitFor(async () => (await problems()).length === 8, { what: "eight errors", timeoutMs: 20_000 });
  expect((await problems()).map(({ id, problem }) => `${id} ${problem}`)).toEqual([
    `10 ${decimal}: does not fit Decimal(12, 3)`,
    `11 ${day}: does not fit Date32`,
    `12 ${day}: does not fit Date32`,
    `13 ${day}: does not fit Date32`,
    `14 ${moment}: does not fit DateTime64(6, 'UTC')`,
    `15 ${moment}: does not fit DateTime64(6, 'UTC')`,
    `16 ${zoned}: does not fit DateTime64(6, 'UTC')`,
    `17 ${zoned}: does not fit DateTime64(6, 'UTC')`,
  ]);
  const [order] = await rows("SELECT problem FROM orders_errors");
  expect(order).toEqual({ problem: "order_date: does not fit Date" });
  expect(await rows("SELECT id FROM orders WHERE id = 9002")).toEqual([]);
  await postgres.query("DELETE FROM inventory.orders WHERE id = 9002");
});

test("a truncate empties the view, and what comes after it in the same transaction stays", async () => {
  await postgres.query(
    `BEGIN; INSERT INTO inventory.churn VALUES (7000, 1, 'before', NULL); TRUNCATE inventory.churn;
     INSERT INTO inventory.churn SELECT i, i, 'after', NULL FROM generate_series(1, 100) AS i; COMMIT`,
  );
  expect(await untilSame("churn", churn)).toBe(100);
});

test("a column that is added is filled in also from events that came before it was known", async () => {
  await postgres.query(
    `ALTER TABLE inventory.churn ADD COLUMN rank int NOT NULL DEFAULT 7, ADD COLUMN note text;
     UPDATE inventory.churn SET rank = 8, note = 'early' WHERE id <= 10`,
  );
  await untilSame("churn", churn);
  // What a refresh reads.
  await source.refresh();
  expect(await schema.up(schemaInputs())).toBe("updated");
  await postgres.query("UPDATE inventory.churn SET note = 'late' WHERE id = 50");
  expect(await untilSame("churn", [...churn, "rank", "note"])).toBe(100);
});

/** Brings Postgres, ClickHouse and Debezium up again, as `up --refresh` does. */
async function upAgain(): Promise<void> {
  await source.refresh();
  await source.up(sourceInputs());
  await schema.up(schemaInputs());
  await connector.up(connectorInputs());
}

test("values that Postgres has without an event are read: of a renamed column, and of a computed default", async () => {
  await postgres.query("ALTER TABLE inventory.churn RENAME COLUMN note TO remark");
  await postgres.query(
    `ALTER TABLE inventory.churn ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid(), ADD COLUMN hue text DEFAULT 'red';
     ALTER TABLE inventory.churn ALTER COLUMN hue DROP DEFAULT`,
  );
  await upAgain();
  expect(await untilSame("churn", [...churn, "rank", "remark", "token", "hue"])).toBe(100);
}, 180_000);

test("values of a column that is captured again are read, also those that changed meanwhile", async () => {
  const exclude = (columns: string[]) => {
    settings[2] = { table: "inventory.churn", exclude: columns };
  };
  exclude(["rank"]);
  await upAgain();
  await postgres.query("UPDATE inventory.churn SET rank = 99 WHERE id > 90");
  await untilSame("churn", churn);
  exclude([]);
  await upAgain();
  expect(await untilSame("churn", [...churn, "rank"])).toBe(100);
}, 180_000);

test("a table that is dropped and made again has its new rows, and none of the old ones", async () => {
  await postgres.query(
    `CREATE TABLE inventory.copy AS SELECT * FROM inventory.churn WHERE id <= 50;
     DROP TABLE inventory.churn;
     CREATE TABLE inventory.churn (LIKE inventory.copy, PRIMARY KEY (id));
     INSERT INTO inventory.churn SELECT * FROM inventory.copy WHERE id <= 40;
     UPDATE inventory.churn SET v = 'rebuilt' WHERE id <= 10;
     DROP TABLE inventory.copy`,
  );
  await upAgain();
  expect(await untilSame("churn", churn)).toBe(40);
  await postgres.query(
    "DELETE FROM inventory.churn WHERE id > 30; UPDATE inventory.churn SET n = 5 WHERE id = 1",
  );
  expect(await untilSame("churn", churn)).toBe(30);
  await upAgain();
  expect(await connector.refresh()).toEqual([]);
}, 180_000);

test("nothing is lost or doubled when Connect and ClickHouse are killed under load", async () => {
  const { connect, clickhouse } = pipeline;
  const writing = startChurn();
  try {
    for (const victim of [connect, clickhouse, connect]) {
      await waitFor(moved(), { what: "rows under way", timeoutMs: 60_000, everyMs: 100 });
      await victim.container.kill({ signal: "SIGKILL" });
      await victim.container.start();
      await healthy(victim.container, victim.name);
    }
  } finally {
    await writing.end();
  }
  await untilSame("churn", churn);
  const [log] = await rows(
    "SELECT count() = uniqExact(_partition, _offset) AS once, (SELECT count() FROM churn_errors) AS errors FROM churn_final FINAL",
  );
  expect(log).toEqual({ once: 1, errors: "0" });
}, 300_000);

/** Whether new events have come out since it was first asked. */
function moved(): () => Promise<boolean> {
  let first: string | undefined;
  return async () => {
    const [row] = await rows<{ n: string }>("SELECT count() AS n FROM churn_final");
    first ??= row?.n;
    return row?.n !== first;
  };
}
