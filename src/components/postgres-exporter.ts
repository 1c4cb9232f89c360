import * as pulumi from "@pulumi/pulumi";
import { type ServiceArgs, ServiceContainer } from "./container";
import type { Credentials } from "./password";

export interface PostgresExporterArgs extends ServiceArgs {
  /** Port on the host. */
  readonly port: number;
  /** The server on the network, `host:port`. */
  readonly server: string;
  readonly database: string;
  /** A role that is a member of pg_monitor. */
  readonly postgres: Credentials;
}

/** postgres_exporter: metrics of the source database. */
export class PostgresExporter extends pulumi.ComponentResource {
  constructor(name: string, args: PostgresExporterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc:service:PostgresExporter", name, {}, opts);
    new ServiceContainer(
      `${name}-container`,
      args,
      {
        service: "postgres-exporter",
        env: {
          DATA_SOURCE_URI: `${args.server}/${args.database}?sslmode=disable`,
          DATA_SOURCE_USER: args.postgres.user,
          DATA_SOURCE_PASS_FILE: passwordFile,
        },
        files: [{ path: passwordFile, content: args.postgres.password }],
        ports: [{ inside: 9187, published: args.port }],
        healthcheck: { command: ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:9187/"] },
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}

const passwordFile = "/etc/cdc/postgres-exporter/password";
