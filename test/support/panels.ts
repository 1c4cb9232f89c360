import * as fs from "node:fs";
import {
  type DashboardJson,
  initialValues,
  type PanelQuery,
  panelQueries,
  substitute,
} from "../../src/dashboards/queries-of";
import { inProject, readProjectFile } from "../../src/lib/paths";
import type { Monitoring } from "./prometheus";

export const dashboards = fs
  .readdirSync(inProject("dashboards"))
  .filter((name) => name.endsWith(".json"))
  .map((name) => JSON.parse(readProjectFile("dashboards", name)) as DashboardJson);

/**
 * Panels that are rightly empty on a stack that is well, each with why. No other panel may be: one that shows "No data"
 * to who looks at it in need is of no use. While an alert fires these have data, too.
 */
export const emptyWhenWell: Readonly<Record<string, string>> = {
  "Alert Management / Since when": "lists the alerts that fire",
  "Alert Management / History": "lists the alerts that were pending or fired",
  "Alert Management / Firing by severity": "counts the alerts that fire",
  "Alert Management / Firing by service": "counts the alerts that fire",
  "Alert Management / Mean time to resolve": "averages over the alerts that were pending or fired",
};

interface NamedQuery extends PanelQuery {
  /** Dashboard and panel. */
  readonly name: string;
  readonly values: Readonly<Record<string, string>>;
}

export function allPanelQueries(): readonly NamedQuery[] {
  return dashboards.flatMap((dashboard) => {
    const values = initialValues(dashboard);
    return panelQueries(dashboard).map((query) => ({
      ...query,
      name: `${dashboard.title} / ${query.panel}`,
      values,
    }));
  });
}

function saysSomething(row: unknown): boolean {
  return Object.values(row as Record<string, unknown>).some((value) => value !== null && Number(value) !== 0);
}

type ClickHouseQuery = (sql: string) => Promise<readonly unknown[]>;

/** Runs a panel's query as Grafana would, over the last quarter of an hour, or over all orders. */
export async function hasData(
  { name, query, values, datasource, kind }: NamedQuery,
  { prometheus, clickhouse }: { readonly prometheus: Monitoring; readonly clickhouse: ClickHouseQuery },
): Promise<boolean> {
  const to = new Date();
  const from = new Date(to.getTime() - 15 * 60_000);
  const range = datasource === "clickhouse" ? { from: new Date(0), to } : { from, to };
  const text = substitute(query, { ...range, values });
  try {
    // Sums over nothing are rows, too.
    if (datasource === "clickhouse") return (await clickhouse(text)).some(saysSomething);
    const series =
      kind === "instant" ? await prometheus.instant(text) : await prometheus.range(text, from, to, 15);
    return series.some(({ values: points }) => points.some(([, value]) => value !== "NaN"));
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}\n${text}`);
  }
}
