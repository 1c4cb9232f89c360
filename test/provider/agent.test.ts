import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type RunningAgent, startAgent } from "../../src/agent/agent";
import { withClickHouse } from "../../src/lib/clickhouse";
import { readProjectFile } from "../../src/lib/paths";
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
import { server } from "../support/servers";
import { startWriting } from "../support/writing";

/** The agent beside a pipeline of real servers: what it says when all is well, and what when not. */
const name = "watched";
const role = { user: "watched_agent", password: "agent-secret" } as const;
const settings: TableSettings[] = [
  { table: "inventory.orders", columns: { order_date: "Date", quantity: "UInt16" } },
  // A key of several types, each of which the agent must be able to name in both databases.
  { table: "inventory.stock" },
  // A key that Postgres cannot find by its text: it reads the table.
  { table: "inventory.blobs" },
];

const tables = `
  CREATE TYPE inventory.shelf AS ENUM ('upper', 'lower');
  CREATE TABLE inventory.stock (
    day date, moment timestamptz, shelf inventory.shelf, code char(6), amount numeric(10, 2), fresh boolean,
    n bigint NOT NULL DEFAULT 0, note text,
    PRIMARY KEY (day, moment, shelf, code, amount, fresh));
  INSERT INTO inventory.stock
    SELECT date '2024-01-01' + i, timestamptz '2024-01-01 00:00:00.000001Z' + i * interval '1 second',
           CASE WHEN i % 2 = 0 THEN 'upper' ELSE 'lower' END::inventory.shelf, 'c' || i % 7, i * 0.5, i % 3 = 0
    FROM generate_series(1, 500) AS i;
  CREATE TABLE inventory.blobs (id bytea PRIMARY KEY, n int NOT NULL);
  INSERT INTO inventory.blobs SELECT decode(md5(i::text), 'hex'), i FROM generate_series(1, 300) AS i;
`;

let pipeline: Pipeline;
let postgres: TestDatabase;
let agent: RunningAgent | undefined;
let folder: string;
const lines: string[] = [];
const source = new TestResource(sourceOperations);
const schema = new TestResource(schemaOperations);
const connector = new TestResource(connectorOperations);

beforeAll(async () => {
  vi.spyOn(console, "log").mockImplementation(() => {});
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "agent-"));
  const [kafka, connect, clickhouse] = await Promise.all([
    server("kafka"),
    server("connect"),
    server("clickhouse"),
    server("postgres"),
  ]);
  postgres = await newDatabase(name);
  pipeline = { name, settings, postgres, kafka, connect, clickhouse };
  await postgres.query(tables);
  await source.up(sourceArgs(postgres, { tables: tablesOf(pipeline), slot: slotOf(pipeline), agent: role }));
  await makeTopics(pipeline);
  await schema.up(schemaArgs(pipeline, source));
  await connector.up(connectorArgs(pipeline));
  agent = await startAgent(agentSettings(), {
    port: 0,
    log: (line) => lines.push(line),
    // The tests wait for one comparison after the other.
    rest: 1,
  });
});

afterAll(() =>
  cleanUp(
    () => agent?.stop(),
    () => connector.destroy(),
    () => schema.destroy(),
    () => source.destroy(),
    () => postgres?.drop(),
    () => fs.rmSync(folder, { recursive: true, force: true }),
    () => vi.restoreAllMocks(),
  ),
);

function agentSettings() {
  const file = (text: string) => {
    const written = path.join(folder, text);
    fs.writeFileSync(written, text);
    return written;
  };
  const { url, user, password, database } = connectionTo(pipeline);
  return {
    postgres: {
      host: postgres.host,
      port: postgres.port,
      database: postgres.name,
      user: role.user,
      passwordFile: file(role.password),
    },
    clickhouse: { url, user, passwordFile: file(password), database },
    connect: { url: `http://${pipeline.connect.host}:${pipeline.connect.port}`, connector: name },
    slot: slotOf(pipeline),
    tables: settings.map(({ table }) => ({ source: table, target: table.split(".")[1] as string })),
    comparisonSeconds: 2,
    containers: [],
    cgroupRoot: path.join(folder, "no-cgroups"),
    hostNetworkFile: "/proc/net/dev",
    catalogSql: readProjectFile("sql", "postgres", "catalog.sql"),
  };
}

/** The samples that the agent shows now, by name and labels as they are written. */
async function samples(): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`http://127.0.0.1:${agent?.port}/metrics`);
  const text = await response.text();
  return new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line): [string, number] => {
        const end = line.lastIndexOf(" ");
        return [line.slice(0, end), Number(line.slice(end + 1))];
      }),
  );
}

