import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { inProject, readProjectFile } from "../../src/lib/paths";
import { metricsIn } from "../support/prometheus";

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface RuleTest {
  readonly name: string;
  readonly alert_rule_test?: readonly {
    readonly alertname: string;
    readonly exp_alerts: readonly { readonly exp_labels: Labels }[];
  }[];
  readonly promql_expr_test?: readonly {
    readonly expr: string;
    readonly exp_samples: readonly { readonly labels: string }[];
  }[];
}

type Labels = Readonly<Record<string, string>>;

const rulesOf = (file: string) =>
  (
    parse(readProjectFile("prometheus", "rules", file)) as { groups: { name: string; rules: Rule[] }[] }
  ).groups.flatMap(({ rules }) => rules);
const testsOf = (file: string) =>
  (parse(readProjectFile("prometheus", "tests", file)) as { tests: RuleTest[] }).tests;

const alerts = rulesOf("alerts.yml") as (Required<Omit<Rule, "record">> & Rule)[];
const recordings = rulesOf("recording.yml");
const tests = fs.readdirSync(inProject("prometheus", "tests")).flatMap(testsOf);
const runbooks = readProjectFile("docs", "runbooks.md");
const contract = readProjectFile("docs", "metrics.md");
const alertNames = [...new Set(alerts.map(({ alert }) => alert))];

