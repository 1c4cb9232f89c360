import * as pulumi from "@pulumi/pulumi";
import { bundled } from "../lib/bundle";
import { nodeHealthcheck, type ServiceArgs, ServiceContainer } from "./container";
import type { Credentials } from "./password";

export interface ClickHouseExporterArgs extends ServiceArgs {
  /** Port on the host. */
  readonly port: number;
  /** ClickHouse's HTTP interface on the network. */
  readonly url: string;
  /** A user that may read ClickHouse's own tables. */
  readonly clickhouse: Credentials;
}

/** Metrics of ClickHouse and of its tables: src/exporters/clickhouse.ts on Node. */
export class ClickHouseExporter extends pulumi.ComponentResource {
  constructor(name: string, args: ClickHouseExporterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc:service:ClickHouseExporter", name, {}, opts);
    new ServiceContainer(
      `${name}-container`,
      args,
      {
        service: "clickhouse-exporter",
        command: ["node", script, "serve"],
        env: {
          CLICKHOUSE_URL: args.url,
          CLICKHOUSE_USER: args.clickhouse.user,
          CLICKHOUSE_PASSWORD_FILE: passwordFile,
        },
        files: [
          { path: script, content: bundled("src/exporters/clickhouse.ts", { minify: true }) },
          { path: passwordFile, content: args.clickhouse.password },
        ],
        ports: [{ inside: 9116, published: args.port }],
        healthcheck: nodeHealthcheck("http://127.0.0.1:9116/"),
        user: "1000:1000",
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}

const script = "/etc/cdc/clickhouse-exporter/exporter.js";
const passwordFile = "/etc/cdc/clickhouse-exporter/password";