async function value(sample: string): Promise<number | undefined> {
  return (await samples()).get(sample);
}

function until(what: string, holds: () => Promise<boolean>, timeoutMs = 150_000): Promise<unknown> {
  return waitFor(holds, { what: `${what}; the agent said: ${lines.join("; ")}`, timeoutMs, everyMs: 500 });
}

const comparisons = (table: string, result: string) =>
  `cdc_table_comparisons_total{table="inventory.${table}",result="${result}"}`;
const differing = (table: string) => `cdc_table_rows_differing{table="inventory.${table}"}`;

/** Waits for a comparison that begins from now on and has this result. */
async function nextComparison(table: string, result: string): Promise<void> {
  const before = (await value(comparisons(table, result))) ?? 0;
  // One that was under way already, and one more.
  await until(`${table} is found ${result}`, async () => {
    const now = (await value(comparisons(table, result))) ?? 0;
    return now >= before + (result === "equal" ? 2 : 1);
  });
}

async function run(sql: string): Promise<void> {
  await withClickHouse(connectionTo(pipeline), {}, (client) => client.run(sql));
}

test("canaries arrive, and each stage has its share", async () => {
  await until("five canaries", async () => ((await value("cdc_canary_arrived_total")) ?? 0) >= 5);
  const now = await samples();
  const latency =
    (now.get("cdc_canary_latency_seconds_sum") ?? 0) / (now.get("cdc_canary_arrived_total") ?? 0);
  expect(latency).toBeGreaterThan(0.01);
  expect(latency).toBeLessThan(5);
  const stage = (one: string) => now.get(`cdc_canary_stage_seconds_sum{stage="${one}"}`) ?? -1;
  for (const one of ["capture", "publish", "consume", "visible"])
    expect(stage(one)).toBeGreaterThanOrEqual(0);
  const together = ["capture", "publish", "consume", "visible"].reduce((sum, one) => sum + stage(one), 0);
  const whole = now.get("cdc_canary_latency_seconds_sum") ?? 0;
  // The stages begin with the commit's own time, which is a little before its acknowledgement.
  expect(together).toBeGreaterThan(whole * 0.8);
  expect(together).toBeLessThan(whole * 1.5);
});

test("connector and slot are seen as they are", async () => {
  const labels = (state: string) => `{connector="${name}",state="${state}"}`;
  await until("the connector", async () => (await value(`cdc_connector_state${labels("RUNNING")}`)) === 1);
  await until("the slot", async () => (await value('cdc_slot_active{slot="watched_slot"}')) === 1);
  const now = await samples();
  expect(now.get(`cdc_connector_tasks${labels("RUNNING")}`)).toBe(1);
  expect(now.get('cdc_slot_present{slot="watched_slot"}')).toBe(1);
  expect(now.get('cdc_slot_lost{slot="watched_slot"}')).toBe(0);
  expect(now.get('cdc_slot_retained_bytes{slot="watched_slot"}')).toBeGreaterThanOrEqual(0);
  expect(now.has('cdc_slot_limit_bytes{slot="watched_slot"}')).toBe(false);
  const failing = [...now].filter(([sample, ok]) => sample.startsWith("cdc_agent_probe") && ok !== 1);
  expect(failing).toEqual([]);
  expect(now.has('cdc_agent_probe_success{probe="containers"}')).toBe(false);
});

test("tables that are equal are found so", async () => {
  for (const table of ["orders", "stock", "blobs"]) await nextComparison(table, "equal");
  expect(await value('cdc_table_source_rows{table="inventory.orders"}')).toBe(5000);
  expect(await value('cdc_table_target_rows{table="inventory.stock"}')).toBe(500);
});

test("tables that change all the time are never found different", async () => {
  const writing = startChanges();
  try {
    for (const table of ["orders", "stock", "blobs"]) await nextComparison(table, "equal");
  } finally {
    await writing.end();
  }
  const now = await samples();
  for (const table of ["orders", "stock", "blobs"]) {
    expect(now.get(comparisons(table, "different"))).toBe(0);
    expect(now.get(comparisons(table, "failed"))).toBe(0);
  }
}, 360_000);

test("rows that differ are found while others change, and so is that they are equal again", async () => {
  // The same version with another value, as only a fault would make it.
  await run(
    "INSERT INTO orders_current SELECT * REPLACE (quantity + 1 AS quantity) FROM orders_current FINAL WHERE id IN (1, 2)",
  );
  const writing = startChanges({ from: 1000 });
  try {
    await nextComparison("orders", "different");
  } finally {
    await writing.end();
  }
  expect(await value(differing("orders"))).toBe(2);
  expect(lines.some((line) => line.startsWith("inventory.orders: at least 2 rows differ"))).toBe(true);
  await postgres.query("UPDATE inventory.orders SET quantity = quantity WHERE id IN (1, 2)");
  await until("orders are equal again", async () => (await value(differing("orders"))) === 0);
}, 360_000);

