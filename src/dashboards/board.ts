import {
  CustomVariableBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel,
  QueryVariableBuilder,
  type RowPanel,
  type VariableModel,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { clickhouse, prometheus } from "./queries";

/** A headline and what is below it. */
export interface Section {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Board {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly time: { readonly from: string; readonly to: string };
  /** How often it asks again, as in "10s". */
  readonly refresh: string;
  readonly variables: readonly VariableModel[];
  readonly sections: readonly Section[];
}

/** All dashboards carry this tag, and link to all that do. */
export const tag = "cdc";

const columns = 24;

/** A dashboard with its panels in reading order: as many side by side as fit. */
export function board({ uid, title, description, time, refresh, variables, sections }: Board): Dashboard {
  const built = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([tag])
    .timezone("browser")
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ ...time })
    .refresh(refresh)
    .readonly()
    .link(
      new DashboardLinkBuilder("CDC dashboards")
        .type(DashboardLinkType.Dashboards)
        .tags([tag])
        // Orders of the demo are of past years, and a range of years has the others look at a point a day.
        .keepTime(false)
        .includeVars(true),
    )
    .build();
  // By default the SDK puts links into a menu, where nobody sees them.
  for (const link of built.links ?? []) delete link.placement;
  return {
    ...built,
    templating: { list: variables.map(withoutInterval) },
    annotations: { list: [] },
    panels: placed(sections),
  };
}

/** The SDK gives each variable the fields of one kind of variable, which the schema of the others does not have. */
function withoutInterval(variable: VariableModel): VariableModel {
  const { auto: _auto, auto_min: _min, auto_count: _count, ...rest } = variable;
  return rest;
}

function placed(sections: readonly Section[]): (Panel | RowPanel)[] {
  const panels: (Panel | RowPanel)[] = [];
  let y = 0;
  const add = (panel: Panel | RowPanel) => panels.push({ ...panel, id: panels.length + 1 });
  for (const section of sections) {
    add({
      type: "row",
      id: 0,
      title: section.title,
      collapsed: false,
      gridPos: { x: 0, y, w: columns, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of section.panels) {
      const { w = 8, h = 7 } = panel.gridPos ?? {};
      if (x + w > columns) {
        x = 0;
        y += height;
        height = 0;
      }
      add({ ...withRefIds(panel), gridPos: { x, y, w, h } });
      x += w;
      height = Math.max(height, h);
    }
    y += height;
  }
  return panels;
}

/** Queries are called A, B, C within their panel. */
function withRefIds(panel: Panel): Panel {
  if (!panel.targets) return panel;
  return {
    ...panel,
    targets: panel.targets.map((target, index) => ({ ...target, refId: String.fromCharCode(65 + index) })),
  };
}

interface ChoiceArgs {
  readonly name: string;
  readonly label: string;
  readonly description: string;
}

/** The values of a label in Prometheus. "All" is any value, also one that appears later. */
export function labelChoice({ metric, ...args }: ChoiceArgs & { readonly metric: string }): VariableModel {
  return choice(args, {
    query: `label_values(${metric}, ${args.name})`,
    all: ".+",
    sort: VariableSort.AlphabeticalAsc,
  })
    .datasource(prometheus)
    .build();
}

/** The rows of a query to ClickHouse; `all` is what stands for all of them. */
export function sqlChoice({
  query,
  all,
  ...args
}: ChoiceArgs & { readonly query: string; readonly all: string }) {
  return choice(args, { query, all, sort: VariableSort.NumericalAsc }).datasource(clickhouse).build();
}

function choice(
  { name, label, description }: ChoiceArgs,
  { query, all, sort }: { readonly query: string; readonly all: string; readonly sort: VariableSort },
): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .description(description)
    .query(query)
    .multi(true)
    .includeAll(true)
    .allValue(all)
    .current({ text: ["All"], value: ["$__all"] })
    .refresh(VariableRefresh.OnDashboardLoad)
    .sort(sort);
}

/** Values that are known beforehand: several of them, and all by default. */
export function listChoice({
  values,
  ...args
}: ChoiceArgs & { readonly values: readonly string[] }): VariableModel {
  return new CustomVariableBuilder(args.name)
    .label(args.label)
    .description(args.description)
    .values(values.join(","))
    .multi(true)
    .includeAll(true)
    .allValue(".+")
    .current({ text: ["All"], value: ["$__all"] })
    .build();
}

/** One of a few numbers. */
export function numberChoice({
  values,
  ...args
}: ChoiceArgs & { readonly values: readonly [number, ...number[]] }): VariableModel {
  return new CustomVariableBuilder(args.name)
    .label(args.label)
    .description(args.description)
    .values(values.join(","))
    .current({ text: String(values[0]), value: String(values[0]) })
    .build();
}
