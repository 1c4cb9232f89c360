import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  createTheme,
  type DataFrame,
  FieldConfigOptionsRegistry,
  type FieldConfigPropertyItem,
  type GrafanaTheme2,
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
} from "@grafana/data";
import { lastValueFrom } from "rxjs";
import type { Frame } from "./frames";
import type { Panel } from "./model";

export const theme: GrafanaTheme2 = createTheme({ colors: { mode: "dark" } });

/** Times are shown in the reader's zone, as the dashboards ask for. */
export const timeZone = "browser";

/** Field options that dashboards set; Grafana keeps this list outside of its packages. */
const standard = [
  "displayName",
  "unit",
  "decimals",
  "min",
  "max",
  "mappings",
  "thresholds",
  "color",
  "noValue",
  "links",
  "description",
];

/** Those of panel types, below `custom`. */
const custom = [
  "align",
  "axisPlacement",
  "axisSoftMax",
  "axisSoftMin",
  "cellOptions",
  "drawStyle",
  "fillOpacity",
  "gradientMode",
  "hideFrom",
  "inspect",
  "lineInterpolation",
  "lineStyle",
  "lineWidth",
  "pointSize",
  "scaleDistribution",
  "showPoints",
  "spanNulls",
  "stacking",
  "thresholdsStyle",
  "width",
];

const registry = new FieldConfigOptionsRegistry(() => [
  ...standard.map((path) => option(path, false)),
  ...custom.map((path) => option(path, true)),
]);

/** An option that is taken as it is. */
function option(path: string, isCustom: boolean): FieldConfigPropertyItem {
  return {
    id: isCustom ? `custom.${path}` : path,
    path,
    isCustom,
    name: path,
    process: (value: unknown) => value,
    shouldApply: () => true,
    // Nothing is edited here.
    editor: () => null,
    override: () => null,
  } as FieldConfigPropertyItem;
}

const transformers = [standardTransformers.mergeTransformer, standardTransformers.organizeFieldsTransformer];

standardTransformersRegistry.setInit(() =>
  transformers.map((transformer) => ({
    id: transformer.id,
    name: transformer.name,
    transformation: async () => transformer,
    editor: () => null,
    imageDark: "",
    imageLight: "",
  })),
);

/** A panel's answers, transformed, with its units, thresholds, names and colours. */
export async function preparedFrames(panel: Panel, frames: readonly Frame[]): Promise<DataFrame[]> {
  const raw = frames as unknown as DataFrame[];
  const transformed =
    panel.transformations && panel.transformations.length > 0
      ? await lastValueFrom(transformDataFrame(panel.transformations as never, raw))
      : raw;
  const defaults = { ...panel.fieldConfig?.defaults };
  // Grafana fills in the defaults of a panel type; colours by thresholds are those of all but graphs.
  defaults.color ??= { mode: panel.type === "timeseries" ? "palette-classic" : "thresholds" };
  const prepared = applyFieldOverrides({
    data: transformed,
    fieldConfig: { defaults, overrides: [...(panel.fieldConfig?.overrides ?? [])] },
    fieldConfigRegistry: registry,
    replaceVariables: (text) => text,
    theme,
    timeZone,
  });
  cacheFieldDisplayNames(prepared);
  return prepared;
}