test("rows that are missing in ClickHouse are counted", async () => {
  await run("ALTER TABLE stock_current DELETE WHERE day <= '2024-01-05' SETTINGS mutations_sync = 1");
  await nextComparison("stock", "different");
  expect(await value(differing("stock"))).toBe(4);
  await postgres.query("UPDATE inventory.stock SET n = n + 1 WHERE day <= '2024-01-05'");
  await until("stock is equal again", async () => (await value(differing("stock"))) === 0);
}, 360_000);

test("a table that only waits for its own consumer is not found different", async () => {
  const before = await value(comparisons("stock", "different"));
  // Without a view that reads on from it, the queue asks Kafka for nothing.
  await run("DETACH TABLE stock_events_mv");
  try {
    await postgres.query("UPDATE inventory.stock SET n = n + 1 WHERE day <= '2024-01-05'");
    await nextComparison("stock", "unsettled");
  } finally {
    await run("ATTACH TABLE stock_events_mv");
  }
  await nextComparison("stock", "equal");
  expect(await value(comparisons("stock", "different"))).toBe(before);
}, 360_000);

test("a truncate, and rows after it", async () => {
  await postgres.query("TRUNCATE inventory.blobs; INSERT INTO inventory.blobs VALUES ('\\x01', 1)");
  await until("one row", async () => (await value('cdc_table_target_rows{table="inventory.blobs"}')) === 1);
  expect(await value(differing("blobs"))).toBe(0);
});

test("an event that cannot be read is counted", async () => {
  const waiting = 'cdc_table_errors_waiting{table="inventory.orders"}';
  expect(await value(waiting)).toBe(0);
  await postgres.query("INSERT INTO inventory.orders VALUES (9002, '1969-12-31', 1, 1, 1)");
  await until("the error", async () => (await value(waiting)) === 1);
});

test("a row that ClickHouse cannot hold differs, and the others are compared all the same", async () => {
  await postgres.query(
    `INSERT INTO inventory.stock (day, moment, shelf, code, amount, fresh)
     VALUES ('infinity', '-infinity', 'upper', 'x', 9999, true)`,
  );
  await nextComparison("stock", "different");
  const now = await samples();
  expect(now.get(differing("stock"))).toBe(1);
  expect(now.get(comparisons("stock", "failed"))).toBe(0);
}, 360_000);

test("while ClickHouse is away the agent lives, and counts the canaries when it is back", async () => {
  const before = await samples();
  await pipeline.clickhouse.container.pause();
  try {
    await until("the canary waits", async () => ((await value("cdc_canary_waiting_seconds")) ?? 0) > 12);
    await until(
      "the probe fails",
      async () => (await value('cdc_agent_probe_success{probe="canary"}')) === 0,
    );
    const health = await fetch(`http://127.0.0.1:${agent?.port}/healthz`);
    expect(health.status).toBe(200);
  } finally {
    await pipeline.clickhouse.container.unpause();
  }
  await until("all have arrived", async () => {
    const now = await samples();
    const count = (what: string) => (now.get(what) ?? 0) - (before.get(what) ?? 0);
    return (
      count("cdc_canary_written_total") > 12 &&
      count("cdc_canary_written_total") - count("cdc_canary_arrived_total") <= 1 &&
      now.get('cdc_agent_probe_success{probe="canary"}') === 1
    );
  });
});

/** Changes rows of all tables, in transactions that run into each other. */
function startChanges({ from = 1 } = {}) {
  return startWriting(postgres, 3, (writer, turn) => {
    const n = (turn * 7919 + writer * 31) % 400;
    const blob = `decode(md5('${1 + (n % 300)}'), 'hex')`;
    return [
      `UPDATE inventory.orders SET quantity = 1 + ${turn % 99} WHERE id = ${from + n * 3}`,
      `UPDATE inventory.stock SET n = n + 1 WHERE amount = ${(1 + n) * 0.5}`,
      turn % 3 === 0
        ? `DELETE FROM inventory.blobs WHERE id = ${blob}`
        : `INSERT INTO inventory.blobs VALUES (${blob}, ${turn}) ON CONFLICT (id) DO UPDATE SET n = excluded.n`,
    ];
  });
}
