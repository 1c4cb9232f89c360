import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import Docker from "dockerode";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sleep, waitFor } from "../../src/lib/retry";
import { stackEnv } from "../support/clients";
import { endpointsOf, pulumi, succeeds, theCheckout } from "../support/e2e";
import { allPanelQueries, emptyWhenWell, hasData } from "../support/panels";
import { type Monitoring, monitoring } from "../support/prometheus";

const checkout = theCheckout();
const seconds = 1000;
const minutes = 60 * seconds;
const docker = new Docker();
let alerts: Monitoring;
let connector: string;

type Labels = Readonly<Record<string, string>>;

interface Failure {
  readonly what: string;
  readonly cause: () => Promise<unknown>;
  readonly cure: () => Promise<unknown>;
  /** The one alert that people are told of, by its labels. */
  readonly alert: Labels;
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

interface Message {
  readonly alerts: readonly {
    readonly status: "firing" | "resolved";
    readonly labels: Labels;
    readonly startsAt: string;
  }[];
}

/** What Alertmanager has sent to the webhook that these tests configure. */
const messages: Message[] = [];
const webhook = http.createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  messages.push(JSON.parse(Buffer.concat(chunks).toString("utf8")));
  response.end();
});
const settingsFile = path.join(checkout.folder, "Pulumi.dev.yaml");
const settings = fs.readFileSync(settingsFile, "utf8");

beforeAll(async () => {
  const gateway = await gatewayOf("cdc-network");
  await new Promise<void>((resolve) => webhook.listen(0, gateway, resolve));
  const { port } = webhook.address() as AddressInfo;
  // As a secret, as the configuration's description says.
  const token = `token-${port}-of-the-webhook`;
  const url = `http://${gateway}:${port}/${token}`;
  const set = ["config", "set", "--secret", "--path", "cdc:alerts.webhook", url];
  await succeeds(pulumi(checkout, await stackEnv(checkout), set));
  expect(fs.readFileSync(settingsFile, "utf8")).not.toContain(token);
  await succeeds(checkout.cdc(["up"]));
  expect(filesWith(token, path.join(checkout.folder, ".cdc"))).toEqual([]);
  expect(JSON.stringify(await docker.getContainer("alertmanager").inspect())).not.toContain(token);
  connector = `${(await stackEnv(checkout)).CONNECT_URL}/connectors/postgres-connector`;
  const endpoints = await endpointsOf(checkout);
  alerts = monitoring(endpoints.prometheus as string, endpoints.alertmanager as string);
  await quiet();
}, 10 * minutes);

afterAll(() => {
  webhook.close();
  fs.writeFileSync(settingsFile, settings);
});

test.each(failures)(
  "$what: people are told of that and of nothing else, and that it is over",
  {
    timeout: 15 * minutes,
  },
  async ({ cause, cure, alert }) => {
    const shown = new Set<string>();
    const look = async () => {
      const now = await alerts.told();
      for (const { alertname = "" } of now) shown.add(alertname);
      return now;
    };
    const isTheOne = (labels: Labels) =>
      Object.entries(alert).every(([name, value]) => labels[name] === value);

    const caused = Date.now();
    await cause();
    try {
      await waitFor(async () => (await look()).some(isTheOne), {
        what: `alert ${JSON.stringify(alert)}`,
        timeoutMs: toldWithinMs,
        everyMs: 2 * seconds,
      });
      console.log(
        `${alert.alertname}: in Alertmanager after ${Math.round((Date.now() - caused) / seconds)} s`,
      );
      await waitFor(async () => (await emptyPanels()).length === 0, {
        what: "the panels that list alerts",
        timeoutMs: 30 * seconds,
        everyMs: 2 * seconds,
      });
      for (const end = Date.now() + watchedMs; Date.now() < end; await sleep(2 * seconds)) await look();
    } finally {
      await cure();
    }
    expect([...shown]).toEqual([alert.alertname]);
    await quiet();
    await waitFor(() => Promise.resolve(sent("resolved", caused).length > 0), {
      what: "a message that it is over",
      timeoutMs: 3 * minutes,
      everyMs: 2 * seconds,
    });
    expect(sent("firing", caused)).toEqual([alert.alertname]);
    expect(sent("resolved", caused)).toEqual([alert.alertname]);
  },
);

/** Names of the alerts that the webhook was told of, of those that began after a time. */
function sent(status: string, after: number): readonly (string | undefined)[] {
  const all = messages.flatMap((message) => message.alerts);
  const found = all.filter((one) => one.status === status && Date.parse(one.startsAt) >= after);
  return [...new Set(found.map(({ labels }) => labels.alertname))];
}

/** Files below a folder in which a text stands. */
function filesWith(text: string, folder: string): readonly string[] {
  const files = fs.readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files.filter((name) => {
    const file = path.join(folder, name);
    return fs.statSync(file).isFile() && fs.readFileSync(file, "latin1").includes(text);
  });
}

/** The host's own address in a Docker network. */
async function gatewayOf(network: string): Promise<string> {
  const { IPAM } = await docker.getNetwork(network).inspect();
  return IPAM?.Config?.[0]?.Gateway as string;
}

/** Of the panels that are empty while all is well, those that still are. */
async function emptyPanels(): Promise<readonly string[]> {
  const queries = allPanelQueries().filter(({ name }) => name in emptyWhenWell);
  expect(new Set(queries.map(({ name }) => name)).size).toBe(Object.keys(emptyWhenWell).length);
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
