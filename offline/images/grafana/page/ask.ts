import { substitute, variableQueries } from "../../../../src/dashboards/queries-of";
import {
  type ClickHouseAnswer,
  type Frame,
  type PrometheusData,
  rowsFrame,
  seriesFrames,
  tableFrame,
  timeFrames,
} from "./frames";
import { type Dashboard, type Panel, sorted, type Target, type Variable } from "./model";

/** What is filled in for a query. */
export interface Scope {
  readonly from: Date;
  readonly to: Date;
  readonly values: Readonly<Record<string, string | readonly string[]>>;
  /** Seconds between two scrapes of Prometheus, where the server knows. */
  readonly scrapeSeconds?: number | undefined;
}

/** The answers to all queries of a panel. */
export async function framesOf({ targets = [] }: Panel, scope: Scope, signal: AbortSignal): Promise<Frame[]> {
  const answers = await Promise.all(
    targets.map((target) => answersTo(target, scope, targets.length, signal)),
  );
  return answers.flat();
}

async function answersTo(
  target: Target,
  scope: Scope,
  queries: number,
  signal: AbortSignal,
): Promise<Frame[]> {
  const { refId, datasource, rawSql, expr = "" } = target;
  if (rawSql !== undefined) {
    const answer = await askClickHouse(datasource.uid, substitute(rawSql, scope), signal);
    return target.queryType === "timeseries" ? timeFrames(answer, refId) : [rowsFrame(answer, refId)];
  }
  const query = substitute(expr, scope);
  const source = { refId, expr: query, legend: target.legendFormat ?? "" };
  if (target.instant) {
    const data = await askPrometheus(datasource.uid, "query", { query, time: seconds(scope.to) }, signal);
    if (target.format === "table") return [tableFrame(data, refId, queries === 1)];
    return seriesFrames(data, source);
  }
  const step = Number.parseInt(substitute("$__interval", scope), 10);
  // On multiples of the step, so that points stay where they are from one refresh to the next.
  const aligned = (time: Date) => Math.floor(seconds(time) / step) * step;
  const grid = { start: aligned(scope.from), end: aligned(scope.to), step };
  const data = await askPrometheus(datasource.uid, "query_range", { query, ...grid }, signal);
  return seriesFrames(data, { ...source, grid });
}

function seconds(time: Date): number {
  return time.getTime() / 1000;
}

async function askPrometheus(
  uid: string,
  path: "query" | "query_range",
  parameters: Readonly<Record<string, string | number>>,
  signal: AbortSignal,
): Promise<PrometheusData> {
  const body = new URLSearchParams(Object.entries(parameters).map(([key, value]) => [key, String(value)]));
  const answer = await ask(`${proxy}/${uid}/api/v1/${path}`, { method: "POST", body, signal });
  return (answer as { data: PrometheusData }).data;
}

async function askClickHouse(
  uid: string,
  body: string,
  signal: AbortSignal | null = null,
): Promise<ClickHouseAnswer> {
  const headers = { "Content-Type": "application/sql" };
  return (await ask(`${proxy}/${uid}/`, { method: "POST", headers, body, signal })) as ClickHouseAnswer;
}

const proxy = "/api/datasources/proxy/uid";

/** @throws Error that says what the server has said. */
export async function ask(url: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(url, init);
  const text = await response.text();
  const json = parsed(text);
  if (response.ok && json !== undefined) return json;
  const error = (json as { error?: string } | undefined)?.error ?? text.trim();
  throw new Error(error || `${url.split("?")[0]}: ${response.status} ${response.statusText}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The values that can be chosen for each variable of a dashboard. */
export async function optionsOf(
  dashboard: Dashboard,
  scope: Scope,
): Promise<Record<string, readonly string[]>> {
  const queries = new Map(variableQueries(dashboard).map((query) => [query.variable, query]));
  const found = (dashboard.templating?.list ?? []).map(async (variable: Variable) => {
    const query = queries.get(variable.name);
    const values = query
      ? await valuesOf(query, scope)
      : String(variable.query ?? "")
          .split(",")
          .map((value) => value.trim());
    return [variable.name, sorted(values, variable.sort)] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

async function valuesOf(
  { datasource, query }: { readonly datasource: string; readonly query: string },
  scope: Scope,
): Promise<readonly string[]> {
  const [, series, label] = /^label_values\(\s*(.+?)\s*,\s*(\w+)\s*\)$/.exec(query) ?? [];
  if (series === undefined || label === undefined) {
    const { meta, data } = await askClickHouse(datasource, substitute(query, scope));
    return data.map((row) => String(row[meta[0]?.name ?? ""]));
  }
  const parameters = new URLSearchParams({
    "match[]": substitute(series, scope),
    start: String(seconds(scope.from)),
    end: String(seconds(scope.to)),
  });
  const answer = await ask(`${proxy}/${datasource}/api/v1/label/${label}/values?${parameters}`);
  return (answer as { data: readonly string[] }).data;
}

export interface PrometheusAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: "firing" | "pending";
  readonly activeAt: string;
}

export async function alertsOf(uid: string, signal: AbortSignal): Promise<readonly PrometheusAlert[]> {
  const answer = await ask(`${proxy}/${uid}/api/v1/alerts`, { signal });
  return (answer as { data: { alerts: readonly PrometheusAlert[] } }).data.alerts;
}

export interface FoundDashboard {
  readonly uid: string;
  readonly title: string;
  readonly description?: string;
  readonly tags: readonly string[];
}

export async function allDashboards(): Promise<readonly FoundDashboard[]> {
  return (await ask("/api/search")) as readonly FoundDashboard[];
}

export async function readDashboard(uid: string): Promise<Dashboard> {
  const { dashboard, meta } = (await ask(`/api/dashboards/uid/${uid}`)) as {
    dashboard: Dashboard;
    meta: { scrapeSeconds?: number };
  };
  return { ...dashboard, scrapeSeconds: meta.scrapeSeconds };
}
