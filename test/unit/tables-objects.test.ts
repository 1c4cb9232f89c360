import { expect, test } from "vitest";
import { configSchema } from "../../src/config";
import {
  captureTables,
  clickhouseObjects,
  connectorSettings,
  evolutionOf,
  tableObjectNames,
  topicOf,
  widenedType,
} from "../../src/tables";
import { column, demoCatalog, table } from "../support/catalog";

const defaults = configSchema.parse({});
const place = { brokers: "kafka:9092", consumers: 1 } as const;
const options = {
  ...place,
  database: defaults.clickhouse.database,
  topicPrefix: defaults.connector.topicPrefix,
  consumerGroup: defaults.clickhouse.consumerGroup,
};

test("sql/clickhouse/demo.sql is what the demo tables become", async () => {
  const objects = clickhouseObjects({ ...options, tables: captureTables(demoCatalog, defaults.tables) });
  const sql = [
    "-- What the pipeline makes in ClickHouse for the demo tables with the default configuration: the templates of this",
    "-- folder, filled in. Written by the unit tests (npx vitest run --project unit -u); not read by the code.",
    "",
    `CREATE DATABASE IF NOT EXISTS \`${options.database}\`;`,
    ...objects.map(({ create }) => `\n${create};`),
    "",
  ].join("\n");
  await expect(sql).toMatchFileSnapshot("../../sql/clickhouse/demo.sql");
});

test("the objects of a table have the names that are reserved for them, and consumption begins last", () => {
  const tables = captureTables(demoCatalog, [{ table: "inventory.customers" }]);
  const names = clickhouseObjects({ ...options, tables })
    .filter(({ owner }) => owner === "customers")
    .map(({ name }) => name);
  expect([...names].sort()).toEqual(tableObjectNames("customers").sort());
  expect(names.slice(-2)).toEqual(["customers_queue", "customers_events_mv"]);
});

test("names are quoted, whatever is in them", () => {
  const odd = table("Order `Lines`", [column("id", "int4"), column("it's `this`", "text")]);
  const [captured] = captureTables([odd], [{ table: "inventory.Order `Lines`" }]);
  if (!captured) throw new Error("not captured");
  const objects = clickhouseObjects({ ...options, tables: [captured] });
  const final = objects.find(({ name }) => name === "Order `Lines`_final");
  expect(final?.columns.map(({ name }) => name)).toContain("it's `this`");
  expect(final?.create).toContain("`Order \\`Lines\\`_final`");
});

test("a name or a default that goes over lines is still one column", () => {
  const odd = table("notes", [
    column("id", "int4"),
    column("first\r\nsecond", "text", { default: "'line\nline\u2028line\\'::text" }),
  ]);
  const [captured] = captureTables([odd], [{ table: "inventory.notes" }]);
  if (!captured) throw new Error("not captured");
  const objects = clickhouseObjects({ ...options, tables: [captured] });
  const columns = objects.find(({ name }) => name === "notes_final")?.columns.slice(0, 3);
  expect(columns?.map(({ name, type, default: value }) => [name, type, value])).toEqual([
    ["id", "Int32", undefined],
    ["first\r\nsecond", "String", "'line\\nline\u2028line\\\\'"],
    ["operation", "String", undefined],
  ]);
});

test("what Postgres has dropped is read on where it is stored, is no error where it is missing, and is not shown", () => {
  const [captured] = captureTables(
    [table("notes", [column("id", "int4"), column("title", "text")])],
    [{ table: "inventory.notes" }],
  );
  const [id, title] = captured?.columns ?? [];
  if (!captured || !id || !title) throw new Error("not captured");
  const tables = [{ ...captured, columns: [id] }];
  const kept = { "inventory.notes": [{ ...title, dropped: true as const }] };
  const created = new Map(
    clickhouseObjects({ ...options, tables, kept }).map(({ name, create }) => [name, create]),
  );
  for (const name of ["notes_events", "notes_events_mv", "notes_mv", "notes_current_mv"])
    expect(created.get(name)).toContain("title");
  for (const name of ["notes", "notes_final", "notes_current"])
    expect(created.get(name)).not.toContain("title");
  expect(created.get("notes_events_mv")).toContain("id: no value");
  expect(created.get("notes_events_mv")).not.toContain("title: no value");
});

