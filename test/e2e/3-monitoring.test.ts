import { beforeAll, describe, expect, test } from "vitest";
import { variableQueries } from "../../src/dashboards/queries-of";
import { waitFor } from "../../src/lib/retry";
import { clients, stackEnv } from "../support/clients";
import { endpointsOf, startedAt, theCheckout } from "../support/e2e";
import { allPanelQueries, dashboards, emptyWhenWell, hasData } from "../support/panels";
import { type Monitoring, metricsIn, monitoring } from "../support/prometheus";

const checkout = theCheckout();
const minutes = 60_000;
let prometheus: Monitoring;
let clickhouse: ReturnType<typeof clients>["clickhouse"];

beforeAll(async () => {
  const env = await stackEnv(checkout);
  clickhouse = clients(env).clickhouse;
  const endpoints = await endpointsOf(checkout);
  prometheus = monitoring(endpoints.prometheus as string, endpoints.alertmanager as string);
});

test("every target of Prometheus is up, one for each service that has metrics", async () => {
  await waitFor(
    async () => {
      const down = (await prometheus.targets()).filter(({ health }) => health !== "up");
      if (down.length > 0) throw new Error(JSON.stringify(down));
      return true;
    },
    { what: "all targets", timeoutMs: minutes },
  );
  expect((await prometheus.targets()).map(({ job }) => job).sort()).toEqual([
    ...["alertmanager", "cdc-agent", "clickhouse-exporter", "connect", "kafka", "kafka-exporter"],
    ...["node-exporter", "postgres-exporter", "prometheus"],
  ]);
});

test("every rule is evaluated without error, and no alert fires", { timeout: 5 * minutes }, async () => {
  const rules = await prometheus.rules();
  expect(rules.filter(({ type }) => type === "alerting").length).toBeGreaterThan(30);
  expect(rules.filter(({ health }) => health !== "ok")).toEqual([]);
  // What the tests before this have done may still be seen in some of them.
  await waitFor(async () => (await prometheus.instant('ALERTS{alertstate="firing"}')).length === 0, {
    what: "a quiet Prometheus",
    timeoutMs: 4 * minutes,
  });
  expect(await prometheus.told()).toEqual([]);
});

test("every metric that an alert looks at is there", async () => {
  const rules = await prometheus.rules();
  const names = new Set(rules.flatMap(({ type, query }) => (type === "alerting" ? metricsIn(query) : [])));
  expect(names.size).toBeGreaterThan(25);
  const missing: string[] = [];
  for (const name of names) if ((await prometheus.instant(`count(${name})`)).length === 0) missing.push(name);
  expect(missing).toEqual([]);
});

test("nobody was told that a service is down while the stack came up", async () => {
  // Before that, a stack that was kept has the alerts that an earlier run's chapters have caused.
  const seconds = Math.ceil((Date.now() - startedAt) / 1000);
  const told = `max_over_time(ALERTS{alertstate="firing", alertname="CdcTargetDown"}[${seconds}s])`;
  expect(await prometheus.instant(told)).toEqual([]);
});

test("the pipeline calls itself healthy, with a latency below the promised 2 s", async () => {
  await waitFor(async () => (await prometheus.instant("cdc:healthy:bool"))[0]?.values[0]?.[1] === "1", {
    what: "cdc:healthy:bool to be 1",
    timeoutMs: 2 * minutes,
  });
  const p50 = Number((await prometheus.instant("cdc:latency_seconds:p50"))[0]?.values[0]?.[1]);
  const p99 = Number((await prometheus.instant("cdc:latency_seconds:p99"))[0]?.values[0]?.[1]);
  console.log(`canaries, seconds: p50 ${p50}, p99 ${p99}`);
  expect(p50).toBeGreaterThan(0);
  expect(p50).toBeLessThan(2);
});

test("the agent's comparison finds both sides equal", async () => {
  await waitFor(
    async () => {
      const equal = await prometheus.instant('cdc_table_comparisons_total{result="equal"} > 0');
      expect(equal).toHaveLength(3);
      return true;
    },
    { what: "a comparison of each table", timeoutMs: 2 * minutes },
  );
  const differing = await prometheus.instant("cdc_table_rows_differing");
  expect(differing.map(({ metric, values }) => [metric.table, values[0]?.[1]]).sort()).toEqual([
    ["inventory.customers", "0"],
    ["inventory.orders", "0"],
    ["inventory.products", "0"],
  ]);
});

describe("under load", () => {
  test("every query of every panel returns data", { timeout: 5 * minutes }, async () => {
    // Long enough for rates over a minute.
    await checkout.cdc(["generate", "--rate", "200", "--seconds", "75", "--seed", "2"]);
    const queries = allPanelQueries();
    const empty: string[] = [];
    for (const query of queries)
      if (!(await hasData(query, { prometheus, clickhouse }))) empty.push(query.name);
    console.log(`${queries.length} queries of ${dashboards.length} dashboards`);
    expect(empty.filter((name) => !(name in emptyWhenWell))).toEqual([]);
  });

  test("every variable of every dashboard has values", async () => {
    for (const dashboard of dashboards)
      for (const { variable, datasource, query } of variableQueries(dashboard)) {
        const labels = /^label_values\((.+),\s*(\w+)\)$/.exec(query);
        const found =
          datasource === "prometheus"
            ? (await prometheus.instant(`count by (${labels?.[2]}) (${labels?.[1]})`)).length
            : (await clickhouse(query)).length;
        expect(found, `${dashboard.title}: ${variable}`).toBeGreaterThan(0);
      }
  });
});

test("cdc status --watch shows the dashboard's first row", async () => {
  const controller = new AbortController();
  const seen: string[] = [];
  const watching = checkout
    .cdc(["status", "--watch", "--every", "1"], {
      signal: controller.signal,
      onLine: (line) => seen.push(line),
    })
    .catch(() => undefined);
  try {
    await waitFor(() => Promise.resolve(seen.length >= 2), { what: "two looks", timeoutMs: 30_000 });
  } finally {
    controller.abort();
    await watching;
  }
  expect(seen[0]).toMatch(/Healthy: yes; Latency p99: [\d,.]+ m?s; .*Alerts: none/);
});
