import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { readProjectFile } from "../lib/paths";
import { filled } from "../lib/template";
import { dataVolume, type ServiceArgs, ServiceContainer } from "./container";
import { type Credentials, newPassword } from "./password";

export interface ClickHouseArgs extends ServiceArgs {
  /** Port of the HTTP interface on the host. */
  readonly httpPort: number;
  /** Port of the native protocol on the host. */
  readonly tcpPort: number;
  /** The database of the captured tables, which the reading user may read. */
  readonly database: string;
  /** Threads for the consumers of the Kafka engine. */
  readonly consumerThreads: number;
  /** Whether the data volume is protected from being deleted. */
  readonly keepData: boolean;
}

/** ClickHouse, the analytics database. */
export class ClickHouse extends pulumi.ComponentResource {
  /** Host name on the network. */
  readonly host = "clickhouse";
  /** Where clients on the network send requests. */
  readonly url = "http://clickhouse:8123";
  /** May do everything. */
  readonly admin: Credentials;
  /** May read the captured tables and ClickHouse's own. */
  readonly reader: Credentials;
  /** May read ClickHouse's own tables, and that there are others. */
  readonly exporter: Credentials;

  constructor(name: string, args: ClickHouseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc:service:ClickHouse", name, {}, opts);
    const user = (label: string, login: string): Credentials => ({
      user: login,
      password: newPassword(`${name}-${label}-password`, { parent: this }),
    });
    this.admin = user("admin", "cdc");
    this.reader = user("reader", "reader");
    this.exporter = user("exporter", "exporter");
    const volume = dataVolume(`${name}-data`, "clickhouse", { parent: this, keepData: args.keepData });
    new ServiceContainer(
      `${name}-container`,
      args,
      {
        service: "clickhouse",
        // Users come from the file below. Otherwise the entrypoint writes one of its own.
        env: { CLICKHOUSE_SKIP_USER_SETUP: "1" },
        files: [
          { path: "/etc/clickhouse-server/config.d/cdc.xml", content: serverSettings(args) },
          {
            path: "/etc/clickhouse-server/users.d/cdc.xml",
            content: usersFile(args, [this.admin, this.reader, this.exporter]),
          },
        ],
        volumes: [{ volume, path: "/var/lib/clickhouse" }],
        ports: [
          { inside: 8123, published: args.httpPort },
          { inside: 9000, published: args.tcpPort },
        ],
        healthcheck: {
          command: ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8123/ping"],
          everySeconds: 5,
        },
        // The entrypoint starts as root, gives the volume to clickhouse and becomes clickhouse.
        capabilities: ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"],
        // It finishes the queries that run.
        stopSeconds: 60,
      },
      { parent: this },
    );
    this.registerOutputs({ host: this.host, url: this.url });
  }
}

function serverSettings({ memoryMb, consumerThreads }: ClickHouseArgs): string {
  return settingsFile("config.xml", {
    // The rest is for what ClickHouse does not count: its code, thread stacks, librdkafka's queues.
    MAX_SERVER_MEMORY: String(Math.floor(memoryMb * 0.85) * 1024 * 1024),
    MARK_CACHE: String(Math.floor(memoryMb / 16) * 1024 * 1024),
    CONSUMER_THREADS: String(consumerThreads),
  });
}

function usersFile(
  { database, memoryMb }: ClickHouseArgs,
  users: readonly [admin: Credentials, reader: Credentials, exporter: Credentials],
): pulumi.Output<string> {
  return pulumi.all(users.map(({ password }) => password)).apply(([admin = "", reader = "", exporter = ""]) =>
    settingsFile("users.xml", {
      DATABASE: database,
      READER_MEMORY: String(Math.floor(memoryMb / 2) * 1024 * 1024),
      ADMIN_SHA256: sha256(admin),
      READER_SHA256: sha256(reader),
      EXPORTER_SHA256: sha256(exporter),
    }),
  );
}

/** One of ClickHouse's files of settings, with what stands in `{{…}}`. */
function settingsFile(name: string, words: Readonly<Record<string, string>>): string {
  const file = ["src", "components", "clickhouse", name];
  return filled(readProjectFile(...file), words, file.join("/"));
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
