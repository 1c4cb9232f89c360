// Metrics of ClickHouse in Prometheus's text format, on port 9116. It runs as one bundle on Node 22, in a container of
// its own. What the server counts has the names that ClickHouse's own Prometheus endpoint gives it; what tables hold has
// names that begin with clickhouse_table_ and clickhouse_kafka_.
import * as fs from "node:fs";
import * as http from "node:http";
import { type ClickHouseAddress, fetchRows } from "../lib/clickhouse-fetch";
import { inOneLine } from "../lib/retry";

export interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  /** A number as text: counters may be larger than what a JavaScript number holds. */
  readonly value: string;
}

/** Runs a query and returns its rows; every column is text. */
export type Query = (sql: string) => Promise<readonly Row[]>;

type Row = Readonly<Record<string, string>>;

const serverTables = [
  { prefix: "ClickHouseMetrics_", type: "gauge", table: "metrics", column: "metric" },
  { prefix: "ClickHouseProfileEvents_", type: "counter", table: "events", column: "event" },
  { prefix: "ClickHouseAsyncMetrics_", type: "gauge", table: "asynchronous_metrics", column: "metric" },
] as const;

const userTables = "database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA')";

const partsSql = `
  SELECT database, table, toString(sum(rows)) AS rows, toString(count()) AS parts,
         toString(sum(bytes_on_disk)) AS bytes_on_disk,
         toString(sum(data_compressed_bytes)) AS compressed_bytes,
         toString(sum(data_uncompressed_bytes)) AS uncompressed_bytes
  FROM system.parts WHERE active AND ${userTables} GROUP BY database, table ORDER BY database, table`;

const partsMetrics = [
  { column: "rows", name: "clickhouse_table_rows", help: "Rows in active parts" },
  { column: "parts", name: "clickhouse_table_parts", help: "Active parts" },
  { column: "bytes_on_disk", name: "clickhouse_table_bytes_on_disk", help: "Size on disk of active parts" },
  {
    column: "compressed_bytes",
    name: "clickhouse_table_compressed_bytes",
    help: "Compressed size of the columns' data",
  },
  {
    column: "uncompressed_bytes",
    name: "clickhouse_table_uncompressed_bytes",
    help: "Uncompressed size of the columns' data",
  },
] as const;

const consumersSql = `
  SELECT database, table, toString(count()) AS consumers,
         toString(sum(length(assignments.topic))) AS partitions,
         toString(sum(num_messages_read)) AS messages, toString(sum(num_commits)) AS commits,
         toString(sum(num_rebalance_assignments)) AS rebalances, toString(sum(length(exceptions.text))) AS exceptions,
         toString(toUnixTimestamp(max(last_poll_time))) AS last_poll,
         toString(toUnixTimestamp(max(last_commit_time))) AS last_commit
  FROM system.kafka_consumers GROUP BY database, table ORDER BY database, table`;

const consumersMetrics = [
  {
    column: "consumers",
    type: "gauge",
    name: "clickhouse_kafka_consumers",
    help: "Consumers of a Kafka table",
  },
  {
    column: "partitions",
    type: "gauge",
    name: "clickhouse_kafka_assigned_partitions",
    help: "Partitions that its consumers hold",
  },
  {
    column: "messages",
    type: "counter",
    name: "clickhouse_kafka_messages_read_total",
    help: "Messages read since its consumers were made",
  },
  {
    column: "commits",
    type: "counter",
    name: "clickhouse_kafka_commits_total",
    help: "Commits of positions since its consumers were made",
  },
  {
    column: "rebalances",
    type: "counter",
    name: "clickhouse_kafka_rebalances_total",
    help: "Assignments of partitions since its consumers were made",
  },
  {
    column: "exceptions",
    type: "gauge",
    name: "clickhouse_kafka_recent_exceptions",
    help: "Errors that its consumers remember: the last ten of each",
  },
  {
    column: "last_poll",
    type: "gauge",
    name: "clickhouse_kafka_last_poll_timestamp_seconds",
    help: "When it last asked Kafka for messages",
  },
  {
    column: "last_commit",
    type: "gauge",
    name: "clickhouse_kafka_last_commit_timestamp_seconds",
    help: "When it last committed a position",
  },
] as const;

const offsetsSql = `
  SELECT database, table, topic, toString(id) AS partition, toString(max(position)) AS offset
  FROM system.kafka_consumers
  ARRAY JOIN assignments.topic AS topic, assignments.partition_id AS id, assignments.current_offset AS position
  WHERE position >= 0 GROUP BY database, table, topic, id ORDER BY database, table, topic, id`;

