import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type ClickHouse, withClickHouse } from "../../src/lib/clickhouse";
import { kafka as kafkaClient, withKafkaAdmin } from "../../src/lib/kafka";
import { waitFor } from "../../src/lib/retry";
import { keptBirth } from "../../src/providers/births";
import * as operations from "../../src/providers/clickhouse-schema/operations";
import { type CatalogTable, captureTables, type TableSettings, tableObjectNames } from "../../src/tables";
import { builtIn, column, demoCatalog, table } from "../support/catalog";
import { TestResource } from "../support/provider";
import { clickhouseAdmin, kafkaInside, type Server, server } from "../support/servers";

let kafka: Server;
let clickhouse: Server;
let resource: TestResource;
let database: string;
let count = 0;

const topicPrefix = "schema-test";

beforeAll(async () => {
  kafka = await server("kafka");
  clickhouse = await server("clickhouse");
  await withKafkaAdmin(`${kafka.host}:${kafka.port}`, 10_000, (admin) =>
    admin.createTopics({
      topics: ["inventory.orders", "inventory.customers", "cdc.heartbeat"].map((name) => ({
        topic: `${topicPrefix}.${name}`,
        numPartitions: 2,
        replicationFactor: 1,
      })),
    }),
  );
});

beforeEach(() => {
  database = `schema_${++count}`;
  resource = new TestResource(operations);
  vi.spyOn(console, "log").mockImplementation(() => {});
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await resource.destroy();
});

afterAll(() => as((client) => client.run("DROP DATABASE IF EXISTS mine SYNC")));

const both: TableSettings[] = [{ table: "inventory.orders" }, { table: "inventory.customers" }];

function schemaArgs(
  settings: readonly TableSettings[] = both,
  catalog: readonly CatalogTable[] = demoCatalog,
) {
  return {
    url: `http://${clickhouse.host}:${clickhouse.port}`,
    ...clickhouseAdmin,
    database,
    tables: captureTables(catalog, settings),
    brokers: kafkaInside,
    topicPrefix,
    consumerGroup: `group-${database}`,
    startTimeoutSeconds: 10,
    revision: 1,
  };
}

function as<T>(work: (client: ClickHouse) => Promise<T>): Promise<T> {
  return withClickHouse(
    { url: `http://${clickhouse.host}:${clickhouse.port}`, ...clickhouseAdmin },
    {},
    work,
  );
}

function run(sql: string): Promise<void> {
  return as((client) => client.run(sql));
}

async function names(inDatabase = database): Promise<string[]> {
  const rows = await as((client) =>
    client.rows<{ name: string }>(
      "SELECT name FROM system.tables WHERE database = {d: String} ORDER BY name",
      {
        d: inDatabase,
      },
    ),
  );
  return rows.map(({ name }) => name);
}

async function typesOf(name: string): Promise<Record<string, string>> {
  const rows = await as((client) =>
    client.rows<{ name: string; type: string }>(
      "SELECT name, type FROM system.columns WHERE database = {d: String} AND table = {t: String}",
      { d: database, t: name },
    ),
  );
  return Object.fromEntries(rows.map((row) => [row.name, row.type]));
}

/** A row as the consumer would have written it. */
async function storeOrder(id: number): Promise<void> {
  const values = `${id}, '2024-01-01', 1, 2, 3`;
  await run(
    `INSERT INTO ${database}.orders_current (id, order_date, purchaser, quantity, product_id, _version) VALUES (${values}, 1)`,
  );
  await run(
    `INSERT INTO ${database}.orders_final (id, order_date, purchaser, quantity, product_id, operation, _version) VALUES (${values}, 'c', 1)`,
  );
}

/** An event as Debezium would have written it, each later than those before. */
async function sendOrder(topic: string, id: number, more: Record<string, unknown>): Promise<void> {
  const source = { lsn: id, sequence: `["${id}","${id}"]`, snapshot: "false", ts_us: 0 };
  const after = { id, order_date: 19_000, purchaser: 1, ...more };
  const producer = kafkaClient(`${kafka.host}:${kafka.port}`).producer();
  await producer.connect();
  try {
    const value = JSON.stringify({ op: "c", before: null, after, source });
    await producer.send({ topic, messages: [{ value }] });
  } finally {
    await producer.disconnect();
  }
}

