import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import type { DataSourceRef } from "@grafana/grafana-foundation-sdk/common";
import {
  DataqueryBuilder,
  PromQueryFormat,
  QueryEditorMode,
} from "@grafana/grafana-foundation-sdk/prometheus";

/** As dashboards/provisioning/datasources.yaml has them. */
export const prometheus: DataSourceRef = { type: "prometheus", uid: "prometheus" };
export const clickhouse: DataSourceRef = { type: "grafana-clickhouse-datasource", uid: "clickhouse" };

export type Query = Builder<Dataquery>;

/** A value over time; the legend takes labels as {{label}}. */
export function over(expr: string, legend = ""): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(prometheus)
    .editorMode(QueryEditorMode.Code)
    .expr(expr)
    .legendFormat(legend)
    .range();
}

/** The value at the end of the time range: one point a series, which is all that a single number needs. */
export function now(expr: string, legend = ""): DataqueryBuilder {
  return over(expr, legend).instant();
}

/** The values at the end of the time range as rows, a column for each label. */
export function rows(expr: string): DataqueryBuilder {
  return now(expr).format(PromQueryFormat.Table);
}

/** What the ClickHouse plugin expects of a query; the SDK knows only Grafana's own data sources. */
interface ClickHouseQuery extends Dataquery {
  readonly datasource: DataSourceRef;
  readonly editorType: "sql";
  readonly queryType: "table" | "timeseries";
  /** The plugin's number for the same: 0 is a time series, 1 a table. */
  readonly format: 0 | 1;
  readonly rawSql: string;
  refId: string;
}

/** Rows of a query to ClickHouse. */
export function sql(rawSql: string): Query {
  return clickHouseQuery(rawSql, { queryType: "table", format: 1 });
}

/** A query whose first column is a time, and which is sorted by it. */
export function sqlOver(rawSql: string): Query {
  return clickHouseQuery(rawSql, { queryType: "timeseries", format: 0 });
}

function clickHouseQuery(rawSql: string, kind: Pick<ClickHouseQuery, "queryType" | "format">): Query {
  const query = { datasource: clickhouse, editorType: "sql", rawSql, ...kind, refId: "" };
  return { build: () => query as unknown as ClickHouseQuery };
}