test("the definition of an object changes with it, and with nothing else", () => {
  const definitions = (settings: Parameters<typeof captureTables>[1], more = {}) =>
    new Map(
      clickhouseObjects({ ...options, ...more, tables: captureTables(demoCatalog, settings) }).map(
        ({ name, definition }) => [name, definition],
      ),
    );
  const before = definitions([{ table: "inventory.orders" }]);
  expect(definitions([{ table: "inventory.orders" }])).toEqual(before);
  const after = definitions([{ table: "inventory.orders" }], { consumers: 2 });
  const changed = [...before].filter(([name, definition]) => after.get(name) !== definition);
  expect(changed.map(([name]) => name)).toEqual(["orders_queue"]);
});

test.each([
  ["Int32", "Int32", "same"],
  ["Int64", "Int32", "same"],
  ["Int32", "Int64", "widen"],
  ["UInt32", "Int32", "refuse"],
  ["UInt32", "Int64", "widen"],
  ["Nullable(Int32)", "Int32", "same"],
  ["Nullable(Int32)", "Int64", "widen"],
  ["Int32", "Nullable(Int32)", "widen"],
  ["Decimal(10, 2)", "Decimal(12, 2)", "widen"],
  ["Decimal(10, 2)", "Decimal(10, 4)", "refuse"],
  ["DateTime64(3, 'UTC')", "DateTime64(6, 'UTC')", "widen"],
  ["DateTime64(6, 'UTC')", "Int64", "refuse"],
  ["Date", "Date32", "widen"],
  ["LowCardinality(String)", "String", "same"],
  ["Int32", "String", "widen"],
  ["String", "Int32", "refuse"],
  ["Array(Nullable(Int32))", "Array(Nullable(Int64))", "widen"],
])("a stored %s that is to be %s: %s", (stored, wanted, evolution) => {
  expect(evolutionOf(stored, wanted)).toBe(evolution);
});

test("NULL stays allowed where the log has had it", () => {
  expect(widenedType("Nullable(Int32)", "Int64")).toBe("Nullable(Int64)");
  expect(widenedType("Int32", "Nullable(Int64)")).toBe("Nullable(Int64)");
});

test("topics are named as Debezium names them", () => {
  expect(topicOf("postgres-server", "inventory.orders")).toBe("postgres-server.inventory.orders");
  expect(topicOf("p", "inventory.Order Lines")).toBe("p.inventory.Order_Lines");
});

test("the connector captures the tables by name and keeps secrets in their file", () => {
  const settings = connectorSettings({
    name: "postgres-connector",
    topicPrefix: "postgres-server",
    database: "inventory",
    host: "postgres",
    port: 5432,
    tables: ["inventory.orders", "inventory.a$b"],
    excludedColumns: ["inventory.orders.note"],
    publication: "cdc_publication",
    slot: "cdc_slot",
    credentialsFile: "/etc/cdc/connect/postgres.properties",
    heapMb: 768,
    overrides: { "max.batch.size": "1" },
  });
  expect(settings["table.include.list"]).toBe(
    "inventory\\.orders,inventory\\.a\\$b,cdc\\.heartbeat,cdc\\.signal",
  );
  expect(settings["column.exclude.list"]).toBe("inventory\\.orders\\.note");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Kafka's own syntax
  expect(settings["database.password"]).toBe("${file:/etc/cdc/connect/postgres.properties:password}");
  expect(settings["max.batch.size"]).toBe("1");
  expect(Number(settings["max.queue.size.in.bytes"])).toBe(128 * 1024 * 1024);
  expect(settings["skipped.operations"]).toBe("none");
});
