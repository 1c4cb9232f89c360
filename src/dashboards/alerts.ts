import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { parse } from "yaml";
import { serviceNames } from "../images";
import { readProjectFile } from "../lib/paths";
import { board, listChoice, type Section } from "./board";
import {
  above,
  alertListPanel,
  barPanel,
  plain,
  statePanel,
  statPanel,
  tablePanel,
  textPanel,
  timePanel,
  words,
} from "./panels";
import { now, over, rows } from "./queries";
import { none } from "./thresholds";

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string; readonly service: string };
  readonly annotations: {
    readonly summary: string;
    readonly description: string;
    readonly runbook_url: string;
  };
}

/** The alerts of prometheus/rules/alerts.yml, in its order. */
export function alertRules(): AlertRule[] {
  const { groups } = parse(readProjectFile("prometheus", "rules", "alerts.yml")) as {
    groups: { rules: AlertRule[] }[];
  };
  return groups.flatMap(({ rules }) => rules).filter(({ alert }) => alert !== undefined);
}

/** What is wrong now, what was, who was told, and what to do. */
export function alerts(): Dashboard {
  const rules = alertRules();
  return board({
    uid: "cdc-alerts",
    title: "Alert Management",
    description: "What fires, what did, whether somebody was told, and what each alert means",
    time: { from: "now-24h", to: "now" },
    refresh: "10s",
    variables: [
      listChoice({
        name: "severity",
        label: "Severity",
        description:
          "critical: events do not flow, may be lost, or nobody would be told; warning: look at it today",
        values: [...new Set(rules.map(({ labels }) => labels.severity))].sort(),
      }),
      listChoice({
        name: "service",
        label: "Service",
        description: "Where to look first",
        values: servicesOf(rules),
      }),
    ],
    sections: [current, history, notifications, meanings(rules)],
  });
}

/** All services that an alert may name: some take it from what they are about, and it may be any. */
function servicesOf(rules: readonly AlertRule[]): string[] {
  const named = rules.map(({ labels }) => labels.service).filter((service) => !service.includes("{{"));
  return [...new Set([...serviceNames, ...named])].sort();
}

const chosen = 'severity=~"$severity", service=~"$service"';
const firing = `ALERTS{alertstate="firing", ${chosen}}`;
const pending = `ALERTS{alertstate="pending", ${chosen}}`;

const current: Section = {
  title: "Now",
  panels: [
    statPanel({
      title: "Firing, critical",
      description: "Alerts that fire and mean that events do not flow or may be lost. Bad: more than 0.",
      queries: [
        now('count(ALERTS{alertstate="firing", severity="critical", service=~"$service"}) or vector(0)'),
      ],
      unit: "short",
      thresholds: above(none),
      background: true,
    }),
    statPanel({
      title: "Firing",
      description: "Alerts that fire, of the chosen severities and services. Bad: more than 0.",
      queries: [now(`count(${firing}) or vector(0)`)],
      unit: "short",
      thresholds: above(none),
      background: true,
    }),
    statPanel({
      title: "Pending",
      description: "Alerts whose condition is true, but not for long enough yet. Bad: many at once.",
      queries: [now(`count(${pending}) or vector(0)`)],
      unit: "short",
      thresholds: plain(),
    }),
    statPanel({
      title: "Silences",
      description:
        "Silences in force: what they match tells nobody. Bad: one that was forgotten. Alertmanager's own page shows " +
        "who made it and until when.",
      queries: [now('sum(alertmanager_silences{state="active"})')],
      unit: "short",
      none: "no Alertmanager",
    }),
    statPanel({
      title: "Held back",
      description:
        "Alerts that Alertmanager does not pass on: silenced, or because their cause has an alert of its own. Bad: " +
        "something that nobody knows of is among them.",
      queries: [now('sum(alertmanager_alerts{state="suppressed"})')],
      unit: "short",
      none: "no Alertmanager",
    }),
    statPanel({
      title: "Messages that failed",
      description:
        "Messages in the last hour that did not reach anybody. Bad: more than 0; alerts go unheard.",
      queries: [now("sum(increase(alertmanager_notifications_failed_total[1h]))")],
      unit: "short",
      decimals: 0,
      thresholds: above(none),
      none: "no Alertmanager",
    }),
    alertListPanel({
      title: "Firing and pending alerts",
      description:
        "As Grafana reads them from Prometheus, with their text; of all severities and services. Bad: anything in it.",
      width: 12,
    }),
    tablePanel({
      title: "Since when",
      description: "Each alert that fires or is pending, and when its condition became true. Bad: hours ago.",
      // The second metric holds the time at which the condition became true, as its value.
      queries: [
        rows(`1000 * (ALERTS{${chosen}} * ignoring(alertstate) group_left ALERTS_FOR_STATE{${chosen}})`),
      ],
      unit: "short",
      columns: {
        alertname: { title: "alert", width: 220 },
        alertstate: { title: "state", width: 80 },
        Value: { title: "since", unit: "dateTimeFromNow", width: 140 },
      },
      hidden: ["Time", "__name__", "instance"],
      sortBy: "since",
      none: "nothing fires",
      width: 12,
      height: 8,
    }),
  ],
};

