import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ClickHouseAnswer,
  type PrometheusData,
  rowsFrame,
  seriesFrames,
  seriesName,
  tableFrame,
  timeFrames,
} from "../../offline/images/grafana/page/frames";
import { initialChoice, meaningOf, sorted, type Variable } from "../../offline/images/grafana/page/model";
import { statesOf } from "../../offline/images/grafana/page/panels/states";
import { describeRange, intervalMs, parseTime } from "../../offline/images/grafana/page/range";
import { shownAfterClick } from "../../offline/images/grafana/page/shown";
import { readUrl, writeUrl } from "../../offline/images/grafana/page/url";
import { expand, readDataSources } from "../../offline/images/grafana/server/datasources";
import { isAllowed } from "../../offline/images/grafana/server/proxy";
import { createServer, isFromElsewhere } from "../../offline/images/grafana/server/server";
import { summary } from "../../src/cli/commands/up";
import { dataSources } from "../../src/components/grafana";
import { inProject } from "../../src/lib/paths";

describe("answers of Prometheus become data frames", () => {
  const matrix: PrometheusData = {
    resultType: "matrix",
    result: [
      {
        metric: { __name__: "up", job: "kafka" },
        values: [
          [10, "1"],
          [20, "NaN"],
          [40, "0"],
        ],
      },
      { metric: { __name__: "up", job: "connect" }, values: [[10, "+Inf"]] },
    ],
  };
  const target = { refId: "A", expr: "up", legend: "{{job}}", grid: { start: 10, end: 40, step: 10 } };

  test("a range: a frame for each series, with a gap where there is no number", () => {
    const [kafka, connect] = seriesFrames(matrix, target);
    expect(kafka?.fields.map(({ values }) => values)).toEqual([
      [10_000, 20_000, 30_000, 40_000],
      [1, null, null, 0],
    ]);
    expect(kafka?.fields[1]).toMatchObject({
      labels: { job: "kafka" },
      config: { displayNameFromDS: "kafka" },
    });
    expect(connect?.fields[1]?.values).toEqual([null, null, null, null]);
  });

  test("a legend names labels; without one, the whole series or the query is the name", () => {
    const metric = { __name__: "up", job: "kafka", instance: "kafka:9404" };
    expect(seriesName(metric, { legend: "{{job}} of {{ none }}", expr: "up" })).toBe("kafka of ");
    expect(seriesName(metric, { legend: "", expr: "up" })).toBe('up{job="kafka", instance="kafka:9404"}');
    expect(seriesName({}, { legend: "", expr: "sum(up)" })).toBe("sum(up)");
  });

  const vector: PrometheusData = {
    resultType: "vector",
    result: [
      { metric: { service: "kafka" }, value: [10, "1.5"] },
      { metric: { service: "connect", zone: "a" }, value: [10, "2"] },
    ],
  };

  test("a table: a row for each series, a column for each label", () => {
    const columns = tableFrame(vector, "B", false).fields.map(({ name, values }) => [name, values]);
    expect(columns).toEqual([
      ["Time", [10_000, 10_000]],
      ["service", ["kafka", "connect"]],
      ["zone", ["", "a"]],
      ["Value #B", [1.5, 2]],
    ]);
    expect(tableFrame(vector, "B", true).fields.at(-1)?.name).toBe("Value");
  });

  test("a number alone is a series of one point", () => {
    const [frame] = seriesFrames(
      { resultType: "scalar", result: [10, "7"] },
      { refId: "A", expr: "7", legend: "" },
    );
    expect(frame).toMatchObject({ length: 1, fields: [{ values: [10_000] }, { values: [7] }] });
  });
});

