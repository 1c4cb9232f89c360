import * as barchart from "@grafana/grafana-foundation-sdk/barchart";
import * as bargauge from "@grafana/grafana-foundation-sdk/bargauge";
import * as common from "@grafana/grafana-foundation-sdk/common";
import {
  type DataTransformerConfig,
  type DynamicConfigValue,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from "@grafana/grafana-foundation-sdk/dashboard";
import * as piechart from "@grafana/grafana-foundation-sdk/piechart";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as statetimeline from "@grafana/grafana-foundation-sdk/statetimeline";
import * as table from "@grafana/grafana-foundation-sdk/table";
import * as text from "@grafana/grafana-foundation-sdk/text";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";
import { prometheus, type Query } from "./queries";
import type { Limits } from "./thresholds";

/** What each panel says of itself. */
interface PanelArgs {
  readonly title: string;
  /** What it shows, and what bad looks like. */
  readonly description: string;
  readonly queries: readonly Query[];
  /** Prometheus by default. */
  readonly datasource?: common.DataSourceRef;
  /** Columns of Grafana's 24. */
  readonly width?: number;
  /** In Grafana's unit of about 30 pixels. */
  readonly height?: number;
}

interface NumberArgs extends PanelArgs {
  /** Grafana's name of the unit: "s", "bytes", "percentunit", "short". */
  readonly unit: string;
  readonly decimals?: number;
  readonly min?: number;
  readonly max?: number;
  readonly thresholds?: ThresholdsConfigBuilder;
  readonly mappings?: readonly ValueMapping[];
  /** What to show where there is no value. */
  readonly none?: string;
}

/** Green below, yellow near the limit, red from it on. */
export function above({ near, limit }: Limits): ThresholdsConfigBuilder {
  return steps([[null, "green"], ...(near < limit ? ([[near, "yellow"]] as const) : []), [limit, "red"]]);
}

/** Red below the value, green from it on. */
export function atLeast(value: number): ThresholdsConfigBuilder {
  return steps([
    [null, "red"],
    [value, "green"],
  ]);
}

/** For values that are neither good nor bad. */
export const plain = () => steps([[null, "blue"]]);

function steps(values: readonly (readonly [number | null, string])[]): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(values.map(([value, color]) => ({ value, color })));
}

/** Words in place of numbers. */
export function words(texts: Readonly<Record<number, readonly [text: string, color: string]>>): ValueMapping {
  const options = Object.entries(texts).map(([value, [text, color]], index) => [
    value,
    { text, color, index },
  ]);
  return { type: MappingType.ValueToText, options: Object.fromEntries(options) };
}

interface NumberPanel<T> {
  title(text: string): T;
  description(text: string): T;
  datasource(ref: common.DataSourceRef): T;
  targets(queries: Query[]): T;
  height(h: number): T;
  span(w: number): T;
  unit(unit: string): T;
  decimals(decimals: number): T;
  min(min: number): T;
  max(max: number): T;
  thresholds(thresholds: ThresholdsConfigBuilder): T;
  mappings(mappings: ValueMapping[]): T;
  noValue(text: string): T;
  build(): Panel;
}

function numbers<T extends NumberPanel<T>>(panel: T, args: NumberArgs): T {
  panel
    .title(args.title)
    .description(args.description)
    .datasource(args.datasource ?? prometheus)
    .targets([...args.queries])
    .height(args.height ?? 7)
    .span(args.width ?? 8)
    .unit(args.unit)
    .thresholds(args.thresholds ?? plain());
  if (args.decimals !== undefined) panel.decimals(args.decimals);
  if (args.min !== undefined) panel.min(args.min);
  if (args.max !== undefined) panel.max(args.max);
  if (args.mappings) panel.mappings([...args.mappings]);
  if (args.none !== undefined) panel.noValue(args.none);
  return panel;
}

const last = new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]).fields("").values(false);
const everyRow = new common.ReduceDataOptionsBuilder().calcs([]).fields("").values(true);

interface StatArgs extends NumberArgs {
  /** The whole tile in the colour of the threshold, for what must be seen from afar. */
  readonly background?: boolean;
  /** Show the course of the value behind it; needs a query over time. */
  readonly sparkline?: boolean;
  /** Units of single columns of the answer, where they are not the panel's. */
  readonly units?: Readonly<Record<string, string>>;
}

/** One number, or one a series. */
export function statPanel(args: StatArgs): Panel {
  const panel = numbers(new stat.PanelBuilder(), { width: 4, height: 4, ...args })
    .colorMode(args.background ? common.BigValueColorMode.Background : common.BigValueColorMode.Value)
    .graphMode(args.sparkline ? common.BigValueGraphMode.Area : common.BigValueGraphMode.None)
    .reduceOptions(last);
  for (const [name, unit] of Object.entries(args.units ?? {}))
    panel.overrideByName(name, [{ id: "unit", value: unit }]);
  return panel.build();
}

interface TimeSeriesArgs extends NumberArgs {
  readonly stacked?: boolean;
  readonly bars?: boolean;
  /** Draws the thresholds as lines. */
  readonly limit?: Limits;
}

/** Values over time. */
export function timePanel({ limit, ...args }: TimeSeriesArgs): Panel {
  const panel = numbers(new timeseries.PanelBuilder(), {
    min: 0,
    ...args,
    ...(limit ? { thresholds: above(limit) } : {}),
  })
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic))
    .lineWidth(1)
    .fillOpacity(args.bars ? 70 : args.stacked ? 30 : 8)
    .showPoints(common.VisibilityMode.Never)
    // A gap is a gap: a missing value is not joined to the next one.
    .spanNulls(false)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    );
  if (args.bars) panel.drawStyle(common.GraphDrawStyle.Bars);
  if (args.stacked)
    panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group("A"));
  if (limit)
    panel.thresholdsStyle(
      new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed),
    );
  return panel.build();
}

