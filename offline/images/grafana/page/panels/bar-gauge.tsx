import { getDisplayValueAlignmentFactors } from "@grafana/data";
import { BarGauge as Bar, VizRepeater } from "@grafana/ui";
import { theme } from "../fields";
import { displayValues } from "./stat";
import type { PanelProps } from "./types";

export function BarGauge({ panel, frames, width, height }: PanelProps) {
  const { options } = panel;
  return (
    <VizRepeater
      width={width}
      height={height}
      source={frames}
      renderCounter={0}
      orientation={options.orientation}
      minVizWidth={options.minVizWidth}
      minVizHeight={options.minVizHeight}
      maxVizHeight={options.maxVizHeight}
      itemSpacing={8}
      getValues={() => displayValues(panel, frames)}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, alignmentFactors, width, height, orientation, count }) => (
        <Bar
          value={count === 1 ? { ...value.display, title: value.display.title ?? "" } : value.display}
          field={value.field}
          {...(value.view &&
            value.colIndex !== undefined &&
            displayOf(value.view.getFieldDisplayProcessor(value.colIndex)))}
          alignmentFactors={alignmentFactors}
          width={width}
          height={height}
          orientation={orientation}
          displayMode={options.displayMode}
          valueDisplayMode={options.valueMode}
          namePlacement={options.namePlacement}
          showUnfilled={options.showUnfilled}
          theme={theme}
        />
      )}
    />
  );
}

function displayOf<T>(display: T | undefined): { readonly display?: T } {
  return display ? { display } : {};
}
