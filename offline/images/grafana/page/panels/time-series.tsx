import { DashboardCursorSync, type DataFrame, FieldType, getFieldDisplayName } from "@grafana/data";
import { TimeSeries as Graph, TooltipPlugin, ZoomPlugin } from "@grafana/ui";
import { useMemo } from "react";
import { timeZone } from "../fields";
import type { PanelProps } from "./types";

/** One cursor on all graphs of a dashboard; the numbers are shown at the graph under the pointer. */
export const cursorSync = () => DashboardCursorSync.Crosshair;

export function TimeSeries({ panel, frames: all, shown, range, width, height, onZoom }: PanelProps) {
  const { legend, tooltip } = panel.options;
  const frames = useMemo(() => withoutHidden(all, shown), [all, shown]);
  return (
    <Graph
      frames={frames}
      timeRange={range}
      timeZone={timeZone}
      width={width}
      height={height}
      legend={legend}
    >
      {(config, aligned) => (
        <>
          <ZoomPlugin config={config} onZoom={onZoom} />
          <TooltipPlugin
            config={config}
            data={aligned}
            frames={frames}
            mode={tooltip.mode}
            sortOrder={tooltip.sort}
            sync={cursorSync}
            timeZone={timeZone}
          />
        </>
      )}
    </Graph>
  );
}

/** Hidden series stay in the legend. Where no name is left of those that were to be shown, nothing is hidden. */
function withoutHidden(frames: DataFrame[], shown: readonly string[] | undefined): DataFrame[] {
  const nameOf = (frame: DataFrame, field: DataFrame["fields"][number]) =>
    getFieldDisplayName(field, frame, frames);
  const isShown = (frame: DataFrame, field: DataFrame["fields"][number]) =>
    field.type === FieldType.time || shown?.includes(nameOf(frame, field));
  if (!frames.some((frame) => frame.fields.some((field) => shown?.includes(nameOf(frame, field)))))
    return frames;
  const hidden = { hideFrom: { viz: true, tooltip: true, legend: false } };
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) =>
      isShown(frame, field)
        ? field
        : { ...field, config: { ...field.config, custom: { ...field.config.custom, ...hidden } } },
    ),
  }));
}
