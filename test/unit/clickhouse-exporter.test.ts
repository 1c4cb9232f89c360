import type { AddressInfo } from "node:net";
import { expect, test, vi } from "vitest";
import { collect, createServer, type Query, render } from "../../src/exporters/clickhouse";

/** Answers a query by the system table that it reads. */
function server(answers: Readonly<Record<string, Record<string, string>[] | Error>>): Query {
  return async (sql) => {
    const table = /FROM system\.(\w+)/.exec(sql)?.[1] ?? "";
    const answer = answers[sql.includes("ARRAY JOIN") ? "offsets" : table] ?? [];
    if (answer instanceof Error) throw answer;
    return answer;
  };
}

async function lines(query: Query): Promise<string[]> {
  return render(await collect(query))
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}

test("what the server counts has the names of ClickHouse's own endpoint", async () => {
  const text = render(
    await collect(
      server({
        metrics: [{ name: "Query", value: "1", description: "Number of\nexecuting queries" }],
        events: [{ name: "InsertedRows", value: "18446744073709551615", description: "Rows" }],
        asynchronous_metrics: [
          { name: "BlockReadBytes_vda.1", value: "nan", description: "" },
          { name: "Uptime", value: "12.5", description: "Seconds" },
        ],
      }),
    ),
  );
  expect(text).toContain(
    "# HELP ClickHouseMetrics_Query Number of\\nexecuting queries\n# TYPE ClickHouseMetrics_Query gauge\nClickHouseMetrics_Query 1\n",
  );
  expect(text).toContain("# TYPE ClickHouseProfileEvents_InsertedRows counter\n");
  expect(text).toContain("\nClickHouseProfileEvents_InsertedRows 18446744073709551615\n");
  expect(text).toContain("\nClickHouseAsyncMetrics_BlockReadBytes_vda_1 NaN\n");
  expect(text).toContain("\nClickHouseAsyncMetrics_Uptime 12.5\n");
});

test("tables and Kafka tables have labels", async () => {
  const query = server({
    parts: [
      {
        database: "cdc",
        table: 'or"ders',
        rows: "5000",
        parts: "2",
        bytes_on_disk: "4096",
        compressed_bytes: "1024",
        uncompressed_bytes: "20480",
      },
    ],
    kafka_consumers: [
      {
        database: "cdc",
        table: "orders_queue",
        consumers: "1",
        partitions: "6",
        messages: "10",
        last_poll: "1",
      },
    ],
    offsets: [{ database: "cdc", table: "orders_queue", topic: "t", partition: "3", offset: "42" }],
  });
  expect(await lines(query)).toEqual(
    expect.arrayContaining([
      "clickhouse_up 1",
      'clickhouse_table_rows{database="cdc",table="or\\"ders"} 5000',
      'clickhouse_table_compressed_bytes{database="cdc",table="or\\"ders"} 1024',
      'clickhouse_kafka_assigned_partitions{database="cdc",table="orders_queue"} 6',
      'clickhouse_kafka_messages_read_total{database="cdc",table="orders_queue"} 10',
      'clickhouse_kafka_current_offset{database="cdc",table="orders_queue",topic="t",partition="3"} 42',
    ]),
  );
});

test("a query that fails costs its own metrics, and says so", async () => {
  const errors = vi.spyOn(console, "error").mockImplementation(() => {});
  const found = await lines(
    server({
      metrics: [{ name: "Query", value: "1", description: "" }],
      parts: new Error("memory limit exceeded"),
    }),
  );
  expect(found).toContain("clickhouse_up 1");
  expect(found).toContain("clickhouse_scrape_errors 1");
  expect(found).toContain("ClickHouseMetrics_Query 1");
  expect(found.some((line) => line.startsWith("clickhouse_table_"))).toBe(false);
  expect(errors).toHaveBeenCalledWith("clickhouse-exporter: memory limit exceeded");
  errors.mockRestore();
});

test("serves the metrics and a page, and nothing else", async () => {
  const exporter = createServer(server({ metrics: [{ name: "Query", value: "1", description: "" }] }));
  await new Promise<void>((resolve) => exporter.listen(0, "127.0.0.1", resolve));
  try {
    const base = `http://127.0.0.1:${(exporter.address() as AddressInfo).port}`;
    const metrics = await fetch(`${base}/metrics`);
    expect(metrics.headers.get("content-type")).toContain("version=0.0.4");
    expect(await metrics.text()).toContain("\nClickHouseMetrics_Query 1\n");
    expect(await (await fetch(`${base}/`)).text()).toContain('href="/metrics"');
    for (const other of ["/other", "//"]) expect((await fetch(base + other)).status).toBe(404);
  } finally {
    exporter.close();
  }
});
