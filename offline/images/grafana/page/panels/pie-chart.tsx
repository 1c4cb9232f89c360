import { css } from "@emotion/css";
import { formattedValueToString } from "@grafana/data";
import { VizLayout, VizLegend } from "@grafana/ui";
import { theme } from "../fields";
import { displayValues } from "./stat";
import type { PanelProps } from "./types";

/** A ring with a legend beside it. @grafana/ui has no pie chart; Grafana's is part of Grafana itself. */
export function PieChart({ panel, frames, width, height }: PanelProps) {
  const { legend } = panel.options;
  // Colours by thresholds would make one colour of all slices.
  const palette = theme.visualization.palette.map((name) => theme.visualization.getColorByName(name));
  const slices = displayValues(panel, frames)
    .filter(({ display }) => display.numeric > 0)
    .map(({ display }, index) => ({ display, color: palette[index % palette.length] ?? "" }));
  const total = slices.reduce((sum, { display }) => sum + display.numeric, 0);
  const share = (value: number) => (total > 0 ? value / total : 0);
  const items = slices.map(({ display, color }) => ({
    label: display.title ?? "",
    color,
    yAxis: 1,
    getDisplayValues: () => [
      {
        numeric: share(display.numeric),
        text: `${Math.round(100 * share(display.numeric))}%`,
        title: "Percent",
      },
    ],
  }));
  return (
    <VizLayout
      width={width}
      height={height}
      legend={
        legend.showLegend ? (
          <VizLayout.Legend placement={legend.placement}>
            <VizLegend items={items} placement={legend.placement} displayMode={legend.displayMode} />
          </VizLayout.Legend>
        ) : null
      }
    >
      {(width, height) => <Ring slices={slices} share={share} size={Math.min(width, height)} width={width} />}
    </VizLayout>
  );
}

interface RingProps {
  readonly slices: readonly {
    readonly display: ReturnType<typeof displayValues>[number]["display"];
    readonly color: string;
  }[];
  readonly share: (value: number) => number;
  readonly size: number;
  readonly width: number;
}

/** Each slice is a piece of a circle's dashed line; the circle's length is 100. */
function Ring({ slices, share, size, width }: RingProps) {
  let begin = 0;
  return (
    <div className={css({ width, height: size, display: "flex", justifyContent: "center" })}>
      <svg width={size} height={size} viewBox="-21 -21 42 42" role="img" aria-label="shares">
        {slices.map(({ display, color }) => {
          const part = 100 * share(display.numeric);
          const offset = 25 - begin;
          begin += part;
          return (
            <circle
              key={display.title}
              r={100 / (2 * Math.PI)}
              fill="none"
              stroke={color}
              strokeWidth={7}
              strokeDasharray={`${Math.max(0, part - 0.4)} ${100 - Math.max(0, part - 0.4)}`}
              strokeDashoffset={offset}
            >
              <title>{`${display.title}: ${formattedValueToString(display)}`}</title>
            </circle>
          );
        })}
      </svg>
    </div>
  );
}
