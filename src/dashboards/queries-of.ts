/** A dashboard as its file holds it: what is read here of it. */
export interface DashboardJson {
  readonly uid: string;
  readonly title: string;
  readonly panels?: readonly PanelJson[];
  readonly templating?: { readonly list?: readonly VariableJson[] };
}

interface PanelJson {
  readonly type: string;
  readonly title?: string;
  readonly targets?: readonly TargetJson[];
  readonly panels?: readonly PanelJson[];
}

interface TargetJson {
  readonly datasource: { readonly uid: string };
  readonly expr?: string;
  readonly instant?: boolean;
  readonly rawSql?: string;
  readonly queryType?: string;
}

interface VariableJson {
  readonly name: string;
  readonly type: string;
  readonly query?: unknown;
  readonly datasource?: { readonly uid: string };
  readonly allValue?: string;
  readonly current?: { readonly value: string | readonly string[] };
}

export interface PanelQuery {
  /** The panel's title. */
  readonly panel: string;
  /** The data source's uid: "prometheus" or "clickhouse". */
  readonly datasource: string;
  /** As it is in the file, with variables. */
  readonly query: string;
  /** Of Prometheus: one point in time or a range; of ClickHouse: rows, or rows that begin with a time. */
  readonly kind: "instant" | "range" | "table" | "timeseries";
}

/** All queries of a dashboard's panels, in the order of its file; also of panels in collapsed rows. */
export function panelQueries(dashboard: DashboardJson): PanelQuery[] {
  return allPanels(dashboard).flatMap(({ title = "", targets = [] }) =>
    targets.map(({ datasource, expr, instant, rawSql, queryType }) => ({
      panel: title,
      datasource: datasource.uid,
      query: expr ?? rawSql ?? "",
      kind: expr === undefined ? (queryType as "table" | "timeseries") : instant ? "instant" : "range",
    })),
  );
}

/** All panels, also those in collapsed rows. */
export function allPanels(dashboard: DashboardJson): PanelJson[] {
  return (dashboard.panels ?? []).flatMap((panel) => [panel, ...(panel.panels ?? [])]);
}

export interface VariableQuery {
  readonly variable: string;
  readonly datasource: string;
  /** For Prometheus `label_values(metric, label)`, for ClickHouse SQL. */
  readonly query: string;
}

/** Where the values of a dashboard's variables come from; those with a fixed list are left out. */
export function variableQueries({ templating }: DashboardJson): VariableQuery[] {
  return (templating?.list ?? [])
    .filter(({ type }) => type === "query")
    .map(({ name, datasource, query }) => ({
      variable: name,
      datasource: datasource?.uid ?? "",
      query: String(query),
    }));
}

/** Values of a dashboard's variables when it is opened: what stands for all where all are chosen. */
export function initialValues({ templating }: DashboardJson): Record<string, string> {
  return Object.fromEntries(
    (templating?.list ?? []).map(({ name, allValue = ".+", current }) => {
      const value = [current?.value ?? "$__all"].flat()[0] as string;
      return [name, value === "$__all" ? allValue : value];
    }),
  );
}

export interface Substitutes {
  /** The time range. */
  readonly from: Date;
  readonly to: Date;
  /** The dashboard's variables by name: text is taken as it is, of a list any value is meant. */
  readonly values?: Readonly<Record<string, string | readonly string[]>>;
  /** Seconds between two scrapes of Prometheus; 5 by default. */
  readonly scrapeSeconds?: number | undefined;
  /** Points of a graph; 500 by default. */
  readonly points?: number;
}

/**
 * A query as the data source gets it: Grafana's own variables ($__from, $__to, $__range, $__interval, $__rate_interval)
 * and the dashboard's (`$name`, `${name}`, `${name:csv}`, `${name:regex}`) are filled in, as Grafana does it for
 * Prometheus and for plain lists.
 * @throws Error that names a variable without a value.
 */
export function substitute(query: string, substitutes: Substitutes): string {
  const own = grafanasOwn(substitutes);
  return query.replace(
    /\$\{(\w+)(?::(\w+))?\}|\$(\w+)/g,
    (text, braced?: string, format?: string, bare?: string) => {
      const name = (braced ?? bare) as string;
      const value = own[name] ?? substitutes.values?.[name];
      if (value === undefined) throw new Error(`${text}: no value for this variable in the query: ${query}`);
      if (typeof value === "string") return value;
      return format === "csv" ? value.join(",") : anyOf(value);
    },
  );
}

function grafanasOwn({ from, to, scrapeSeconds = 5, points = 500 }: Substitutes): Record<string, string> {
  const rangeSeconds = Math.max(1, Math.round((to.getTime() - from.getTime()) / 1000));
  const interval = Math.max(scrapeSeconds, Math.ceil(rangeSeconds / points));
  return {
    __from: String(from.getTime()),
    __to: String(to.getTime()),
    __range: `${rangeSeconds}s`,
    __interval: `${interval}s`,
    // So that a window always holds four samples.
    __rate_interval: `${Math.max(interval + scrapeSeconds, 4 * scrapeSeconds)}s`,
  };
}

/** A regular expression inside a text in double quotes, hence the doubled backslash. */
function anyOf(values: readonly string[]): string {
  const escaped = values.map((value) => value.replace(/[\\^$*+?.()|[\]{}]/g, "\\\\$&"));
  return escaped.length === 1 ? (escaped[0] as string) : `(${escaped.join("|")})`;
}
