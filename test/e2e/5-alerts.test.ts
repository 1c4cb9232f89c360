import Docker from "dockerode";
import { beforeAll, expect, test } from "vitest";
import { sleep, waitFor } from "../../src/lib/retry";
import { endpointsOf, stackEnv, theCheckout } from "../support/e2e";
import { allPanelQueries, emptyWhenWell, hasData } from "../support/panels";
import { type Monitoring, monitoring } from "../support/prometheus";

const checkout = theCheckout();
const seconds = 1000;
const minutes = 60 * seconds;
const docker = new Docker();
let alerts: Monitoring;
let connector: string;

interface Failure {
  readonly what: string;
  readonly cause: () => Promise<unknown>;
  readonly cure: () => Promise<unknown>;
  /** The one alert that people are told of, by its labels. */
  readonly alert: Readonly<Record<string, string>>;
}

const failures: readonly Failure[] = [
  {
    what: "the connector is stopped",
    cause: () => fetch(`${connector}/stop`, { method: "PUT" }),
    cure: () => fetch(`${connector}/resume`, { method: "PUT" }),
    alert: { alertname: "CdcConnectorNotRunning", severity: "critical", service: "connect" },
  },
  {
    what: "ClickHouse is stopped",
    cause: () => docker.getContainer("clickhouse").stop(),
    cure: () => docker.getContainer("clickhouse").start(),
    alert: { alertname: "CdcClickHouseDown", severity: "critical", service: "clickhouse" },
  },
  {
    what: "Postgres's exporter is stopped",
    cause: () => docker.getContainer("postgres-exporter").stop(),
    cure: () => docker.getContainer("postgres-exporter").start(),
    alert: { alertname: "CdcTargetDown", job: "postgres-exporter" },
  },
];

/** How long it may take until people are told: the alert's own wait, Alertmanager's grouping, and a slow machine. */
const toldWithinMs = 3 * minutes;
/** How long it is watched for others that follow: longer than their waits. */
const watchedMs = 75 * seconds;

beforeAll(async () => {
  connector = `${(await stackEnv(checkout)).CONNECT_URL}/connectors/postgres-connector`;
  const endpoints = await endpointsOf(checkout);
  alerts = monitoring(endpoints.prometheus as string, endpoints.alertmanager as string);
  await quiet();
}, 6 * minutes);

test.each(failures)(
  "$what: the right alert fires, no other, and it ends with its cause",
  {
    timeout: 12 * minutes,
  },
  async ({ cause, cure, alert }) => {
    const told = new Set<string>();
    const look = async () => {
      const now = await alerts.told();
      for (const { alertname = "" } of now) told.add(alertname);
      return now;
    };
    const isTheOne = (labels: Readonly<Record<string, string>>) =>
      Object.entries(alert).every(([name, value]) => labels[name] === value);
    await cause();
    try {
      await waitFor(async () => (await look()).some(isTheOne), {
        what: `alert ${JSON.stringify(alert)}`,
        timeoutMs: toldWithinMs,
        everyMs: 2 * seconds,
      });
      await waitFor(async () => (await emptyPanels()).length === 0, {
        what: "the panels that list alerts",
        timeoutMs: 30 * seconds,
        everyMs: 2 * seconds,
      });
      for (const end = Date.now() + watchedMs; Date.now() < end; await sleep(2 * seconds)) await look();
    } finally {
      await cure();
    }
    expect([...told]).toEqual([alert.alertname]);
    await quiet();
  },
);

/** Of the panels that are empty while all is well, those that still are. */
async function emptyPanels(): Promise<readonly string[]> {
  const queries = allPanelQueries().filter(({ name }) => name in emptyWhenWell);
  expect(queries).toHaveLength(Object.keys(emptyWhenWell).length);
  const empty: string[] = [];
  for (const query of queries)
    if (!(await hasData(query, { prometheus: alerts, clickhouse: async () => [] }))) empty.push(query.name);
  return empty;
}

/** Nobody is told of anything any more. */
async function quiet(): Promise<void> {
  await waitFor(async () => (await alerts.told()).length === 0, {
    what: "an Alertmanager without alerts",
    timeoutMs: 6 * minutes,
    everyMs: 2 * seconds,
  });
}
