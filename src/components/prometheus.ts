import * as fs from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { parseDocument, type YAMLSeq } from "yaml";
import type { ServiceName } from "../images";
import { literally } from "../lib/literal";
import { inProject, readProjectFile } from "../lib/paths";
import { type ContainerFile, dataVolume, type ServiceArgs, ServiceContainer } from "./container";

export interface PrometheusArgs extends ServiceArgs {
  /** Port on the host. */
  readonly port: number;
  /** The services that have metrics: jobs of prometheus.yml for others are left out. */
  readonly scraped: readonly ServiceName[];
  /** Its URL as people reach it: links in messages begin with it. */
  readonly url: string;
  /** Where people read docs/runbooks.md; its path in the project if it is not given. */
  readonly runbooks: string | undefined;
  readonly scrapeIntervalSeconds: number;
  readonly retentionDays: number;
  /** Whether the data volume is protected from being deleted. */
  readonly keepData: boolean;
}

/** Prometheus, with all metrics of the stack. */
export class Prometheus extends pulumi.ComponentResource {
  /** Its address on the network. */
  readonly url = "http://prometheus:9090";

  constructor(name: string, args: PrometheusArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc:service:Prometheus", name, {}, opts);
    const volume = dataVolume(`${name}-data`, "prometheus", { parent: this, keepData: args.keepData });
    new ServiceContainer(
      `${name}-container`,
      args,
      {
        service: "prometheus",
        command: [
          `--config.file=${configFile}`,
          "--storage.tsdb.path=/prometheus",
          `--storage.tsdb.retention.time=${args.retentionDays}d`,
          `--web.external-url=${args.url}`,
          // By default the page of any site may read what this server answers to the same browser.
          `--web.cors.origin=${literally(new URL(args.url).origin)}`,
        ],
        files: [{ path: configFile, content: prometheusConfig(args) }, ...ruleFiles(args.runbooks)],
        volumes: [{ volume, path: "/prometheus" }],
        ports: [{ inside: 9090, published: args.port }],
        healthcheck: { command: ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:9090/-/ready"] },
        stopSeconds: 30,
      },
      { parent: this },
    );
    this.registerOutputs({ url: this.url });
  }
}

const configFile = "/etc/prometheus/prometheus.yml";

/** prometheus/prometheus.yml with the configured interval, and with the jobs of services that have metrics. */
export function prometheusConfig({
  scraped,
  scrapeIntervalSeconds,
}: Pick<PrometheusArgs, "scraped" | "scrapeIntervalSeconds">): string {
  const document = parseDocument(readProjectFile("prometheus", "prometheus.yml"));
  document.setIn(["global", "scrape_interval"], `${scrapeIntervalSeconds}s`);
  document.setIn(["global", "evaluation_interval"], `${scrapeIntervalSeconds}s`);
  const jobs = document.get("scrape_configs") as YAMLSeq<{ get(key: string): unknown }>;
  // A job is named after its service.
  jobs.items = jobs.items.filter((job) => scraped.includes(job.get("job_name") as ServiceName));
  if (!scraped.includes("alertmanager")) document.delete("alerting");
  return document.toString();
}

/** As prometheus/prometheus.yml has it. */
const rulesPath = "/etc/prometheus/rules";

function ruleFiles(runbooks = "docs/runbooks.md"): ContainerFile[] {
  const names = fs.readdirSync(inProject("prometheus", "rules")).filter((name) => name.endsWith(".yml"));
  return names.sort().map((name) => ({
    path: `${rulesPath}/${name}`,
    content: readProjectFile("prometheus", "rules", name).replaceAll(
      "runbook_url: docs/runbooks.md#",
      () => `runbook_url: ${runbooks}#`,
    ),
  }));
}
