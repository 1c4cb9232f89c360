import { DashboardCursorSync } from "@grafana/data";
import { TimeSeries as Graph, TooltipPlugin, ZoomPlugin } from "@grafana/ui";
import { timeZone } from "../fields";
import type { PanelProps } from "./types";

/** One cursor on all graphs of a dashboard; the numbers are shown at the graph under the pointer. */
export const cursorSync = () => DashboardCursorSync.Crosshair;

export function TimeSeries({ panel, frames, range, width, height, onZoom }: PanelProps) {
  const { legend, tooltip } = panel.options;
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