const orders = demoCatalog.find(({ name }) => name === "orders") as CatalogTable;

test("makes everything once, and takes everything with it", async () => {
  expect(await resource.up(schemaArgs())).toBe("created");
  expect(await names()).toEqual(
    [
      ...tableObjectNames("orders"),
      ...tableObjectNames("customers"),
      "heartbeat",
      "heartbeat_mv",
      "heartbeat_queue",
    ].sort(),
  );
  expect(await resource.up(schemaArgs())).toBe("unchanged");
  expect(await resource.refresh()).toEqual([]);
  await resource.destroy();
  expect(
    await as((client) => client.rows(`SELECT 1 FROM system.databases WHERE name = '${database}'`)),
  ).toEqual([]);
});

describe("what somebody else did", () => {
  test.each([
    ["dropped a view", "DROP VIEW {d}.orders", "orders does not exist"],
    ["dropped the errors", "DROP TABLE {d}.orders_errors SYNC", "orders_errors does not exist"],
    [
      "altered a view",
      "ALTER TABLE {d}.orders_errors_mv MODIFY QUERY SELECT _raw AS raw_data, '' AS problem, _partition, _offset FROM {d}.orders_events",
      "orders_errors_mv was altered by somebody else",
    ],
    [
      "dropped a column",
      "ALTER TABLE {d}.customers_final DROP COLUMN city",
      "customers_final has no column city",
    ],
  ])("%s: is told by a refresh and repaired by the next update", async (_, sql, drift) => {
    await resource.up(schemaArgs());
    await storeOrder(1);
    await run(sql.replaceAll("{d}", database));
    expect(await resource.refresh()).toContain(drift);
    expect(await resource.up(schemaArgs())).toBe("updated");
    expect(await resource.refresh()).toEqual([]);
    expect(await as((client) => client.rows(`SELECT id FROM ${database}.orders`))).toEqual([{ id: 1 }]);
  });

  test("tables of the same name are not touched", async () => {
    await run(`CREATE DATABASE ${database}`);
    await run(`CREATE TABLE ${database}.orders_final (x Int8) ENGINE = Memory`);
    await expect(resource.up(schemaArgs())).rejects.toThrow("Memory orders_final was there before");
    expect(await names()).toEqual(["orders_final"]);
    await run(`DROP DATABASE ${database} SYNC`);
  });

  test("things of others in the database survive, and so does a database that was there before", async () => {
    database = "mine";
    await run("CREATE DATABASE mine");
    await run("CREATE TABLE mine.notes (x Int8) ENGINE = Memory");
    await resource.up(schemaArgs());
    await resource.destroy();
    expect(await names("mine")).toEqual(["notes"]);
  });

  test("everything gone is gone", async () => {
    await resource.up(schemaArgs());
    await run(`DROP DATABASE ${database} SYNC`);
    expect(await resource.refresh()).toBe("gone");
  });
});