/** All metrics. ClickHouse being away is a metric, too: clickhouse_up is 0 then. */
export async function collect(query: Query): Promise<Metric[]> {
  const started = process.hrtime.bigint();
  const groups = await Promise.allSettled([serverMetrics(query), tableMetrics(query), kafkaMetrics(query)]);
  const failed = groups.filter((group) => group.status === "rejected");
  for (const { reason } of failed) console.error(`clickhouse-exporter: ${inOneLine(reason)}`);
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  return [
    gauge("clickhouse_up", "Whether ClickHouse answered", failed.length < groups.length ? "1" : "0"),
    gauge("clickhouse_scrape_errors", "Groups of queries that were not answered", String(failed.length)),
    gauge("clickhouse_scrape_duration_seconds", "How long the queries took", seconds.toFixed(6)),
    ...groups.flatMap((group) => (group.status === "fulfilled" ? group.value : [])),
  ];
}

async function serverMetrics(query: Query): Promise<Metric[]> {
  const groups = serverTables.map(async ({ prefix, type, table, column }) => {
    const rows = await query(
      `SELECT ${column} AS name, toString(value) AS value, description FROM system.${table} ORDER BY name`,
    );
    return rows.map(
      ({ name = "", value = "", description = "" }): Metric => ({
        name: `${prefix}${name.replace(/[^a-zA-Z0-9_:]/g, "_")}`,
        type,
        help: description,
        samples: [{ value }],
      }),
    );
  });
  return (await Promise.all(groups)).flat();
}

async function tableMetrics(query: Query): Promise<Metric[]> {
  const rows = await query(partsSql);
  return partsMetrics.map(({ column, name, help }) => ({
    name,
    type: "gauge",
    help,
    samples: perTable(rows, column),
  }));
}

async function kafkaMetrics(query: Query): Promise<Metric[]> {
  const [consumers, offsets] = await Promise.all([query(consumersSql), query(offsetsSql)]);
  return [
    ...consumersMetrics.map(({ column, name, type, help }) => ({
      name,
      type,
      help,
      samples: perTable(consumers, column),
    })),
    {
      name: "clickhouse_kafka_current_offset",
      type: "gauge",
      help: "Position of a Kafka table in a partition",
      samples: offsets.map(({ offset = "", ...labels }) => ({ labels, value: offset })),
    },
  ];
}

function perTable(rows: readonly Row[], column: string): Sample[] {
  return rows.map(({ database = "", table = "", [column]: value = "" }) => ({
    labels: { database, table },
    value,
  }));
}

function gauge(name: string, help: string, value: string): Metric {
  return { name, type: "gauge", help, samples: [{ value }] };
}

/** The text format: prometheus.io/docs/instrumenting/exposition_formats. */
export function render(metrics: readonly Metric[]): string {
  const lines = metrics
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ name, type, help, samples }) => [
      `# HELP ${name} ${help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n")}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(({ labels, value }) => `${name}${renderLabels(labels)} ${number(value)}`),
    ]);
  return `${lines.join("\n")}\n`;
}

function renderLabels(labels: Sample["labels"] = {}): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`,
  );
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

/** ClickHouse writes nan and inf, Prometheus NaN and +Inf. */
function number(text: string): string {
  if (/^-?nan$/i.test(text)) return "NaN";
  return text.replace(/^\+?inf$/i, "+Inf").replace(/^-inf$/i, "-Inf");
}

/** Queries ClickHouse over HTTP, four seconds at most: less than a scrape waits. */
export function httpQuery(address: ClickHouseAddress): Query {
  return (sql) => fetchRows<Row>(address, sql, { timeoutMs: 4000 });
}

/** `/metrics`, and a page that says so. */
export function createServer(query: Query): http.Server {
  return http.createServer(async (request, response) => {
    const [pathname] = (request.url ?? "/").split("?");
    if (pathname === "/metrics") {
      const text = render(await collect(query));
      response.setHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8").end(text);
    } else if (pathname === "/") {
      response.setHeader("Content-Type", "text/html; charset=utf-8");
      response.end('<title>ClickHouse exporter</title><a href="/metrics">Metrics of ClickHouse</a>\n');
    } else {
      response.writeHead(404).end("there is /metrics\n");
    }
  });
}

function serve(env: NodeJS.ProcessEnv): void {
  const { CLICKHOUSE_URL: url, CLICKHOUSE_USER: user, CLICKHOUSE_PASSWORD_FILE: file } = env;
  if (!url || !user || !file) {
    throw new Error("set CLICKHOUSE_URL, CLICKHOUSE_USER and CLICKHOUSE_PASSWORD_FILE");
  }
  const server = createServer(httpQuery({ url, user, password: fs.readFileSync(file, "utf8").trim() }));
  server.listen(9116, () => console.log(`clickhouse-exporter: serving the metrics of ${url} on port 9116`));
  // The first process of a container is ended by no signal that it does not handle.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(0));
}

if (process.argv[2] === "serve") serve(process.env);
