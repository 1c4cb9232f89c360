import { withKafkaAdmin } from "../../src/lib/kafka";
import {
  type CatalogTable,
  captureTables,
  connectorSettings,
  generationSetting,
  heartbeatTable,
  heartbeatTopicPrefix,
  signalTable,
  type TableSettings,
  topicOf,
} from "../../src/tables";
import type { TestDatabase } from "./databases";
import type { TestResource } from "./provider";
import { clickhouseAdmin, kafkaInside, type Server } from "./servers";

/** The way of a test's rows from a database of its own in Postgres to one in ClickHouse. */
export interface Pipeline {
  /** Of the connector, of the topics and of the database in ClickHouse; slot and consumer group begin with it. */
  readonly name: string;
  /** Read with every call: a test may change them in between. */
  readonly settings: readonly TableSettings[];
  readonly postgres: TestDatabase;
  readonly kafka: Server;
  readonly connect: Server;
  readonly clickhouse: Server;
}

export function slotOf({ name }: Pick<Pipeline, "name">): string {
  return `${name}_slot`;
}

export function tablesOf({ settings }: Pick<Pipeline, "settings">): string[] {
  return settings.map(({ table }) => table);
}

/** The broker makes no topic by itself. */
export function makeTopics({ name, settings, kafka }: Pipeline): Promise<unknown> {
  const written = [...tablesOf({ settings }), heartbeatTable.source, signalTable];
  const topics = [...written.map((table) => topicOf(name, table)), `${heartbeatTopicPrefix}.${name}`];
  return withKafkaAdmin(`${kafka.host}:${kafka.port}`, 10_000, (admin) =>
    admin.createTopics({
      topics: topics.map((topic) => ({ topic, numPartitions: 3, replicationFactor: 1 })),
    }),
  );
}

/** How to get into ClickHouse's database. */
export function connectionTo({ name, clickhouse }: Pick<Pipeline, "name" | "clickhouse">) {
  return { url: `http://${clickhouse.host}:${clickhouse.port}`, ...clickhouseAdmin, database: name };
}

/** Inputs of a `ClickHouseSchema` for the tables as the source has found them. */
export function schemaArgs(pipeline: Pipeline, source: TestResource, more: Record<string, unknown> = {}) {
  const { catalog } = source.state as unknown as { readonly catalog: CatalogTable[] };
  return {
    ...connectionTo(pipeline),
    tables: captureTables(catalog, pipeline.settings),
    brokers: kafkaInside,
    topicPrefix: pipeline.name,
    consumerGroup: `${pipeline.name}-group`,
    startTimeoutSeconds: 30,
    revision: 1,
    ...more,
  };
}

/** Inputs of a `DebeziumConnector`. */
export function connectorArgs(pipeline: Pipeline, more: Record<string, unknown> = {}) {
  const { name, settings, postgres, connect } = pipeline;
  return {
    url: `http://${connect.host}:${connect.port}`,
    connector: name,
    generationSetting,
    startTimeoutSeconds: 240,
    heartbeat: connectionTo(pipeline),
    settings: connectorSettings({
      name,
      topicPrefix: name,
      database: postgres.name,
      host: "postgres",
      port: 5432,
      tables: tablesOf({ settings }),
      excludedColumns: settings.flatMap(({ table, exclude = [] }) => exclude.map((one) => `${table}.${one}`)),
      publication: "cdc_publication",
      slot: slotOf(pipeline),
      credentialsFile: "/etc/cdc/connect/postgres.properties",
      heapMb: 512,
    }),
    revision: 1,
    ...more,
  };
}
