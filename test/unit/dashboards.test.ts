import * as fs from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { dashboards, textOf } from "../../src/dashboards";
import { type AlertRule, alertRules } from "../../src/dashboards/alerts";
import {
  allPanels,
  type DashboardJson,
  initialValues,
  panelQueries,
  substitute,
  variableQueries,
} from "../../src/dashboards/queries-of";
import { jsonText } from "../../src/dashboards/text";
import { alertsOnAny, type Limits, limits } from "../../src/dashboards/thresholds";
import { inProject, readProjectFile } from "../../src/lib/paths";
import { schemaProblems } from "../support/grafana-schema";
import { metricsIn } from "../support/prometheus";

interface GridPos {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly gridPos: GridPos;
  readonly targets?: readonly { readonly refId: string; readonly datasource: { readonly uid: string } }[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}

interface Dashboard extends DashboardJson {
  readonly panels: readonly Panel[];
  readonly tags: readonly string[];
  readonly schemaVersion: number;
  readonly refresh: string;
  readonly timezone: string;
  readonly links: readonly {
    readonly tags: readonly string[];
    readonly keepTime: boolean;
    readonly includeVars: boolean;
  }[];
}

const names = ["cdc-alerts.json", "cdc-business.json", "cdc-infrastructure.json", "cdc-pipeline.json"];
const files = fs.readdirSync(inProject("dashboards")).filter((name) => name.endsWith(".json"));
const read = files.sort().map((name): Dashboard => JSON.parse(readProjectFile("dashboards", name)));

test("the files are what the code makes (npm run dashboards writes them)", () => {
  expect(files).toEqual(names);
  for (const made of dashboards()) {
    const stale = textOf(made) !== readProjectFile("dashboards", made.file);
    expect(stale, `dashboards/${made.file} is stale: npm run dashboards`).toBe(false);
  }
});

test("nothing of the program imports them: their SDK is a package for development", () => {
  const sources = fs
    .readdirSync(inProject("src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.startsWith("dashboards"));
  expect(sources.length).toBeGreaterThan(50);
  const importing = sources.filter((name) => /from "[./]+\/dashboards/.test(readProjectFile("src", name)));
  expect(importing).toEqual([]);
});

describe.each(read)("$title", (dashboard) => {
  const rows = dashboard.panels.filter(({ type }) => type === "row");
  const panels = dashboard.panels.filter(({ type }) => type !== "row");
  /** Panels that ask no data source. */
  const asking = panels.filter(({ type }) => type !== "text" && type !== "alertlist");

  test("is found by its tag, and leads to the others with time range and variables", () => {
    expect(dashboard.tags).toEqual(["cdc"]);
    expect(dashboard.links).toMatchObject([{ tags: ["cdc"], keepTime: false, includeVars: true }]);
    expect(dashboard).toMatchObject({
      schemaVersion: 42,
      timezone: "browser",
      refresh: dashboard.uid === "cdc-business" ? "1m" : "10s",
    });
  });

  test("uses only panels that are part of Grafana", () => {
    const types = ["alertlist", "barchart", "bargauge", "gauge", "piechart", "row", "stat"].concat([
      "state-timeline",
      "table",
      "text",
      "timeseries",
    ]);
    for (const { type } of dashboard.panels) expect(types).toContain(type);
  });

  test("says of each panel what it shows and what bad looks like", () => {
    for (const { title, description } of panels) {
      expect(title).not.toBe("");
      expect(description?.length, title).toBeGreaterThan(40);
      expect(description, title).toMatch(/Bad: |what there is to capture|What it takes|Every alert/);
    }
    const titles = rows.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
  });

  test("gives each panel that asks a data source, a query and a unit", () => {
    for (const { title, datasource, targets = [], fieldConfig } of asking) {
      expect(["prometheus", "clickhouse"], title).toContain(datasource?.uid);
      expect(targets.length, title).toBeGreaterThan(0);
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
      for (const target of targets) expect(target.datasource, title).toEqual(datasource);
      expect(fieldConfig?.defaults.unit, title).toBeTruthy();
    }
  });

  test("lays panels out within 24 columns, none upon another", () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [index, { title, gridPos }] of dashboard.panels.entries()) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (const other of dashboard.panels.slice(0, index))
        expect(overlap(gridPos, other.gridPos), `${title} and ${other.title}`).toBe(false);
    }
  });

  test("defines the variables that its queries use, and uses those that it defines", () => {
    const values = initialValues(dashboard);
    const queries = panelQueries(dashboard);
    // Throws at a variable that has no value.
    for (const { query } of queries)
      substitute(query, { from: new Date(0), to: new Date(3_600_000), values });
    const text = queries.map(({ query }) => query).join("\n");
    for (const name of Object.keys(values)) expect(text).toMatch(new RegExp(`\\$\\{?${name}\\b`));
  });

  test("asks for metrics that exist", () => {
    const asked = panelQueries(dashboard)
      .filter(({ datasource }) => datasource === "prometheus")
      .flatMap(({ query }) => metricsIn(query));
    const chosen = variableQueries(dashboard)
      .filter(({ datasource }) => datasource === "prometheus")
      .map(({ query }) => query.match(/^label_values\(([\w:]+), \w+\)$/)?.[1] as string);
    expect([...asked, ...chosen].filter((name) => !exists(name))).toEqual([]);
  });
});

function overlap(a: GridPos, b: GridPos): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/** What others document: of these only the beginning is compared. */
const foreign =
  /^(up$|ALERTS$|ALERTS_FOR_STATE$|pg_|node_|kafka_topic_|kafka_consumergroup_|ClickHouse(Metrics|ProfileEvents|AsyncMetrics)_|clickhouse_(up|table_|kafka_)|prometheus_|alertmanager_)/;

const documented = namesIn(readProjectFile("docs", "metrics.md"));

function exists(name: string): boolean {
  return (
    foreign.test(name) || documented.has(name) || documented.has(name.replace(/_(bucket|sum|count)$/, ""))
  );
}

/** The names in the first column of the tables; "…Name" and ":p95" continue the full name before them. */
function namesIn(markdown: string): Set<string> {
  const found = new Set<string>();
  for (const line of markdown.split("\n").filter((line) => line.startsWith("| `"))) {
    let base = "";
    for (const [, name = ""] of (line.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)) {
      if (!/^[…:]/.test(name)) {
        base = name;
        found.add(name);
      }
      // Where exactly the names part cannot be seen; each beginning of the name before may be it.
      else for (let end = 1; end <= base.length; end++) found.add(base.slice(0, end) + name.replace("…", ""));
    }
  }
  return found;
}

test("names of metrics are found in the contract", () => {
  expect(exists("debezium_metrics_QueueRemainingCapacity")).toBe(true);
  expect(exists("cdc:latency_seconds:p99")).toBe(true);
  expect(exists("cdc_canary_latency_seconds_bucket")).toBe(true);
  expect(exists("cdc_no_such_metric")).toBe(false);
});

describe("Grafana's published schema", () => {
  // @grafana/schema of the version in src/images.ts: see schemaProblems for what it covers and what it does not.
  test("is of the Grafana that is run", () => {
    const { version } = JSON.parse(readProjectFile("node_modules", "@grafana", "schema", "package.json"));
    expect(readProjectFile("src", "images.ts")).toContain(`docker.io/grafana/grafana:${version}`);
  });

  test("is kept by all dashboards, and a mistake would be found", { timeout: 60_000 }, () => {
    const wrong = structuredClone(read[0]) as unknown as {
      uid: string;
      timezne?: string;
      panels: {
        type: string;
        options: Record<string, unknown>;
        fieldConfig: { defaults: { unit: unknown } };
      }[];
    };
    wrong.uid = "wrong";
    wrong.timezne = "browser";
    wrong.panels = wrong.panels.filter(({ type }) => type === "stat").slice(0, 3);
    (wrong.panels[0] as (typeof wrong.panels)[0]).options.colorMode = "pink";
    (wrong.panels[1] as (typeof wrong.panels)[0]).options.sparkles = true;
    (wrong.panels[2] as (typeof wrong.panels)[0]).fieldConfig.defaults.unit = 5;
    const problems = schemaProblems([...read, wrong as never]);
    expect(problems.filter((problem) => !problem.startsWith("wrong"))).toEqual([]);
    expect(problems.map((problem) => problem.match(/timezne|pink|sparkles|number/)?.[0])).toEqual([
      "timezne",
      "pink",
      "sparkles",
      "number",
    ]);
  });
});

describe("colours and alerts", () => {
  const rules = alertRules();
  const rule = (name: string): AlertRule => {
    const found = rules.find(({ alert }) => alert === name);
    if (!found) throw new Error(`no alert ${name} in prometheus/rules/alerts.yml`);
    return found;
  };

  test.each(Object.entries(limits).filter(([, limit]) => "alert" in limit))(
    "%s turn red where their alert fires",
    (_name, { limit, alert }: Limits) => {
      const threshold = thresholdOf(rule(alert as string).expr);
      // An alert on what is free is a limit of what is used.
      const candidates = [threshold, Number((1 - threshold).toFixed(6))];
      expect(candidates).toContain(limit);
    },
  );

  test.each(alertsOnAny)("%s fires at the first one, as the panels turn red", (name) => {
    expect(rule(name).expr.trim()).toMatch(/> 0$/);
  });

  test("every alert is explained on the dashboard", () => {
    const text = readProjectFile("dashboards", "cdc-alerts.json");
    for (const { alert, annotations } of rules) {
      expect(text).toContain(`| ${alert} |`);
      expect(text).toContain(annotations.runbook_url);
    }
    expect(rules.length).toBeGreaterThan(20);
  });

  test("severity and service are labels of every alert", () => {
    for (const { alert, labels } of rules)
      expect(Object.keys(labels), alert).toEqual(["severity", "service"]);
  });
});

/** The number at the end of an expression: "… > 256 * 1024 * 1024". */
function thresholdOf(expr: string): number {
  // What follows "unless" says when the limit does not count.
  const [condition = ""] = expr.split("\nunless ");
  const [, product = ""] = condition.trim().match(/[<>]=? ([\d.]+(?: \* [\d.]+)*)$/) ?? [];
  return product.split(" * ").reduce((result, factor) => result * Number(factor), 1);
}

describe("substitute", () => {
  const hour = { from: new Date("2026-01-01T00:00:00Z"), to: new Date("2026-01-01T01:00:00Z") };

  test("fills Grafana's own variables in", () => {
    expect(substitute("rate(a[$__rate_interval]) b[$__range] c[$__interval]", hour)).toBe(
      "rate(a[20s]) b[3600s] c[8s]",
    );
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of a dashboard
    expect(substitute("$__from ${__to}", hour)).toBe("1767225600000 1767229200000");
  });

  test("fills variables in: one value, several, all", () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: variables of a dashboard
    const query = 'a{table=~"$table"} ${id:csv}';
    expect(substitute(query, { ...hour, values: { table: ".+", id: ["1", "2"] } })).toBe(
      'a{table=~".+"} 1,2',
    );
    expect(substitute(query, { ...hour, values: { table: ["s.a", "s.b"], id: "0" } })).toBe(
      'a{table=~"(s\\\\.a|s\\\\.b)"} 0',
    );
  });

  test("names a variable without a value", () => {
    expect(() => substitute('a{table=~"$tabel"}', { ...hour, values: { table: ".+" } })).toThrow(
      "$tabel: no value",
    );
  });
});

test("a dashboard's text: short lists on one line, nothing of what is undefined", () => {
  expect(jsonText({ a: [], b: [1, "two"], c: { d: undefined }, e: [{ f: null }] })).toBe(
    '{\n  "a": [],\n  "b": [1, "two"],\n  "c": {},\n  "e": [\n    {\n      "f": null\n    }\n  ]\n}\n',
  );
  expect(jsonText({ a: ["x".repeat(110)] })).toBe(`{\n  "a": [\n    "${"x".repeat(110)}"\n  ]\n}\n`);
});

test("Grafana is provisioned with the data sources that the panels ask", () => {
  const { datasources } = parse(readProjectFile("dashboards", "provisioning", "datasources.yaml")) as {
    datasources: { uid: string; type: string; name: string }[];
  };
  const known = datasources.map(({ uid, type }) => `${type}/${uid}`);
  for (const panel of read.flatMap(({ panels }) => panels)) {
    if (panel.datasource) expect(known).toContain(`${panel.datasource.type}/${panel.datasource.uid}`);
  }
  // The alert list names its data source by name.
  expect(datasources.map(({ name }) => name)).toContain("Prometheus");
  expect(allPanels(read[0] as Dashboard).some(({ type }) => type === "alertlist")).toBe(true);
});