describe("a change of the tables", () => {
  test("a new column and a wider key keep the rows that are there", async () => {
    await resource.up(schemaArgs());
    await storeOrder(7);
    const wider = table("orders", [
      column("id", "int8"),
      ...orders.columns.slice(1),
      column("note", "text", { notNull: false }),
      column("rank", "int4", { default: "5" }),
      column("motto", "text", { default: "'first\nsecond'::text" }),
    ]);
    expect(await resource.up(schemaArgs([{ table: "inventory.orders" }], [wider]))).toBe("updated");
    expect(await typesOf("orders_current")).toMatchObject({
      id: "Int64",
      note: "Nullable(String)",
      rank: "Int32",
    });
    expect(
      await as((client) => client.rows(`SELECT id, note, rank, motto, quantity FROM ${database}.orders`)),
    ).toEqual([{ id: "7", note: null, rank: 5, motto: "first\nsecond", quantity: 2 }]);
    expect(await names()).not.toContain("customers_final");
    expect(await names()).not.toContain("orders_final__next");
    expect(await resource.refresh()).toEqual([]);
  });

  test("another order of the change log copies it", async () => {
    await resource.up(schemaArgs());
    await storeOrder(7);
    await resource.up(schemaArgs([{ table: "inventory.orders", orderBy: ["order_date", "id"] }]));
    const [row] = await as((client) =>
      client.rows(
        `SELECT sorting_key FROM system.tables WHERE database = '${database}' AND name = 'orders_final'`,
      ),
    );
    expect(row).toEqual({ sorting_key: "order_date, id, _version, _partition, _offset" });
    expect(await as((client) => client.rows(`SELECT id FROM ${database}.orders_final`))).toEqual([{ id: 7 }]);
  });

  test("a column that Postgres dropped stays in the log and goes from the view", async () => {
    await resource.up(schemaArgs());
    const fewer = { ...orders, columns: orders.columns.filter(({ name }) => name !== "quantity") };
    await resource.up(schemaArgs([{ table: "inventory.orders" }], [fewer]));
    expect(await typesOf("orders_final")).toHaveProperty("quantity");
    expect(await typesOf("orders")).not.toHaveProperty("quantity");
    expect(await resource.refresh()).toEqual([]);
  });

  test("a column that Postgres dropped keeps its values when events are read again", async () => {
    const place = { topicPrefix: `kept-${database}` };
    const only = [{ table: "inventory.orders" }];
    const without = orders.columns.filter(({ name }) => name !== "quantity" && name !== "product_id");
    const up = (columns: CatalogTable["columns"]) =>
      resource.up({ ...schemaArgs(only, [{ ...orders, columns }]), ...place });
    const quantities = (table: string) =>
      as((client) =>
        client.rows<{ id: number; quantity: number }>(
          `SELECT id, quantity FROM ${database}.${table} FINAL ORDER BY id`,
        ),
      );
    const arrived = (table: string, rows: number) =>
      waitFor(
        async () =>
          (await as((client) => client.rows(`SELECT 1 FROM ${database}.${table} FINAL`))).length === rows,
        { what: `${rows} rows in ${table}`, timeoutMs: 20_000 },
      );
    const topic = `${place.topicPrefix}.inventory.orders`;
    await withKafkaAdmin(`${kafka.host}:${kafka.port}`, 10_000, (admin) =>
      admin.createTopics({ topics: [{ topic }, { topic: `${place.topicPrefix}.cdc.heartbeat` }] }),
    );

    await up(orders.columns);
    await sendOrder(topic, 1, { quantity: 5, product_id: 7 });
    await arrived("orders_current", 1);
    // Dropped in a step of its own, and then another one together with a column that is added.
    await sendOrder(topic, 2, { product_id: 7 });
    await arrived("orders_errors", 1);
    await up(orders.columns.filter(({ name }) => name !== "quantity"));
    await arrived("orders_current", 2);
    await sendOrder(topic, 3, { note: "early" });
    await arrived("orders_errors", 1);
    await up([...without, column("note", "text", { notNull: false })]);

    const expected = [
      { id: 1, quantity: 5 },
      { id: 2, quantity: 0 },
      { id: 3, quantity: 0 },
    ];
    expect(await quantities("orders_final")).toEqual(expected);
    expect(await quantities("orders_current")).toEqual(expected);
    expect(
      await as((client) =>
        client.rows(`SELECT id, product_id, note FROM ${database}.orders_final FINAL ORDER BY id`),
      ),
    ).toEqual([
      { id: 1, product_id: 7, note: null },
      { id: 2, product_id: 7, note: null },
      { id: 3, product_id: 0, note: "early" },
    ]);
    expect(await as((client) => client.rows(`SELECT problem FROM ${database}.orders_errors`))).toEqual([]);
    expect(await resource.refresh()).toEqual([]);
  }, 120_000);

  test("that brings a column is another birth of the table, one that takes a column is not", async () => {
    const settings = { table: "inventory.orders" };
    const birth = async (exclude: string[], columns = orders.columns) => {
      await resource.up(schemaArgs([{ ...settings, exclude }], [{ ...orders, columns }]));
      return (resource.state.births as Record<string, string>)["inventory.orders"];
    };
    const first = await birth([]);
    expect(await birth(["quantity"])).toBe(first);
    // It has its values of before, and none of what came meanwhile.
    const second = await birth([]);
    expect(second).not.toBe(first);
    const renamed = orders.columns.map((one) => (one.name === "quantity" ? { ...one, name: "pieces" } : one));
    const third = await birth([], renamed);
    expect(third).not.toBe(second);
    // Without a state, as after down --keep-data, the view tells which columns were captured.
    resource.forget();
    expect(await birth(["pieces"], renamed)).toBe(keptBirth);
    resource.forget();
    expect(await birth([], renamed)).not.toBe(keptBirth);
  });

  test("a table that Postgres has made again is empty until its rows are read", async () => {
    const columns = Object.fromEntries(orders.columns.map(({ name, position }) => [name, position]));
    const up = (relation: object | undefined) =>
      resource.up({
        ...schemaArgs([{ table: "inventory.orders" }]),
        ...(relation && { relations: { "inventory.orders": relation } }),
      });
    const birth = () => (resource.state.births as Record<string, string>)["inventory.orders"];
    const ids = () => as((client) => client.rows(`SELECT id FROM ${database}.orders ORDER BY id`));
    // A state from before relations were noted, and then the first that is known.
    await up(undefined);
    await storeOrder(1);
    const first = birth();
    await up({ oid: 7, columns });
    expect(birth()).toBe(first);
    expect(await ids()).toEqual([{ id: 1 }]);
    // Another column under an old name.
    await up({ oid: 7, columns: { ...columns, quantity: 9 } });
    const second = birth();
    expect(second).not.toBe(first);
    expect(await ids()).toEqual([{ id: 1 }]);
    // Another table: what it had is gone, also what is still on its way, and what comes after stays.
    await up({ oid: 8, columns, since: "1000" });
    expect(birth()).not.toBe(second);
    expect(await ids()).toEqual([]);
    const columnsOf = "id, order_date, purchaser, quantity, product_id, _version";
    for (const [id, position] of [
      [2, 999],
      [3, 1000],
    ])
      await run(
        `INSERT INTO ${database}.orders_current (${columnsOf}) SELECT ${id}, '2024-01-01', 1, 2, 3,
         bitShiftLeft(toUInt128(${position}), 64) + 5`,
      );
    expect(await ids()).toEqual([{ id: 3 }]);
    expect(await resource.refresh()).toEqual([]);
  });

  test("what would lose values is refused, with the setting that keeps the type, and changes nothing", async () => {
    const priced = (type: ReturnType<typeof builtIn>) =>
      table("orders", [...orders.columns, column("price", type)]);
    const settings = [{ table: "inventory.orders" }];
    await resource.up(schemaArgs(settings, [priced(builtIn("numeric", { precision: 10, scale: 4 }))]));
    await expect(
      resource.up(schemaArgs(settings, [priced(builtIn("numeric", { precision: 10, scale: 6 }))])),
    ).rejects.toThrow('set columns: {"price": "Decimal(10, 4)"}');
    expect((await typesOf("orders_final")).price).toBe("Decimal(10, 4)");
  });
});