describe("answers of ClickHouse become data frames", () => {
  test("numbers in quotes, missing ones, times and texts", () => {
    const answer: ClickHouseAnswer = {
      meta: [
        { name: "id", type: "UInt64" },
        { name: "change", type: "Nullable(Float64)" },
        { name: "at", type: "DateTime64(3, 'UTC')" },
        { name: "day", type: "Date" },
        { name: "city", type: "LowCardinality(Nullable(String))" },
        { name: "open", type: "Bool" },
      ],
      data: [
        {
          id: "7",
          change: null,
          at: "2025-01-02 03:04:05.678",
          day: "2025-01-02",
          city: "Vienna",
          open: true,
        },
      ],
    };
    expect(rowsFrame(answer, "A").fields.map(({ type, values }) => [type, values[0]])).toEqual([
      ["number", 7],
      ["number", null],
      ["time", Date.UTC(2025, 0, 2, 3, 4, 5, 678)],
      ["time", Date.UTC(2025, 0, 2)],
      ["string", "Vienna"],
      ["boolean", true],
    ]);
  });

  const answer: ClickHouseAnswer = {
    meta: [
      { name: "time", type: "DateTime('UTC')" },
      { name: "product", type: "String" },
      { name: "pieces", type: "UInt64" },
    ],
    data: [
      { time: "2025-01-01 00:00:00", product: "a", pieces: 1 },
      { time: "2025-01-01 00:00:00", product: "b", pieces: 2 },
      { time: "2025-01-02 00:00:00", product: "a", pieces: 3 },
    ],
  };

  test("a time series for each value of the columns of text", () => {
    const series = timeFrames(answer, "A").map(({ fields: [, value] }) => [value?.labels, value?.values]);
    expect(series).toEqual([
      [{ product: "a" }, [1, 3]],
      [{ product: "b" }, [2]],
    ]);
  });

  test("a time series must begin with a time", () => {
    const { meta, data } = answer;
    expect(() => timeFrames({ meta: meta.slice(1), data }, "A")).toThrow("no DateTime");
  });
});

describe("the address", () => {
  test("holds dashboard, range, refresh and variables, as Grafana's does", () => {
    const state = readUrl(
      "/d/cdc-pipeline/any-name",
      "?from=now-1h&to=now&refresh=&var-table=a&var-table=b&var-topic=All&kiosk",
    );
    expect(state).toEqual({
      uid: "cdc-pipeline",
      from: "now-1h",
      to: "now",
      refresh: "",
      variables: { table: ["a", "b"], topic: ["$__all"] },
      kiosk: true,
    });
    if (!state) throw new Error("no state");
    const [, search] = writeUrl(state).split("?");
    expect(readUrl("/d/cdc-pipeline", `?${search}`)).toEqual(state);
  });

  test("says nothing that is the dashboard's own", () => {
    expect(writeUrl({ uid: "cdc-alerts", variables: {}, kiosk: false })).toBe("/d/cdc-alerts");
    expect(readUrl("/", "")).toBeUndefined();
  });
});

describe("time ranges", () => {
  const now = new Date("2025-01-02T00:00:00Z");

  test.each([
    ["now", "2025-01-02T00:00:00.000Z"],
    ["now-15m", "2025-01-01T23:45:00.000Z"],
    ["now-7d", "2024-12-26T00:00:00.000Z"],
    ["2024-06-01", "2024-06-01T00:00:00.000Z"],
    ["1717200000000", "2024-06-01T00:00:00.000Z"],
  ])("%s is %s", (text, time) => {
    expect(parseTime(text, now).toISOString()).toBe(time);
  });

  test("what is no time is refused with what is", () => {
    expect(() => parseTime("now-1fortnight", now)).toThrow("now-1fortnight: no time such as now-1h");
  });

  test("are named", () => {
    expect(describeRange("now-24h", "now")).toBe("Last 24 hours");
    expect(describeRange("2024-06-01T00:00:00.000Z", "now")).toBe("2024-06-01 to now");
    expect([intervalMs("10s"), intervalMs("1m"), intervalMs("")]).toEqual([10_000, 60_000, undefined]);
  });
});

describe("variables", () => {
  const table: Variable = { name: "table", type: "query", multi: true, includeAll: true, allValue: ".+" };

  test("all, some, one", () => {
    expect(initialChoice({ ...table, current: { value: ["$__all"] } })).toEqual(["$__all"]);
    expect(meaningOf(table, ["$__all"])).toBe(".+");
    expect(meaningOf(table, ["a", "b"])).toEqual(["a", "b"]);
    expect(meaningOf({ name: "top", type: "custom" }, ["10"])).toBe("10");
  });

  test("are sorted by name or by number", () => {
    expect(sorted(["10", "9"], 3)).toEqual(["9", "10"]);
    expect(sorted(["b", "a"], 1)).toEqual(["a", "b"]);
    expect(sorted(["10", "9"])).toEqual(["10", "9"]);
  });
});

test("a click in a legend draws that series alone, another one all", () => {
  expect(shownAfterClick(undefined, ["a"], false)).toEqual(["a"]);
  expect(shownAfterClick(["a"], ["a"], false)).toBeUndefined();
  expect(shownAfterClick(["a"], ["b"], true)).toEqual(["a", "b"]);
  expect(shownAfterClick(["a", "b"], ["b"], true)).toEqual(["a"]);
});

test("points of one value are one state, until the next point", () => {
  expect(statesOf([0, 10, 20, 30, 40], [1, 1, 2, null, 2], { from: 5, to: 50 })).toEqual([
    { value: 1, from: 5, to: 20 },
    { value: 2, from: 20, to: 30 },
    { value: 2, from: 40, to: 50 },
  ]);
});

