import * as pulumi from "@pulumi/pulumi";
import type { AgentSettings, AgentTable } from "../agent/settings";
import type { ServiceName } from "../images";
import { bundled } from "../lib/bundle";
import { readProjectFile } from "../lib/paths";
import { cgroupOf, nodeHealthcheck, type ServiceArgs, ServiceContainer } from "./container";
import type { Credentials } from "./password";

export interface AgentArgs extends ServiceArgs {
  /** Postgres on the network. */
  readonly host: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  readonly database: pulumi.Input<string>;
  /** A role that may read the captured tables and write cdc.heartbeat. */
  readonly postgres: Credentials;
  readonly clickhouse: {
    /** HTTP interface on the network. */
    readonly url: pulumi.Input<string>;
    /** The pipeline's. */
    readonly database: pulumi.Input<string>;
    /** May read the database and ClickHouse's own tables, and set limits for its queries (readonly 2). */
    readonly credentials: Credentials;
  };
  /** Kafka Connect's REST interface on the network. */
  readonly connectUrl: pulumi.Input<string>;
  /** Name of the connector. */
  readonly connector: pulumi.Input<string>;
  /** Name of the replication slot. */
  readonly slot: pulumi.Input<string>;
  readonly tables: pulumi.Input<readonly AgentTable[]>;
  /** Seconds from one comparison of a table to the next, at least. */
  readonly comparisonSeconds: number;
  /** Services whose containers it measures. */
  readonly services: readonly ServiceName[];
}

/** Watches the pipeline from end to end: src/agent on Node. */
export class Agent extends pulumi.ComponentResource {
  constructor(name: string, args: AgentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc:service:Agent", name, {}, opts);
    new ServiceContainer(
      `${name}-container`,
      args,
      {
        service: "cdc-agent",
        // The bundle is small; what the heap may grow to leaves room for buffers within the limit.
        command: ["node", `--max-old-space-size=${Math.floor(args.memoryMb * 0.6)}`, script, settingsFile],
        files: [
          { path: script, content: bundled("src/agent/main.ts", { minify: true }) },
          { path: settingsFile, content: pulumi.jsonStringify(settingsOf(args)) },
          { path: postgresPassword, content: args.postgres.password },
          { path: clickhousePassword, content: args.clickhouse.credentials.password },
        ],
        hostPaths: [
          { host: "/sys/fs/cgroup", path: cgroupRoot, readOnly: true },
          // That of the first process, which is the host's.
          { host: "/proc/1/net/dev", path: hostNetworkFile, readOnly: true },
        ],
        healthcheck: nodeHealthcheck("http://127.0.0.1:9469/healthz"),
        user: "1000:1000",
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}

const folder = "/etc/cdc/agent";
const script = `${folder}/agent.js`;
const settingsFile = `${folder}/settings.json`;
const postgresPassword = `${folder}/postgres-password`;
const clickhousePassword = `${folder}/clickhouse-password`;
const cgroupRoot = "/host/cgroup";
const hostNetworkFile = "/host/net-dev";

function settingsOf(args: AgentArgs): pulumi.Output<AgentSettings> {
  const { host, port, database, postgres, clickhouse } = args;
  return pulumi.output({
    postgres: { host, port, database, user: postgres.user, passwordFile: postgresPassword },
    clickhouse: {
      url: clickhouse.url,
      user: clickhouse.credentials.user,
      passwordFile: clickhousePassword,
      database: clickhouse.database,
    },
    connect: { url: args.connectUrl, connector: args.connector },
    slot: args.slot,
    tables: pulumi
      .output(args.tables)
      .apply((tables) => tables.map(({ source, target }) => ({ source, target }))),
    comparisonSeconds: args.comparisonSeconds,
    containers: args.services.map((service) => ({ service, cgroup: cgroupOf(service) })),
    cgroupRoot,
    hostNetworkFile,
    catalogSql: readProjectFile("sql", "postgres", "catalog.sql"),
  });
}