const history: Section = {
  title: "What was",
  panels: [
    statePanel({
      title: "History",
      description:
        "Each alert that was pending or firing in this time range. Bad: long or often recurring red.",
      queries: [over(`max by (alertname) (2 * ${firing} or ${pending})`, "{{alertname}}")],
      unit: "none",
      mappings: [words({ 1: ["pending", "yellow"], 2: ["firing", "red"] })],
      none: "nothing fired",
      width: 24,
      height: 9,
    }),
    timePanel({
      title: "Firing by severity",
      description: "Alerts that fired at each time. Bad: critical.",
      queries: [over(`sum by (severity) (${firing})`, "{{severity}}")],
      unit: "short",
      decimals: 0,
      stacked: true,
      none: "nothing fired",
    }),
    timePanel({
      title: "Firing by service",
      description:
        "Alerts that fired at each time, by where to look first. Bad: one service again and again.",
      queries: [over(`sum by (service) (${firing})`, "{{service}}")],
      unit: "short",
      decimals: 0,
      stacked: true,
      none: "nothing fired",
    }),
    barPanel({
      title: "Mean time to resolve",
      description:
        "How long each alert's condition was true, from its beginning until it was over, on average in this time " +
        "range; pending counts, one that is still true counts as long as it has lasted. Bad: longer than somebody " +
        "needs to react.",
      // A sample for each evaluation while the condition is true; the value changes when it becomes true anew.
      queries: [
        now(
          `sum by (alertname) (count_over_time(ALERTS_FOR_STATE{${chosen}}[$__range])) * scalar(max(prometheus_rule_group_interval_seconds)) / sum by (alertname) (changes(ALERTS_FOR_STATE{${chosen}}[$__range]) + 1)`,
          "{{alertname}}",
        ),
      ],
      unit: "s",
      none: "nothing fired",
    }),
  ],
};

const notifications: Section = {
  title: "Was somebody told?",
  panels: [
    timePanel({
      title: "Messages sent and failed",
      description: "Messages a second that Alertmanager sends, by all ways. Bad: failed above 0.",
      queries: [
        over("sum(rate(alertmanager_notifications_total[$__rate_interval]))", "sent"),
        over("sum(rate(alertmanager_notifications_failed_total[$__rate_interval]))", "failed"),
      ],
      unit: "ops",
      none: "no message",
      width: 6,
    }),
    timePanel({
      title: "From Prometheus to Alertmanager",
      description:
        "Alerts a second that Prometheus handed on, could not hand on, or dropped. Bad: the latter two above 0.",
      queries: [
        over("sum(rate(prometheus_notifications_sent_total[$__rate_interval]))", "handed on"),
        over("sum(rate(prometheus_notifications_errors_total[$__rate_interval]))", "failed"),
        over("sum(rate(prometheus_notifications_dropped_total[$__rate_interval]))", "dropped"),
      ],
      unit: "ops",
      width: 6,
    }),
    timePanel({
      title: "Silences by state",
      description: "Silences in force, still to come and over. Bad: one in force that nobody knows of.",
      queries: [over("sum by (state) (alertmanager_silences)", "{{state}}")],
      unit: "short",
      decimals: 0,
      none: "no Alertmanager",
      width: 6,
    }),
    timePanel({
      title: "Rules that fail",
      description:
        "Evaluations a second that fail, by group of rules. Bad: above 0; these alerts cannot fire.",
      queries: [
        over(
          "sum by (rule_group) (rate(prometheus_rule_evaluation_failures_total[$__rate_interval]))",
          "{{rule_group}}",
        ),
      ],
      unit: "ops",
      none: "none fails",
      width: 6,
    }),
  ],
};

function meanings(rules: readonly AlertRule[]): Section {
  return {
    title: "What each alert means, and what to do",
    panels: [
      textPanel({
        title: "Alerts",
        description:
          "Every alert of prometheus/rules/alerts.yml. What to do is in docs/runbooks.md, under its name.",
        height: 24,
        markdown: [
          "| alert | severity | service | fires when | what it means | what to do |",
          "|---|---|---|---|---|---|",
          ...rules.map(meaning),
        ].join("\n"),
      }),
    ],
  };
}

function meaning({ alert, labels, annotations, for: wait, expr }: AlertRule): string {
  const cells = [
    alert,
    labels.severity,
    asWords(labels.service),
    `\`${expr.trim().replace(/\s+/g, " ")}\`${wait ? ` for ${wait}` : ""}`,
    `${asWords(annotations.summary)}. ${asWords(annotations.description)}`,
    `\`${annotations.runbook_url}\``,
  ];
  // A bar would end the cell, in code too.
  return `| ${cells.map((cell) => cell.trim().replace(/\|/g, "\\|")).join(" | ")} |`;
}

/** What Prometheus fills in when an alert fires, by its name. */
function asWords(template: string): string {
  return template
    .replace(/\{\{[^}]*\$labels\.(\w+)[^}]*\}\}/g, "‹$1›")
    .replace(/\{\{[^}]*\$value[^}]*\}\}/g, "‹value›")
    .replace(/\s+/g, " ");
}
