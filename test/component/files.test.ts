import * as fs from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { dataSources } from "../../src/components/grafana";
import { clusterId } from "../../src/components/kafka";
import { prometheusConfig } from "../../src/components/prometheus";
import { serviceNames } from "../../src/images";
import { inProject, readProjectFile } from "../../src/lib/paths";

test("Prometheus scrapes every service that has metrics, under its name and port", () => {
  const { global, scrape_configs } = parse(
    prometheusConfig({ scraped: serviceNames, scrapeIntervalSeconds: 7 }),
  );
  expect(global).toEqual({ scrape_interval: "7s", evaluation_interval: "7s" });
  const targets = Object.fromEntries(
    scrape_configs.map((job: { job_name: string; static_configs: { targets: string[] }[] }) => [
      job.job_name,
      job.static_configs.flatMap((one) => one.targets),
    ]),
  );
  expect(targets).toEqual({
    prometheus: ["prometheus:9090"],
    alertmanager: ["alertmanager:9093"],
    "cdc-agent": ["cdc-agent:9469"],
    connect: ["connect:9404"],
    kafka: ["kafka:9404"],
    "node-exporter": ["node-exporter:9100"],
    "postgres-exporter": ["postgres-exporter:9187"],
    "kafka-exporter": ["kafka-exporter:9308"],
    "clickhouse-exporter": ["clickhouse-exporter:9116"],
  });
});

test("jobs and data sources of services that are off are left out", () => {
  const { scrape_configs, alerting } = parse(
    prometheusConfig({ scraped: ["prometheus"], scrapeIntervalSeconds: 5 }),
  );
  expect(scrape_configs).toHaveLength(1);
  expect(alerting).toBeUndefined();
  const { datasources } = parse(dataSources(["clickhouse", "grafana"], 5));
  expect(datasources.map(({ uid }: { uid: string }) => uid)).toEqual(["clickhouse"]);
});

test("Grafana's data sources take the password from a file", () => {
  const { datasources } = parse(dataSources(serviceNames, 7));
  expect(datasources).toMatchObject([
    {
      uid: "prometheus",
      type: "prometheus",
      url: "http://prometheus:9090",
      jsonData: { timeInterval: "7s" },
    },
    {
      uid: "clickhouse",
      type: "grafana-clickhouse-datasource",
      jsonData: { protocol: "http", host: "clickhouse", port: 8123 },
      secureJsonData: { password: "$__file{/etc/cdc/grafana/clickhouse-password}" },
    },
    { uid: "alertmanager", type: "alertmanager", url: "http://alertmanager:9093" },
  ]);
});

test("every panel asks a data source that is provisioned", () => {
  const known = parse(dataSources(serviceNames, 7)).datasources.map(
    ({ type, uid }: { type: string; uid: string }) => `${type}/${uid}`,
  );
  const files = fs.readdirSync(inProject("dashboards")).filter((name) => name.endsWith(".json"));
  expect(files).toContain("cdc-pipeline.json");
  for (const file of files) {
    const { uid, panels } = JSON.parse(readProjectFile("dashboards", file));
    expect(`${uid}.json`).toBe(file);
    for (const { title, targets } of panels)
      for (const { datasource } of targets ?? [])
        expect(known, title).toContain(`${datasource.type}/${datasource.uid}`);
  }
});

test("Kafka's cluster id: 22 characters, the same for the same stack, never with a leading dash", () => {
  const ids = Array.from({ length: 500 }, (_, index) => clusterId(`cdc/${index}`));
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
  expect(new Set(ids).size).toBe(500);
  expect(clusterId("cdc/1")).toBe(ids[1]);
});
