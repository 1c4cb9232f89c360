import * as fs from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import type { ServiceName } from "../images";
import { inProject, readProjectFile } from "../lib/paths";
import type { TableSettings } from "../tables";
import { type ContainerFile, dataVolume, type ServiceArgs, ServiceContainer } from "./container";
import { type Credentials, newPassword } from "./password";

export interface GrafanaArgs extends ServiceArgs {
  /** Port on the host. */
  readonly port: number;
  /** The services that are on: data sources for others are left out. */
  readonly services: readonly ServiceName[];
  readonly scrapeIntervalSeconds: number;
  /** The captured tables: the shop's dashboard is there where the shop is. */
  readonly captured: readonly TableSettings[];
  /** A user of ClickHouse that can do no harm. */
  readonly clickhouse: Credentials;
  /** ClickHouse's database of the captured tables. */
  readonly database: string;
}

/** Grafana, with the data sources and dashboards of the stack. */
export class Grafana extends pulumi.ComponentResource {
  readonly admin: Credentials;

  constructor(name: string, args: GrafanaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc:service:Grafana", name, {}, opts);
    const password = newPassword(`${name}-password`, { parent: this });
    const volume = dataVolume(`${name}-data`, "grafana", { parent: this });
    new ServiceContainer(
      `${name}-container`,
      args,
      {
        service: "grafana",
        env: {
          GF_SECURITY_ADMIN_USER: "admin",
          GF_SECURITY_ADMIN_PASSWORD__FILE: adminPasswordFile,
          GF_PLUGINS_PREINSTALL_SYNC: "grafana-clickhouse-datasource@4.20.0",
          GF_USERS_ALLOW_SIGN_UP: "false",
          GF_ANALYTICS_REPORTING_ENABLED: "false",
          GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
          GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: `${dashboardsPath}/cdc-pipeline.json`,
          // For the file with the data sources.
          CDC_CLICKHOUSE_USER: args.clickhouse.user,
          CDC_CLICKHOUSE_DATABASE: args.database,
        },
        files: [
          { path: adminPasswordFile, content: password },
          { path: clickhousePasswordFile, content: args.clickhouse.password },
          {
            path: `${provisioningPath}/datasources/cdc.yaml`,
            content: dataSources(args.services, args.scrapeIntervalSeconds),
          },
          {
            path: `${provisioningPath}/dashboards/cdc.yaml`,
            content: readProjectFile("dashboards", "provisioning", "dashboards.yaml"),
          },
          ...dashboards(args.captured),
        ],
        volumes: [{ volume, path: "/var/lib/grafana" }],
        ports: [{ inside: 3000, published: args.port }],
        healthcheck: { command: ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:3000/api/health"] },
        stopSeconds: 30,
      },
      { parent: this },
    );
    this.admin = { user: "admin", password };
    this.registerOutputs();
  }
}

const provisioningPath = "/etc/grafana/provisioning";
/** As dashboards/provisioning/dashboards.yaml has it. */
const dashboardsPath = "/etc/cdc/grafana/dashboards";
const adminPasswordFile = "/etc/cdc/grafana/admin-password";
/** As dashboards/provisioning/datasources.yaml has it. */
const clickhousePasswordFile = "/etc/cdc/grafana/clickhouse-password";

/** dashboards/provisioning/datasources.yaml, with the data sources of services that are on. */
export function dataSources(services: readonly ServiceName[], scrapeIntervalSeconds: number): string {
  const document = parseDocument(readProjectFile("dashboards", "provisioning", "datasources.yaml"));
  const sources = document.get("datasources") as YAMLSeq<YAMLMap>;
  // A data source's uid is its service's name.
  sources.items = sources.items.filter((source) => services.includes(source.get("uid") as ServiceName));
  // From it Grafana reckons how wide the windows of rates must be.
  for (const source of sources.items)
    if (source.get("type") === "prometheus")
      source.setIn(["jsonData", "timeInterval"], `${scrapeIntervalSeconds}s`);
  return document.toString();
}

const shop = ["orders", "customers", "products"];

function dashboards(captured: readonly TableSettings[]): ContainerFile[] {
  const hasShop = shop.every((name) =>
    captured.some(({ table, target = name }) => table === `inventory.${name}` && target === name),
  );
  const names = fs
    .readdirSync(inProject("dashboards"))
    .filter((name) => name.endsWith(".json") && (hasShop || name !== "cdc-business.json"));
  return names.sort().map((name) => ({
    path: `${dashboardsPath}/${name}`,
    content: readProjectFile("dashboards", name),
  }));
}