describe("Grafana's file of data sources", () => {
  const surroundings = {
    env: { NAME: "reader", CDC_CLICKHOUSE_USER: "reader", CDC_CLICKHOUSE_DATABASE: "cdc" },
    readFile: (file: string) => `content of ${file}\n`,
  };

  test.each([
    ["$NAME", "reader"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own way to name a variable.
    ["${NAME}:$__env{NAME}", "reader:reader"],
    ["$__file{/etc/password}", "content of /etc/password"],
    ["$$NAME costs 5$", "$NAME costs 5$"],
    ["$ABSENT", ""],
  ])("%s is %s", (text, expected) => {
    expect(expand(text, surroundings)).toBe(expected);
  });

  test("gives the page what Grafana gets", () => {
    const sources = readDataSources(
      dataSources(["prometheus", "clickhouse", "alertmanager"], 5),
      surroundings,
    );
    expect(sources[0]?.scrapeSeconds).toBe(5);
    expect(sources.map(({ uid, url }) => [uid, url])).toEqual([
      ["prometheus", "http://prometheus:9090"],
      ["clickhouse", "http://clickhouse:8123"],
      ["alertmanager", "http://alertmanager:9093"],
    ]);
    expect(sources[1]?.headers).toMatchObject({
      "X-ClickHouse-User": "reader",
      "X-ClickHouse-Key": "content of /etc/cdc/grafana/clickhouse-password",
      "X-ClickHouse-Database": "cdc",
    });
  });
});

test.each([
  [{ host: "127.0.0.1:3000" }, false],
  [{ host: "localhost:3000", origin: "http://localhost:3000" }, false],
  [{ host: "[::1]:3000" }, false],
  [{ host: "grafana:3000" }, false],
  [{ host: "127.0.0.1:3000", origin: "https://evil.example" }, true],
  // Its own name, which it lets lead to this machine.
  [{ host: "evil.example:3000", origin: "http://evil.example:3000" }, true],
  [{ host: "a b[" }, true],
  [{}, true],
])("a request with %j is from elsewhere: %s", (headers, expected) => {
  expect(isFromElsewhere({ headers })).toBe(expected);
});

describe("the page may ask", () => {
  test.each([
    ["prometheus", "POST", "/api/v1/query"],
    ["prometheus", "POST", "/api/v1/query_range"],
    ["prometheus", "GET", "/api/v1/label/table/values"],
    ["prometheus", "GET", "/api/v1/alerts"],
    ["clickhouse", "POST", "/"],
    ["alertmanager", "GET", "/api/v2/silences"],
  ] as const)("%s: %s %s", (kind, method, path) => {
    expect(isAllowed(kind, method, path)).toBe(true);
  });

  test.each([
    ["prometheus", "POST", "/api/v1/admin/tsdb/delete_series"],
    ["prometheus", "PUT", "/-/reload"],
    ["prometheus", "GET", "/api/v1/query/../admin"],
    ["prometheus", "POST", "/api/v1/write"],
    ["clickhouse", "GET", "/"],
    ["clickhouse", "POST", "/?user=default"],
    ["alertmanager", "POST", "/api/v2/silences"],
    ["alertmanager", "DELETE", "/api/v2/silence/1"],
  ] as const)("but not %s: %s %s", (kind, method, path) => {
    expect(isAllowed(kind, method, path)).toBe(false);
  });
});

describe("the server", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-page-"));
  const assets = path.join(folder, "assets");
  let url: string;
  let server: ReturnType<typeof createServer>;

  beforeAll(async () => {
    fs.mkdirSync(assets);
    fs.writeFileSync(path.join(assets, "index.html"), "<p>page</p>");
    fs.writeFileSync(path.join(assets, "main.js"), "run()");
    server = createServer({
      assets,
      dashboards: inProject("dashboards"),
      home: inProject("dashboards", "cdc-pipeline.json"),
      // Nothing listens there.
      dataSources: [
        { uid: "prometheus", name: "Prometheus", kind: "prometheus", url: "http://127.0.0.1:9", headers: {} },
      ],
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterAll(() => {
    server.close();
    fs.rmSync(folder, { recursive: true });
  });

  test("says that it is well, and what it is", async () => {
    expect(await (await fetch(`${url}/api/health`)).json()).toEqual({
      database: "ok",
      version: "dashboard page",
    });
  });

  test("leads to the home dashboard, and lists all", async () => {
    const home = await fetch(url, { redirect: "manual" });
    expect(home.headers.get("location")).toBe("/d/cdc-pipeline");
    expect(await (await fetch(`${url}/d/cdc-pipeline`)).text()).toBe("<p>page</p>");
    const found = (await (await fetch(`${url}/api/search`)).json()) as { uid: string }[];
    expect(found[0]?.uid).toBe("cdc-pipeline");
    expect(found.length).toBe(
      fs.readdirSync(inProject("dashboards")).filter((name) => name.endsWith(".json")).length,
    );
    const answer = await (await fetch(`${url}/api/dashboards/uid/cdc-alerts`)).json();
    expect(answer).toMatchObject({ dashboard: { uid: "cdc-alerts" }, meta: { canEdit: false } });
  });

  test("changes nothing, and shows no other file", async () => {
    expect((await fetch(`${url}/api/dashboards/db`, { method: "POST", body: "{}" })).status).toBe(405);
    expect((await fetch(`${url}/..%2f..%2fetc/passwd`)).status).toBe(404);
  });

  test("says which data source does not answer", async () => {
    const answer = await fetch(`${url}/api/datasources/proxy/uid/prometheus/api/v1/query?query=up`);
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({
      error: expect.stringContaining("Prometheus does not answer"),
    });
    expect((await fetch(`${url}/api/datasources/proxy/uid/clickhouse/`)).status).toBe(404);
    expect(
      (await fetch(`${url}/api/datasources/proxy/uid/prometheus/-/quit`, { method: "POST" })).status,
    ).toBe(403);
  });

  test.each(["//", "http://[/"])("has nothing at the address %s, and says so", async (address) => {
    const socket = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.write(`GET ${address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 40[04] /);
  });

  test("takes no question that is too long, and no answer", async () => {
    const source = http.createServer((request, response) => {
      request.resume();
      response.end(Buffer.alloc(request.url === "/api/v1/alerts" ? 33 * 1024 * 1024 : 1));
    });
    await new Promise<void>((resolve) => source.listen(0, "127.0.0.1", resolve));
    const sourceUrl = `http://127.0.0.1:${(source.address() as AddressInfo).port}`;
    const asked = createServer({
      assets,
      dashboards: folder,
      home: undefined,
      dataSources: [{ uid: "p", name: "Prometheus", kind: "prometheus", url: sourceUrl, headers: {} }],
    });
    await new Promise<void>((resolve) => asked.listen(0, "127.0.0.1", resolve));
    const api = `http://127.0.0.1:${(asked.address() as AddressInfo).port}/api/datasources/proxy/uid/p/api/v1`;
    try {
      const long = await fetch(`${api}/query`, { method: "POST", body: Buffer.alloc(3_000_000) });
      expect([long.status, await long.text()]).toEqual([413, expect.stringContaining("more than 1048576")]);
      const large = await fetch(`${api}/alerts`);
      expect([large.status, await large.text()]).toEqual([502, expect.stringContaining("ask for less")]);
      expect((await fetch(`${api}/rules`)).status).toBe(200);
    } finally {
      asked.close();
      source.close();
    }
  });

  test("outlives a dashboard whose name cannot stand in an address", async () => {
    const dashboards = fs.mkdtempSync(path.join(folder, "dashboards-"));
    fs.writeFileSync(path.join(dashboards, "odd.json"), JSON.stringify({ uid: "☃\n", title: "odd" }));
    const odd = createServer({ assets, dashboards, home: undefined, dataSources: [] });
    await new Promise<void>((resolve) => odd.listen(0, "127.0.0.1", resolve));
    const home = `http://127.0.0.1:${(odd.address() as AddressInfo).port}`;
    const answer = await fetch(home, { redirect: "manual" }).finally(() => odd.close());
    expect(answer.headers.get("location")).toBe("/d/%E2%98%83%0A");
  });

  test("takes no questions from other sites", async () => {
    const headers = { Origin: "http://elsewhere.example" };
    expect(
      (await fetch(`${url}/api/datasources/proxy/uid/prometheus/api/v1/query`, { headers })).status,
    ).toBe(403);
  });
});

test("up says that it is the page and not Grafana", () => {
  const facts = { endpoints: { grafana: "http://127.0.0.1:3000" }, pipeline: { missing: [] } } as never;
  const images = { images: { grafana: "any" }, missing: [], why: "" };
  const plugins = { plugins: { origins: {} } } as never;
  const page = /http:\/\/127\.0\.0\.1:3000 is a read-only page of ours that draws Grafana's dashboards/;
  expect(summary(facts, { ...images, mode: "local" }, plugins).join("\n")).toMatch(page);
  expect(summary(facts, { ...images, mode: "registry" }, plugins).join("\n")).not.toMatch(page);
});