describe.each(alertNames)("%s", (name) => {
  const own = alerts.filter(({ alert }) => alert === name);

  it("says how bad it is, where to look, what is wrong, by which value, and what to do", () => {
    for (const { labels, annotations } of own) {
      expect(["critical", "warning"]).toContain(labels.severity);
      expect(labels.service).toMatch(/^([a-z-]+|\{\{ \$labels\.(service|job) \}\})$/);
      expect(annotations.summary).toMatch(/\S/);
      expect(annotations.description).toMatch(/\{\{ \$value \| (humanize|printf)/);
      expect(annotations.runbook_url).toBe(`docs/runbooks.md#${name.toLowerCase()}`);
    }
  });

  it("is tried: first silent, then firing, then silent again", () => {
    const tries = tests
      .map(({ alert_rule_test = [] }) => alert_rule_test.filter(({ alertname }) => alertname === name))
      .filter((steps) => steps.some(({ exp_alerts }) => exp_alerts.length > 0));
    expect(tries.length).toBeGreaterThanOrEqual(own.length);
    for (const steps of tries) {
      expect(steps.at(0)?.exp_alerts).toEqual([]);
      expect(steps.at(-1)?.exp_alerts).toEqual([]);
    }
  });
});

it("every severity of an alert is tried", () => {
  const tried = tests.flatMap(({ alert_rule_test = [] }) =>
    alert_rule_test.flatMap(({ alertname, exp_alerts }) =>
      exp_alerts.map(({ exp_labels }) => `${alertname} ${exp_labels.severity}`),
    ),
  );
  for (const { alert, labels } of alerts) expect(tried).toContain(`${alert} ${labels.severity}`);
});

it("the runbooks have a section for each alert in the order of the rules, and for nothing else", () => {
  const sections = [...runbooks.matchAll(/^## (Cdc\w+)$/gm)].map(([, name]) => name);
  expect(sections).toEqual(alertNames);
});

it("links within the runbooks lead to a section", () => {
  const anchors = [...runbooks.matchAll(/^## (.+)$/gm)].map(([, title = ""]) =>
    title.toLowerCase().replaceAll(" ", "-"),
  );
  for (const [, anchor] of runbooks.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor);
});

it("every recording rule is in the contract and is tried or used by an alert's test", () => {
  const exprs = tests.flatMap(({ promql_expr_test = [] }) => promql_expr_test.map(({ expr }) => expr));
  for (const { record = "" } of recordings) {
    expect(namesIn(contract)).toContain(record);
    expect(
      exprs.some((expr) => expr.includes(record)),
      record,
    ).toBe(true);
  }
});

it("every name of the contract's recording rules has a rule", () => {
  const promised = namesIn(contract).filter((name) => /^cdc:\w+:\w+$/.test(name));
  expect(promised.sort()).toEqual(recordings.map(({ record }) => record).sort());
});

it("metrics are told from the other words of an expression", () => {
  const expr =
    'sum by (a) (rate(x_total{b="c"}[1m])) / (max(y:z:ratio) > bool 1e3) unless on (d) 4 * 3600 == p_bytes';
  expect(metricsIn(expr)).toEqual(["x_total", "y:z:ratio", "p_bytes"]);
  const panel = 'a{b=~"$b"} * ignoring(c) group_left d offset 5m / scalar(max(rate(e[$__rate_interval])))';
  expect(metricsIn(panel)).toEqual(["a", "d", "e"]);
});

it("rules use only metrics that the contract or a known exporter has", () => {
  // postgres_exporter, kafka_exporter, node_exporter, our exporter of ClickHouse, Prometheus, Alertmanager
  const exporters =
    /^(up$|pg_|kafka_(topic|consumergroup)_|node_|clickhouse_|ClickHouse|prometheus_|alertmanager_)/;
  const known = new Set(namesIn(contract));
  const unknown = [...alerts, ...recordings]
    .flatMap(({ expr }) => metricsIn(expr))
    .filter((name) => !known.has(name.replace(/_(bucket|sum|count)$/, "")) && !known.has(name))
    .filter((name) => !exporters.test(name));
  expect([...new Set(unknown)]).toEqual([]);
});

it("uses nothing of ClickHouse's exporter that it does not have", () => {
  const exporter = readProjectFile("src", "exporters", "clickhouse.ts");
  const used = [...alerts, ...recordings].flatMap(({ expr }) => metricsIn(expr));
  for (const name of used.filter((metric) => metric.startsWith("clickhouse_")))
    expect(exporter).toContain(`"${name}"`);
});

describe("Alertmanager", () => {
  const { inhibit_rules, route, receivers } = parse(readProjectFile("prometheus", "alertmanager.yml")) as {
    inhibit_rules: { source_matchers: string[]; target_matchers: string[]; equal?: string[] }[];
    route: { receiver: string; group_by: string[] };
    receivers: { name: string }[];
  };

  it("tells nobody unless it is configured to", () => {
    expect(receivers).toEqual([{ name: "none" }]);
    expect(route).toMatchObject({ receiver: "none", group_by: ["alertname", "service"] });
  });

  it("holds back only alerts that exist, because of alerts that exist", () => {
    for (const { source_matchers, target_matchers } of inhibit_rules)
      for (const name of [...source_matchers, ...target_matchers].flatMap(alertNamesIn))
        expect(alertNames).toContain(name);
  });

  it("never holds back that data is lost, will be, or could not be read", () => {
    const heldBack = inhibit_rules.flatMap(({ target_matchers }) => target_matchers.flatMap(alertNamesIn));
    for (const name of ["CdcSlotLost", "CdcSlotWalNearLimit", "CdcErrorsWaiting", "CdcDiskNearlyFull"])
      expect(heldBack).not.toContain(name);
  });

  it.each([
    ["the connector is stopped for four minutes", ["CdcConnectorNotRunning connect"]],
    ["Connect's container is stopped for four minutes", ["CdcTargetDown connect"]],
    ["ClickHouse's container is stopped for four minutes", ["CdcClickHouseDown clickhouse"]],
    ["postgres-exporter is stopped for four minutes", ["CdcTargetDown postgres-exporter"]],
    ["Postgres's container is stopped for four minutes", ["CdcPostgresDown postgres"]],
    ["Kafka's container is stopped for four minutes", ["CdcTargetDown kafka"]],
    ["the agent is stopped for four minutes", ["CdcTargetDown cdc-agent"]],
    ["services that were switched off call nobody", []],
  ])("%s: people hear only of %j", (scenario, expected) => {
    const steps = testsOf("scenarios.test.yml").find(({ name }) => name === scenario)?.promql_expr_test ?? [];
    expect(steps.length).toBeGreaterThan(0);
    const messages = new Set(
      steps.flatMap(({ exp_samples }) => {
        const firing = exp_samples.map(({ labels }) => labelsIn(labels));
        return firing.filter((alert) => !isHeldBack(alert, firing)).map(titleOf);
      }),
    );
    expect([...messages]).toEqual(expected);
  });

  function isHeldBack(target: Labels, firing: readonly Labels[]): boolean {
    return inhibit_rules.some(
      ({ source_matchers, target_matchers, equal = [] }) =>
        matches(target, target_matchers) &&
        firing.some(
          (source) =>
            source !== target &&
            matches(source, source_matchers) &&
            equal.every((label) => source[label] === target[label]),
        ),
    );
  }
});

it("every scenario is asked what people hear of it", () => {
  const source = readProjectFile("test", "unit", "prometheus-rules.test.ts");
  for (const { name } of testsOf("scenarios.test.yml")) expect(source).toContain(`["${name}"`);
});

it("the second Prometheus takes the recording rules, the alerts and which targets answer", () => {
  const { scrape_configs } = parse(readProjectFile("prometheus", "federation.yml"));
  expect(scrape_configs).toMatchObject([
    {
      metrics_path: "/federate",
      honor_labels: true,
      params: { "match[]": ['{__name__=~"cdc:.+"}', "ALERTS", "up"] },
    },
  ]);
});

/** Names between backquotes; `…x` and `:x` go on from the name before, as the contract's tables write them. */
function namesIn(markdown: string): string[] {
  const names: string[] = [];
  for (const [, text = ""] of markdown.matchAll(/`([^`\n]+)`/g)) {
    const previous = names.at(-1) ?? "";
    if (text.startsWith(":")) names.push(previous.replace(/:[^:]*$/, text));
    else if (text.startsWith("…")) names.push(...continuations(names, text.slice(1)));
    else names.push(text);
  }
  return names;
}

/** `…x` stands for the last full name with x in place of its last words; how many words, the reader sees. */
function continuations(names: readonly string[], rest: string): string[] {
  const words = (names.at(-1) ?? "").split("_");
  return words.map((_, index) => [...words.slice(0, index), rest].join("_"));
}

function alertNamesIn(matcher: string): string[] {
  const [, names = ""] = /^alertname=~?"([^"]+)"$/.exec(matcher) ?? [];
  return names.split("|").filter((name) => name !== "");
}

function matches(labels: Labels, matchers: readonly string[]): boolean {
  return matchers.every((matcher) => {
    const [, label = "", operator, value = ""] = /^(\w+)(=~|=)"([^"]*)"$/.exec(matcher) ?? [];
    if (!operator) throw new Error(`this test does not understand the matcher ${matcher}`);
    const actual = labels[label] ?? "";
    return operator === "=" ? actual === value : new RegExp(`^(?:${value})$`).test(actual);
  });
}

/** The labels of a series as PromQL writes it. */
function labelsIn(series: string): Labels {
  return Object.fromEntries([...series.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
}

function titleOf({ alertname, service }: Labels): string {
  return `${alertname} ${service}`;
}
