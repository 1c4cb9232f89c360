import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { lookAtConnector } from "../../src/agent/connector";
import { countErrors } from "../../src/agent/errors";
import { Loop } from "../../src/agent/loop";
import { type AgentMetrics, comparisonResults, newMetrics, probes, stages } from "../../src/agent/metrics";
import { Outcomes } from "../../src/agent/outcomes";
import { createServer } from "../../src/agent/server";
import { type AgentSettings, parseSettings } from "../../src/agent/settings";
import { lookAtSlot } from "../../src/agent/slot";
import { bundled } from "../../src/lib/bundle";
import { projectRoot, readProjectFile } from "../../src/lib/paths";
import { sleep, waitFor } from "../../src/lib/retry";

const { signal } = new AbortController();

async function samples(metrics: AgentMetrics): Promise<string[]> {
  const lines = (await metrics.registry.metrics()).split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

const servers: http.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serve(server: http.Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("settings", () => {
  const right: AgentSettings = {
    postgres: { host: "postgres", port: 5432, database: "d", user: "agent", passwordFile: "/p" },
    clickhouse: { url: "http://clickhouse:8123", user: "reader", passwordFile: "/c", database: "cdc" },
    connect: { url: "http://connect:8083", connector: "cdc" },
    slot: "cdc_slot",
    tables: [{ source: "inventory.orders", target: "orders" }],
    comparisonSeconds: 60,
    containers: [{ service: "kafka", cgroup: "cdc-kafka.slice" }],
    cgroupRoot: "/host/cgroup",
    hostNetworkFile: "/host/net-dev",
    catalogSql: "SELECT",
  };

  test("that are right are taken as they are", () => {
    expect(parseSettings(JSON.stringify(right))).toEqual(right);
  });

  test("that are wrong are all named, with what was given", () => {
    const wrong = {
      ...right,
      postgres: { ...right.postgres, port: "5432" },
      clickhouse: { ...right.clickhouse, url: "clickhouse:8123" },
      tables: [{ source: "inventory.orders" }],
      comparisonSeconds: 0,
      color: "red",
    };
    expect(() => parseSettings(JSON.stringify(wrong))).toThrow(
      [
        "the agent's settings are wrong:",
        '  postgres.port: must be a port, 1 to 65535, not "5432"',
        '  clickhouse.url: must be a URL that begins with http:// or https://, not "clickhouse:8123"',
        "  tables[0].target: must be a text that is not empty, is missing",
        "  comparisonSeconds: must be a number of seconds above 0, not 0",
        "  color: there is no such setting",
      ].join("\n"),
    );
    expect(() => parseSettings("{")).toThrow("the agent's settings are not JSON");
    expect(() => parseSettings("[]")).toThrow("the whole: must be an object");
  });
});

describe("a loop", () => {
  test("never runs twice at once, also where a run takes longer than the time between two", async () => {
    let [running, most, runs] = [0, 0, 0];
    const loop = new Loop({
      name: "slow",
      everyMs: 5,
      timeoutMs: 1000,
      onResult: () => {},
      run: async () => {
        running += 1;
        runs += 1;
        most = Math.max(most, running);
        await sleep(15);
        running -= 1;
        return undefined;
      },
    });
    loop.start();
    await waitFor(() => runs >= 4, { what: "four runs", timeoutMs: 5000, everyMs: 5 });
    await loop.stop();
    expect(most).toBe(1);
    expect(running).toBe(0);
  });

  test("tells a run that takes too long to end, counts it as failed, and goes on", async () => {
    const results: unknown[] = [];
    let runs = 0;
    const loop = new Loop({
      name: "stuck",
      everyMs: 1,
      timeoutMs: 30,
      onResult: (error) => results.push(error),
      run: async (late) => {
        runs += 1;
        if (runs === 1) await sleep(60_000, late);
        return undefined;
      },
    });
    loop.start();
    await waitFor(() => results.length >= 2, { what: "two results", timeoutMs: 5000, everyMs: 5 });
    await loop.stop();
    expect(results[0]).toEqual(new Error("stuck: not finished after 0.03 s"));
    expect(results[1]).toBeUndefined();
  });

  test("waits as long as the run wants", async () => {
    let runs = 0;
    const loop = new Loop({
      name: "own pace",
      everyMs: 60_000,
      timeoutMs: 1000,
      onResult: () => {},
      run: async () => {
        runs += 1;
        return runs < 3 ? 0 : 60_000;
      },
    });
    loop.start();
    await waitFor(() => runs === 3, { what: "three runs", timeoutMs: 5000, everyMs: 5 });
    await loop.stop();
  });

  test("lives while its runs fail, and is dead when one does not end though it was told to", async () => {
    let now = 0;
    let results = 0;
    const loop = new Loop({
      name: "deaf",
      everyMs: 10,
      timeoutMs: 20,
      clock: () => now,
      onResult: () => {
        results += 1;
      },
      run: async () => {
        if (results < 2) throw new Error("no");
        return new Promise(() => {});
      },
    });
    loop.start();
    await waitFor(() => results >= 2, { what: "two failures", timeoutMs: 5000, everyMs: 5 });
    expect(loop.isAlive).toBe(true);
    now = 61_000;
    expect(loop.isAlive).toBe(false);
  });
});

test("a failure is said when it begins and when it ends, not each time", async () => {
  const metrics = newMetrics();
  const lines: string[] = [];
  const outcomes = new Outcomes(metrics, (line) => lines.push(line));
  const refused = new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
  outcomes.report("canary", "write", undefined);
  for (let second = 0; second < 3; second += 1) outcomes.report("canary", "look", refused);
  expect(await samples(metrics)).toContain('cdc_agent_probe_success{probe="canary"} 0');
  outcomes.report("canary", "look", undefined);
  outcomes.report("slot", "slot", new Error("no\nroute"));
  expect(lines).toEqual([
    "canary, look: fetch failed: connect ECONNREFUSED",
    "canary, look: works again",
    "slot: no route",
  ]);
  expect(await samples(metrics)).toContain('cdc_agent_probe_success{probe="canary"} 1');
});

describe("the connector", () => {
  async function connectThat(status: number, body: unknown) {
    const asked: (string | undefined)[] = [];
    const url = await serve(
      http.createServer((request, response) => {
        asked.push(request.url);
        response.writeHead(status).end(JSON.stringify(body));
      }),
    );
    return { url, asked };
  }

  async function shown(metrics: AgentMetrics): Promise<string[]> {
    return (await samples(metrics)).filter((line) => /^cdc_connector/.test(line) && !line.endsWith(" 0"));
  }

  test("is shown with its tasks", async () => {
    const metrics = newMetrics();
    const { url, asked } = await connectThat(200, {
      connector: { state: "RUNNING" },
      tasks: [{ state: "FAILED", trace: "…" }, { state: "DESTROYED" }],
    });
    await lookAtConnector({ url, connector: "a b" }, metrics, signal);
    expect(asked).toEqual(["/connectors/a%20b/status"]);
    expect(await shown(metrics)).toEqual([
      'cdc_connector_state{connector="a b",state="RUNNING"} 1',
      'cdc_connector_tasks{connector="a b",state="FAILED"} 1',
      'cdc_connector_tasks{connector="a b",state="DESTROYED"} 1',
    ]);
    expect(await samples(metrics)).toContain('cdc_connector_state{connector="a b",state="MISSING"} 0');
  });

  test("that does not exist is MISSING", async () => {
    const metrics = newMetrics();
    const { url } = await connectThat(404, { error_code: 404 });
    await lookAtConnector({ url, connector: "c" }, metrics, signal);
    expect(await shown(metrics)).toEqual(['cdc_connector_state{connector="c",state="MISSING"} 1']);
  });

  test("is in no known state when Connect does not answer, or cannot say", async () => {
    const metrics = newMetrics();
    const { url } = await connectThat(500, { message: "rebalance" });
    await expect(lookAtConnector({ url, connector: "c" }, metrics, signal)).rejects.toThrow(/rebalance.*500/);
    const nowhere = { url: "http://127.0.0.1:1", connector: "c" };
    await expect(lookAtConnector(nowhere, metrics, signal)).rejects.toThrow();
    expect(await shown(metrics)).toEqual([]);
    expect((await samples(metrics)).filter((line) => line.startsWith("cdc_connector_state"))).toHaveLength(7);
  });
});

describe("the slot", () => {
  const answering = (row?: object) => ({ query: async <T>() => (row ? [row] : []) as T[] });
  const slotSamples = async (metrics: AgentMetrics) =>
    Object.fromEntries(
      (await samples(metrics)).flatMap((line) => {
        const [, name, value] = /^cdc_slot_(\w+)\{slot="s"\} (.*)$/.exec(line) ?? [];
        return name ? [[name, Number(value)]] : [];
      }),
    );

  test("with a limit, without one, lost, gone", async () => {
    const metrics = newMetrics();
    const row = { active: true, lost: false, lag: "1000", retained: "5000", limit_mib: "4096" };
    await lookAtSlot(answering(row), "s", metrics, signal);
    expect(await slotSamples(metrics)).toEqual({
      present: 1,
      active: 1,
      lost: 0,
      lag_bytes: 1000,
      retained_bytes: 5000,
      limit_bytes: 4096 * 1024 * 1024,
    });
    await lookAtSlot(answering({ ...row, limit_mib: "-1", lag: "-8" }), "s", metrics, signal);
    expect(await slotSamples(metrics)).toMatchObject({ lag_bytes: 0 });
    expect(await slotSamples(metrics)).not.toHaveProperty("limit_bytes");
    await lookAtSlot(
      answering({ active: false, lost: true, lag: "9", retained: null, limit_mib: "1" }),
      "s",
      metrics,
      signal,
    );
    expect(await slotSamples(metrics)).toEqual({
      present: 1,
      active: 0,
      lost: 1,
      lag_bytes: 9,
      limit_bytes: 1024 * 1024,
    });
    await lookAtSlot(answering(), "s", metrics, signal);
    expect(await slotSamples(metrics)).toEqual({ present: 0, active: 0, lost: 0 });
  });

  test("nothing is said of it while Postgres is away", async () => {
    const metrics = newMetrics();
    await lookAtSlot(answering(), "s", metrics, signal);
    const away = { query: () => Promise.reject(new Error("away")) };
    await expect(lookAtSlot(away, "s", metrics, signal)).rejects.toThrow("away");
    expect(await slotSamples(metrics)).toEqual({});
  });
});

test("errors are counted by table, and one that cannot be counted is absent", async () => {
  const metrics = newMetrics();
  const tables = [
    { source: "s.a", target: "a" },
    { source: "s.b", target: "b`b" },
  ];
  let isBroken = false;
  const ask = async <T>(sql: string) => {
    if (isBroken && sql.includes("`a_errors`")) throw new Error("no table");
    return [{ n: sql.includes("`b\\`b_errors`") ? "7" : "0" }] as T[];
  };
  const errors = async () => (await samples(metrics)).filter((line) => line.startsWith("cdc_table_errors"));
  await countErrors(tables, ask, metrics, signal);
  expect(await errors()).toEqual([
    'cdc_table_errors_waiting{table="s.a"} 0',
    'cdc_table_errors_waiting{table="s.b"} 7',
  ]);
  isBroken = true;
  await expect(countErrors(tables, ask, metrics, signal)).rejects.toThrow("no table");
  expect(await errors()).toEqual(['cdc_table_errors_waiting{table="s.b"} 7']);
});

test("the server: metrics, a page, and whether its loops live", async () => {
  let dead: string[] = [];
  const url = await serve(
    createServer({ metrics: async () => "cdc_x 1\n", contentType: "text/plain", dead: () => dead }),
  );
  const get = async (pathname: string) => {
    const response = await fetch(url + pathname);
    return [response.status, await response.text()];
  };
  expect(await get("/metrics")).toEqual([200, "cdc_x 1\n"]);
  expect(await get("/healthz?x")).toEqual([200, "ok\n"]);
  dead = ["slot"];
  expect(await get("/healthz")).toEqual([503, "stuck: slot\n"]);
  expect((await get("/"))[1]).toContain("/metrics");
  expect((await get("/x"))[0]).toBe(404);
});

describe("the contract in docs/metrics.md", () => {
  interface Promised {
    readonly type: string;
    readonly labels: readonly string[];
    readonly text: string;
  }

  function promised(): ReadonlyMap<string, Promised> {
    const section = /## The agent's\n(.*?)\n## /s.exec(readProjectFile("docs", "metrics.md"))?.[1] ?? "";
    const rows = section.split("\n").filter((line) => line.startsWith("| `cdc_"));
    return new Map(
      rows.flatMap((row) => {
        const [names = "", type = "", labels = ""] = row.replace(/^\| /, "").split(" | ");
        // After the name of a label may come its values.
        const own = labels.replace(/ = .*/, "");
        return [...names.matchAll(/`(cdc_\w+)`/g)].map(([, name = ""]): [string, Promised] => [
          name,
          { type, labels: [...own.matchAll(/`([a-z]+)`/g)].map(([, label = ""]) => label).sort(), text: row },
        ]);
      }),
    );
  }

  test("holds just the metrics that there are, with their types and labels", async () => {
    const { registry } = newMetrics();
    const there = (await registry.getMetricsAsJSON()).map(({ name, type }) => {
      const { labelNames } = registry.getSingleMetric(name) as unknown as { labelNames: string[] };
      return [name, { type: String(type), labels: [...labelNames].sort() }] as const;
    });
    const expected = [...promised()].map(([name, { type, labels }]) => [name, { type, labels }] as const);
    expect(Object.fromEntries(there)).toEqual(Object.fromEntries(expected));
    expect(expected.length).toBeGreaterThan(25);
  });

  test("names the same probes, stages and results", () => {
    const values = (name: string) =>
      [
        ...(promised()
          .get(name)
          ?.text.matchAll(/`([a-z]+)`/g) ?? []),
      ].map(([, value]) => value);
    expect(values("cdc_agent_probe_success")).toEqual(["probe", ...probes]);
    expect(values("cdc_canary_stage_seconds")).toEqual(["stage", ...stages]);
    expect(values("cdc_table_comparisons_total")).toEqual(["table", "result", ...comparisonResults]);
  });
});

describe("the bundle", () => {
  const agent: Parameters<typeof bundled> = ["src/agent/main.ts", { minify: true }];
  const agentBundle = () => bundled(...agent);

  test("is small, names no folder of this machine, and is the same each time", async () => {
    const text = await agentBundle();
    expect(text.length).toBeLessThan(300_000);
    expect(text).not.toContain(projectRoot);
    expect(text).not.toContain("node_modules");
    expect(text).not.toContain(os.homedir());
    const module = await import("../../src/lib/bundle?again" as string);
    expect(await module.bundled(...agent)).toBe(text);
  });

  test("runs on Node alone, and says what is wrong with its settings", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "agent-"));
    try {
      const [script, settings] = [path.join(folder, "agent.js"), path.join(folder, "settings.json")];
      fs.writeFileSync(script, await agentBundle());
      fs.writeFileSync(settings, "{}");
      const { status, stdout } = spawnSync(process.execPath, [script, settings], { encoding: "utf8" });
      expect(stdout).toMatch(
        /^cdc-agent: the agent's settings are wrong:\n {2}postgres: must be an object\n/,
      );
      expect(status).toBe(1);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});
