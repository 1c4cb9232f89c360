import { type FieldDisplay, getDisplayValueAlignmentFactors, getFieldDisplayValues } from "@grafana/data";
import { BigValue, VizRepeater } from "@grafana/ui";
import { theme, timeZone } from "../fields";
import type { Panel } from "../model";
import type { PanelProps } from "./types";

export function displayValues(panel: Panel, frames: PanelProps["frames"], sparkline = false): FieldDisplay[] {
  return getFieldDisplayValues({
    data: frames,
    reduceOptions: panel.options.reduceOptions,
    fieldConfig: { defaults: panel.fieldConfig?.defaults ?? {}, overrides: [] },
    replaceVariables: (text) => text,
    sparkline,
    theme,
    timeZone,
  });
}

export function Stat({ panel, frames, width, height }: PanelProps) {
  const { options } = panel;
  return (
    <VizRepeater
      width={width}
      height={height}
      source={frames}
      renderCounter={0}
      autoGrid
      orientation={options.orientation}
      getValues={() => displayValues(panel, frames, options.graphMode !== "none")}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, alignmentFactors, width, height, count }) => (
        <BigValue
          value={value.display}
          {...(value.sparkline && { sparkline: value.sparkline })}
          alignmentFactors={alignmentFactors}
          count={count}
          width={width}
          height={height}
          colorMode={options.colorMode}
          graphMode={options.graphMode}
          justifyMode={options.justifyMode}
          textMode={options.textMode}
          disableWideLayout={!options.wideLayout}
          theme={theme}
        />
      )}
    />
  );
}
