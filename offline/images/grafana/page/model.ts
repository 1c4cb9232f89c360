import type { DashboardJson } from "../../../../src/dashboards/queries-of";

/** A dashboard's JSON, as far as the page draws it. */
export interface Dashboard extends DashboardJson {
  readonly description?: string;
  /** Of the data source that it asks, seconds. */
  readonly scrapeSeconds?: number | undefined;
  readonly tags?: readonly string[];
  readonly refresh?: string;
  readonly time?: { readonly from: string; readonly to: string };
  readonly panels?: readonly Panel[];
  readonly links?: readonly { readonly type: string; readonly tags?: readonly string[] }[];
  readonly templating?: { readonly list?: readonly Variable[] };
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
  readonly panels?: readonly Panel[];
  // biome-ignore lint/suspicious/noExplicitAny: each type of panel has its own; @grafana/schema describes them.
  readonly options?: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly fieldConfig?: { readonly defaults: any; readonly overrides: readonly any[] };
  readonly transformations?: readonly { readonly id: string; readonly options: unknown }[];
}

export interface Target {
  readonly refId: string;
  readonly datasource: { readonly uid: string };
  readonly expr?: string;
  readonly instant?: boolean;
  readonly format?: string | number;
  readonly legendFormat?: string;
  readonly rawSql?: string;
  readonly queryType?: string;
}

export interface Variable {
  readonly name: string;
  readonly type: string;
  readonly label?: string;
  readonly description?: string;
  readonly query?: unknown;
  readonly multi?: boolean;
  readonly includeAll?: boolean;
  readonly allValue?: string;
  readonly sort?: number;
  readonly datasource?: { readonly uid: string };
  readonly current?: { readonly value: string | readonly string[] };
}

export const all = "$__all";

/** Values that are chosen when a dashboard is opened. */
export function initialChoice({ current, includeAll }: Variable): readonly string[] {
  return current ? [current.value].flat() : includeAll ? [all] : [];
}

/** What a chosen value means in a query. */
export function meaningOf(variable: Variable, chosen: readonly string[]): string | readonly string[] {
  if (chosen.length === 0 || chosen.includes(all)) return variable.allValue ?? ".+";
  return variable.multi ? chosen : (chosen[0] ?? "");
}

/** Grafana's orders of a variable's values: 1 by name, 3 by number; even numbers are the other way round. */
export function sorted(values: readonly string[], sort = 0): readonly string[] {
  if (sort === 0) return values;
  const byName = (a: string, b: string) => a.localeCompare(b, "en");
  const up = [...values].sort(sort === 3 || sort === 4 ? (a, b) => Number(a) - Number(b) : byName);
  return sort % 2 === 0 ? up.reverse() : up;
}