/** How a column of a table is shown. */
export interface Column {
  readonly title?: string;
  readonly unit?: string;
  readonly decimals?: number;
  readonly thresholds?: ThresholdsConfigBuilder;
  readonly mappings?: readonly ValueMapping[];
  readonly width?: number;
}

interface TableArgs extends NumberArgs {
  /** By name of the column; the values of several queries are called "Value #A", "Value #B" and so on. */
  readonly columns: Readonly<Record<string, Column>>;
  /** Columns that say nothing. */
  readonly hidden?: readonly string[];
  /** The column that sorts, by its title; the largest value first. */
  readonly sortBy?: string;
}

/** Rows; those of several queries are joined by the labels that they share. */
export function tablePanel({ columns, hidden = [], sortBy, ...args }: TableArgs): Panel {
  const panel = numbers(new table.PanelBuilder(), { width: 12, ...args });
  for (const [name, column] of Object.entries(columns)) panel.overrideByName(name, columnProperties(column));
  const transformations: DataTransformerConfig[] = [
    ...(args.queries.length > 1 ? [{ id: "merge", options: {} }] : []),
    ...(hidden.length > 0
      ? [
          {
            id: "organize",
            options: {
              excludeByName: Object.fromEntries(hidden.map((name) => [name, true])),
              indexByName: {},
              renameByName: {},
            },
          },
        ]
      : []),
  ];
  if (transformations.length > 0) panel.transformations(transformations);
  if (sortBy) panel.sortBy([new common.TableSortByFieldStateBuilder().displayName(sortBy).desc(true)]);
  const built = panel.build();
  // The SDK's default; Grafana has moved it to the single fields.
  delete built.options.footer;
  return built;
}

function columnProperties({
  title,
  unit,
  decimals,
  thresholds,
  mappings,
  width,
}: Column): DynamicConfigValue[] {
  const property = (id: string, value: unknown) => (value === undefined ? [] : [{ id, value }]);
  return [
    ...property("displayName", title),
    ...property("unit", unit),
    ...property("decimals", decimals),
    ...property("custom.width", width),
    ...property("mappings", mappings),
    ...(thresholds
      ? [
          { id: "thresholds", value: thresholds.build() },
          { id: "custom.cellOptions", value: { type: "color-text" } },
        ]
      : []),
  ];
}

/** States over time, one line each. */
export function statePanel(args: NumberArgs): Panel {
  return numbers(new statetimeline.PanelBuilder(), args)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .showValue(common.VisibilityMode.Auto)
    .mergeValues(true)
    .fillOpacity(80)
    .legend(new common.VizLegendOptionsBuilder().showLegend(false))
    .build();
}

/** Bars side by side: comparable at a glance. */
export function barPanel(args: NumberArgs): Panel {
  return numbers(new bargauge.PanelBuilder(), { min: 0, ...args })
    .orientation(common.VizOrientation.Horizontal)
    .displayMode(common.BarGaugeDisplayMode.Gradient)
    .reduceOptions(last)
    .build();
}

/** A bar for each row; the first column names it. */
export function barChartPanel(args: NumberArgs & { readonly x: string }): Panel {
  return numbers(new barchart.PanelBuilder(), { min: 0, ...args })
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic))
    .orientation(common.VizOrientation.Horizontal)
    .xField(args.x)
    .legend(new common.VizLegendOptionsBuilder().showLegend(false))
    .build();
}

/** Shares of a whole. */
export function piePanel(args: NumberArgs): Panel {
  return numbers(new piechart.PanelBuilder(), args)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic))
    .pieType(piechart.PieChartType.Donut)
    .displayLabels([])
    .reduceOptions(everyRow)
    .legend(
      new piechart.PieChartLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Right)
        .showLegend(true)
        .values([piechart.PieChartLegendValues.Percent]),
    )
    .build();
}

type TextArgs = Pick<PanelArgs, "title" | "description" | "width" | "height"> & { readonly markdown: string };

/** Text, in Markdown. */
export function textPanel({ title, description, width = 24, height = 6, markdown }: TextArgs): Panel {
  return new text.PanelBuilder()
    .title(title)
    .description(description)
    .span(width)
    .height(height)
    .mode(text.TextMode.Markdown)
    .content(markdown)
    .build();
}

/** Grafana's own list of the alerts that are firing or about to; the SDK has no builder for it. */
export function alertListPanel({
  title,
  description,
  width = 12,
  height = 8,
}: Omit<TextArgs, "markdown">): Panel {
  return {
    type: "alertlist",
    title,
    description,
    transparent: false,
    gridPos: { x: 0, y: 0, w: width, h: height },
    options: {
      viewMode: "list",
      groupMode: "default",
      groupBy: [],
      maxItems: 30,
      // By importance.
      sortOrder: 3,
      dashboardAlerts: false,
      alertName: "",
      alertInstanceLabelFilter: "",
      // The data source's name, not its uid.
      datasource: "Prometheus",
      showInstances: true,
      showInactiveAlerts: false,
      stateFilter: {
        firing: true,
        pending: true,
        recovering: true,
        noData: false,
        normal: false,
        error: true,
      },
    },
  };
}