test("an interrupted bring-up is completed by the next", async () => {
  await resource.up(schemaArgs());
  resource.forget();
  await run(`DROP VIEW ${database}.orders_events_mv`);
  expect(await resource.up(schemaArgs())).toBe("created");
  expect(await resource.refresh()).toEqual([]);
});

test("with --keep-data everything stays", async () => {
  await resource.up(schemaArgs());
  vi.stubEnv("CDC_KEEP_DATA", "1");
  await resource.destroy();
  vi.unstubAllEnvs();
  expect(await names()).toContain("orders_final");
  expect(await resource.up(schemaArgs())).toBe("created");
});

test("what is wrong with the inputs is said before anything is done", async () => {
  const attempt = resource.up({ ...schemaArgs(), url: "clickhouse:8123", consumers: 0, tables: [] });
  await expect(attempt).rejects.toThrow("url: is");
  await expect(attempt).rejects.toThrow("consumers: is 0");
  await expect(attempt).rejects.toThrow("tables: is []");
});

test("a server that is gone counts as gone when it is the stack's own", async () => {
  await resource.up({ ...schemaArgs(), managed: true });
  const args = { ...schemaArgs(), managed: true };
  const state = { ...resource.state, url: "http://127.0.0.1:1" };
  await expect(operations.delete("x", state as never)).resolves.toBeUndefined();
  await expect(operations.delete("x", { ...state, managed: false } as never)).rejects.toThrow(
    "pulumi state delete",
  );
  const read = await operations.read("x", state as never);
  expect((read.props as { drift: string[] }).drift[0]).toMatch(/^ClickHouse at http:\/\/127.0.0.1:1/);
  expect((await resource.plan({ ...args, url: "http://127.0.0.1:2" })).replaces).toEqual([]);
}, 60_000);
