import * as pulumi from "@pulumi/pulumi";
import { Agent } from "./components/agent";
import { Alertmanager } from "./components/alertmanager";
import { ClickHouse } from "./components/clickhouse";
import { ClickHouseExporter } from "./components/clickhouse-exporter";
import { Connect } from "./components/connect";
import type { ServiceArgs } from "./components/container";
import { Grafana } from "./components/grafana";
import { Kafdrop } from "./components/kafdrop";
import { Kafka } from "./components/kafka";
import { KafkaExporter } from "./components/kafka-exporter";
import { Network } from "./components/network";
import { NodeExporter } from "./components/node-exporter";
import { type Credentials, newPassword } from "./components/password";
import { Portainer } from "./components/portainer";
import { Postgres } from "./components/postgres";
import { PostgresExporter } from "./components/postgres-exporter";
import { Prometheus } from "./components/prometheus";
import type { CdcConfig, PublishedPort } from "./config";
import { addressesOf, advertisedHost, endpointsOf } from "./endpoints";
import type { ServiceName } from "./images";
import { ClickHouseSchema } from "./providers/clickhouse-schema";
import { DebeziumConnector } from "./providers/debezium-connector";
import { isSecret } from "./providers/debezium-connector/secrets";
import { KafkaTopic } from "./providers/kafka-topic";
import { PostgresSource } from "./providers/postgres-source";
import type { ServicePlan } from "./services";
import {
  type CapturedTable,
  captureTables,
  connectorSettings,
  generationSetting,
  qualifiedName,
  type TableSettings,
} from "./tables";
import { topicPlan } from "./topics";

export interface CdcStackArgs {
  readonly config: CdcConfig;
  /** Which services are on, and on which image. */
  readonly plan: ServicePlan;
}

/**
 * The pipeline and its monitoring, in the order in which the data flows:
 *
 *     PostgreSQL → Debezium (Kafka Connect) → Kafka → ClickHouse → Grafana
 *         ↓               ↓                     ↓         ↓
 *      exporter        exporter              exporter  exporter  →  Prometheus → Alertmanager
 *
 * The agent watches the pipeline from end to end.
 *
 * What depends on what is also the order in which `destroy` takes it down, from the end: the connector stops before
 * its tables, topics and replication slot go, and those go while their servers still run.
 */
export class CdcStack extends pulumi.ComponentResource {
  readonly credentials: Readonly<Record<string, Credentials>>;
  readonly tables: pulumi.Output<CapturedTable[]>;

