import { literally } from "../lib/literal";
import { heartbeatTable, heartbeatTopicPrefix, signalTable } from "./own";
import { unavailablePlaceholder } from "./read";

export interface ConnectorOptions {
  /** Name of the connector. */
  readonly name: string;
  readonly topicPrefix: string;
  readonly database: string;
  /** Postgres as Connect sees it. */
  readonly host: string;
  readonly port: number;
  /** Captured tables, each with its schema. */
  readonly tables: readonly string[];
  /** Columns that Debezium leaves out of its events, each with its schema and table: `inventory.customers.email`. */
  readonly excludedColumns?: readonly string[];
  readonly publication: string;
  readonly slot: string;
  /** Properties file in Connect's container with `user` and `password`. */
  readonly credentialsFile: string;
  /**
   * Number of this life of the connector, which every event carries: higher than that of any connector that wrote to
   * the same topics before, because each begins with a snapshot of its own. 0 by default.
   */
  readonly generation?: number;
  /** Kafka Connect's Java heap in MiB. */
  readonly heapMb: number;
  /** Settings that are laid over ours. */
  readonly overrides?: Readonly<Record<string, string>>;
}

/** Milliseconds between heartbeats: how long an idle pipeline that stands still goes unnoticed. */
const heartbeatMs = 5000;

/** Name of the Kafka header that carries the generation; sql/clickhouse/table.sql reads it. */
const generationHeader = "cdc-generation";

/** The setting that carries the generation. */
export const generationSetting = "transforms.generation.value.literal";

/** The largest event in bytes. Kafka's own limit of 1 MiB stops the connector at the first large row. */
export const maxEventBytes = 16 * 1024 * 1024;

/** The connector's settings by Debezium's names. The type contract (docs/type-contract.md) holds for just these. */
export function connectorSettings(options: ConnectorOptions): Record<string, string> {
  const secret = (key: string) => `\${file:${options.credentialsFile}:${key}}`;
  const { excludedColumns = [] } = options;
  return {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    name: options.name,
    "tasks.max": "1",

    "database.hostname": options.host,
    "database.port": String(options.port),
    "database.dbname": options.database,
    "database.user": secret("user"),
    "database.password": secret("password"),

    // Publication and tables are made by the Postgres source, with the rights of an administrator.
    "plugin.name": "pgoutput",
    "publication.name": options.publication,
    "publication.autocreate.mode": "disabled",
    "slot.name": options.slot,
    "slot.drop.on.stop": "false",
    "table.include.list": [...options.tables, heartbeatTable.source, signalTable].map(exactly).join(","),
    ...(excludedColumns.length > 0 && { "column.exclude.list": excludedColumns.map(exactly).join(",") }),
    "snapshot.mode": "initial",
    "signal.data.collection": signalTable,

    // An idle slot would hold back WAL; and a row that comes out at the other end proves that the pipeline flows.
    "heartbeat.interval.ms": String(heartbeatMs),
    "topic.heartbeat.prefix": heartbeatTopicPrefix,
    "heartbeat.action.query":
      `INSERT INTO ${heartbeatTable.source} (id, beat_at) VALUES (1, clock_timestamp()) ` +
      "ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at",

    "topic.prefix": options.topicPrefix,
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "key.converter.schemas.enable": "false",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "false",
    // A delete is an event; the empty message after it would be of use to compacted topics only.
    "tombstones.on.delete": "false",
    // By default truncates are skipped.
    "skipped.operations": "none",
    "provide.transaction.metadata": "false",

    // What the type contract rests on.
    "decimal.handling.mode": "string",
    "time.precision.mode": "adaptive",
    "interval.handling.mode": "string",
    "hstore.handling.mode": "json",
    "binary.handling.mode": "base64",
    "include.unknown.datatypes": "false",
    "unavailable.value.placeholder": unavailablePlaceholder,

    transforms: "generation",
    "transforms.generation.type": "org.apache.kafka.connect.transforms.InsertHeader",
    "transforms.generation.header": generationHeader,
    [generationSetting]: String(options.generation ?? 0),

    // Stop rather than lose an event, and try again for as long as it takes.
    "errors.tolerance": "none",
    "errors.max.retries": "-1",
    "exactly.once.support": "required",

    // A poll waits its whole interval unless a batch fills: by default up to 500 ms.
    "poll.interval.ms": "20",
    "max.batch.size": "8192",
    "max.queue.size": "32768",
    // Wide rows would fill the heap by their number alone. As much again is under way to Kafka, and a fetch of the
    // snapshot (10,240 rows by default) waits for its place in the queue.
    "max.queue.size.in.bytes": String(Math.floor((options.heapMb * 1024 * 1024) / 6)),
    "snapshot.fetch.size": "2000",
    "producer.override.linger.ms": "5",
    "producer.override.compression.type": "lz4",
    "producer.override.max.request.size": String(maxEventBytes),
    ...options.overrides,
  };
}

/** A name as a regular expression that matches it and nothing else: Debezium anchors each one, and splits at commas. */
export function exactly(qualified: string): string {
  return literally(qualified).replaceAll(",", "\\x2C");
}