  constructor(name: string, { config, plan }: CdcStackArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc:index:Stack", name, {}, opts);
    const { ports, keepData } = config;
    const { database } = config.postgres;
    const captured = config.tables.map(({ table }) => table);
    const addresses = addressesOf(config);
    const managed = { managed: true, startTimeoutSeconds: config.startTimeoutSeconds };
    const within = (...dependsOn: pulumi.Resource[]) => ({ parent: this, dependsOn });
    const published = (service: PublishedPort) => endpointsOf(config, plan.services)[service] as string;
    const isOn = (service: ServiceName) => plan.services.includes(service);
    const role = (user: string): Credentials => ({
      user,
      password: newPassword(`${user}-password`, { parent: this }),
    });

    const { network } = new Network("network", { name: config.networkName }, within());
    const common = (service: ServiceName): ServiceArgs => ({
      image: plan.image(service),
      network,
      memoryMb: config.memory[service],
      bindAddress: config.bindAddress,
      startTimeoutSeconds: config.startTimeoutSeconds,
    });

    const postgres = new Postgres(
      "postgres",
      { ...common("postgres"), ...config.postgres, port: ports.postgres, keepData },
      within(),
    );
    const app = role("app");
    const debezium = role("debezium");
    const exporter = role("exporter");
    const watchman = isOn("cdc-agent") ? role("agent") : undefined;
    const source = new PostgresSource(
      "source",
      {
        ...addresses.postgres,
        database,
        adminUser: postgres.superuser.user,
        adminPassword: postgres.superuser.password,
        connector: debezium,
        exporter,
        ...(watchman && { agent: watchman }),
        ...(config.postgres.demo && { app: { ...app, schemas: ["inventory"] } }),
        tables: captured,
        orderBy: orderKeys(config),
        publication: config.postgres.publication,
        slot: config.postgres.slot,
        ...managed,
      },
      within(postgres),
    );
    this.tables = source.catalog.apply((catalog) => captureTables(catalog, config.tables));

    const kafka = new Kafka(
      "kafka",
      {
        ...common("kafka"),
        ...config.kafka,
        port: ports.kafka,
        advertisedHost: advertisedHost(config),
        jmxExporter: plan.jmxExporter("kafka"),
        keepData,
      },
      within(),
    );
    const topics = topicPlan(config).map(
      ({ topic, ...settings }) =>
        new KafkaTopic(
          `topic-${topic}`,
          {
            bootstrapServers: addresses.kafka,
            topic,
            replicationFactor: 1,
            ...settings,
            ...managed,
          },
          within(kafka, source),
        ),
    );

    const connect = new Connect(
      "connect",
      {
        ...common("connect"),
        port: ports.connect,
        heapMb: config.connector.heapMb,
        bootstrapServers: kafka.bootstrapServers,
        jmxExporter: plan.jmxExporter("connect"),
        postgres: debezium,
      },
      within(kafka),
    );

    const clickhouse = new ClickHouse(
      "clickhouse",
      {
        ...common("clickhouse"),
        httpPort: ports.clickhouse,
        tcpPort: ports["clickhouse-tcp"],
        database: config.clickhouse.database,
        consumerThreads: consumerThreads(config),
        keepData,
      },
      within(),
    );
    const schema = new ClickHouseSchema(
      "schema",
      {
        url: addresses.clickhouse,
        user: clickhouse.admin.user,
        password: clickhouse.admin.password,
        database: config.clickhouse.database,
        tables: this.tables,
        relations: source.relations,
        brokers: kafka.bootstrapServers,
        topicPrefix: config.connector.topicPrefix,
        consumerGroup: config.clickhouse.consumerGroup,
        consumers: config.clickhouse.consumers,
        ...managed,
      },
      within(clickhouse, ...topics),
    );

    const connector = new DebeziumConnector(
      "connector",
      {
        url: addresses.connect,
        connector: config.connector.name,
        source: source.id,
        generationSetting,
        settings: withSecrets(
          connectorSettings({
            name: config.connector.name,
            topicPrefix: config.connector.topicPrefix,
            database,
            host: postgres.host,
            port: postgres.port,
            tables: captured,
            excludedColumns: excludedColumns(config),
            publication: config.postgres.publication,
            slot: config.postgres.slot,
            credentialsFile: connect.credentialsFile,
            heapMb: config.connector.heapMb,
            overrides: config.connector.settings,
          }),
        ),
        // Rows that come out at the other end: RUNNING alone proves nothing.
        heartbeat: {
          url: addresses.clickhouse,
          user: clickhouse.admin.user,
          password: clickhouse.admin.password,
          database: config.clickhouse.database,
        },
        // By which it learns of rows that an added table has already.
        signals: { ...addresses.postgres, database, ...debezium },
        births: schema.births,
        ...managed,
      },
      within(connect, source, schema, ...topics),
    );

    if (isOn("node-exporter"))
      new NodeExporter(
        "node-exporter",
        { ...common("node-exporter"), port: ports["node-exporter"] },
        within(),
      );
    if (isOn("postgres-exporter"))
      new PostgresExporter(
        "postgres-exporter",
        {
          ...common("postgres-exporter"),
          port: ports["postgres-exporter"],
          server: `${postgres.host}:${postgres.port}`,
          database,
          postgres: exporter,
        },
        within(source),
      );
    if (isOn("kafka-exporter"))
      new KafkaExporter(
        "kafka-exporter",
        {
          ...common("kafka-exporter"),
          port: ports["kafka-exporter"],
          bootstrapServers: kafka.bootstrapServers,
          consumerGroup: config.clickhouse.consumerGroup,
        },
        within(kafka),
      );
    if (isOn("clickhouse-exporter"))
      new ClickHouseExporter(
        "clickhouse-exporter",
        {
          ...common("clickhouse-exporter"),
          port: ports["clickhouse-exporter"],
          url: clickhouse.url,
          clickhouse: clickhouse.exporter,
        },
        within(clickhouse),
      );
    if (watchman)
      new Agent(
        "agent",
        {
          ...common("cdc-agent"),
          host: postgres.host,
          port: postgres.port,
          database,
          postgres: watchman,
          clickhouse: {
            url: clickhouse.url,
            database: config.clickhouse.database,
            credentials: clickhouse.reader,
          },
          connectUrl: connect.url,
          connector: config.connector.name,
          slot: config.postgres.slot,
          tables: this.tables.apply((all) =>
            all.map((table) => ({ source: qualifiedName(table), target: table.target })),
          ),
          services: plan.services,
          comparisonSeconds: config.agent.comparisonSeconds,
        },
        within(connector),
      );
    if (isOn("alertmanager"))
      new Alertmanager(
        "alertmanager",
        {
          ...common("alertmanager"),
          port: ports.alertmanager,
          url: published("alertmanager"),
          receivers: config.alerts,
          keepData,
        },
        within(),
      );
    if (isOn("prometheus"))
      new Prometheus(
        "prometheus",
        {
          ...common("prometheus"),
          ...config.prometheus,
          port: ports.prometheus,
          scraped: plan.scraped,
          url: published("prometheus"),
          runbooks: config.alerts.runbooks,
          keepData,
          // What does not run yet would be reported as down.
          startsAfter: [connector],
        },
        within(),
      );
    const grafana = isOn("grafana")
      ? new Grafana(
          "grafana",
          {
            ...common("grafana"),
            port: ports.grafana,
            services: plan.services,
            scrapeIntervalSeconds: config.prometheus.scrapeIntervalSeconds,
            captured: config.tables,
            clickhouse: clickhouse.reader,
            database: config.clickhouse.database,
            startsAfter: [clickhouse],
          },
          within(),
        )
      : undefined;

    if (isOn("kafdrop"))
      new Kafdrop(
        "kafdrop",
        { ...common("kafdrop"), port: ports.kafdrop, bootstrapServers: kafka.bootstrapServers },
        within(kafka),
      );
    const portainer = isOn("portainer")
      ? new Portainer("portainer", { ...common("portainer"), port: ports.portainer }, within())
      : undefined;

    this.credentials = {
      postgres: config.postgres.demo ? app : postgres.superuser,
      "postgres-admin": postgres.superuser,
      "postgres-exporter": exporter,
      ...(watchman && { "cdc-agent": watchman }),
      connect: debezium,
      clickhouse: clickhouse.admin,
      "clickhouse-readonly": clickhouse.reader,
      "clickhouse-exporter": clickhouse.exporter,
      ...(grafana && { grafana: grafana.admin }),
      ...(portainer && { portainer: portainer.admin }),
    };
    this.registerOutputs();
  }
}

/** Columns that lead the order of a change log, by table: a delete must carry them. */
function orderKeys(config: CdcConfig): Record<string, string[]> {
  const tables: readonly TableSettings[] = config.tables;
  return Object.fromEntries(tables.flatMap(({ table, orderBy }) => (orderBy ? [[table, [...orderBy]]] : [])));
}

/** What its name says is no value for other eyes becomes a secret: the configuration's values come as plain texts. */
function withSecrets(settings: Readonly<Record<string, string>>): Record<string, pulumi.Input<string>> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      isSecret(name, value) ? pulumi.secret(value) : value,
    ]),
  );
}

/** Columns that are not captured, each with its table. */
function excludedColumns(config: CdcConfig): string[] {
  const tables: readonly TableSettings[] = config.tables;
  return tables.flatMap(({ table, exclude = [] }) => exclude.map((column) => `${table}.${column}`));
}

/** One for each consumer of each table and of the heartbeat, and some for what else runs in their pool. */
function consumerThreads({ tables, clickhouse }: CdcConfig): number {
  return Math.max(16, tables.length * clickhouse.consumers + 4);
}
