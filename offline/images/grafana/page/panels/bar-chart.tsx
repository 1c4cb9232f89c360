import { css } from "@emotion/css";
import { formattedValueToString, getFieldDisplayName } from "@grafana/data";
import { theme } from "../fields";
import type { PanelProps } from "./types";

const colour = theme.visualization.getColorByName(theme.visualization.palette[0] ?? "green");

/** Horizontal bars: a bar for each row. @grafana/ui has no bar chart; Grafana's is part of Grafana itself. */
export function BarChart({ panel, frames, height }: PanelProps) {
  const [frame] = frames;
  const names = frame?.fields.find(({ name }) => name === panel.options.xField) ?? frame?.fields[0];
  const bars = frame?.fields.find(({ type }) => type === "number");
  if (!frame || !names || !bars) return null;
  const longest = Math.max(0, ...(bars.values as number[]));
  const percent = (value: number) => `${longest > 0 ? (100 * value) / longest : 0}%`;
  const row = Math.min(40, height / frame.length);
  return (
    <table className={styles.chart} aria-label={getFieldDisplayName(bars, frame)}>
      <tbody>
        {names.values.map((name, index) => {
          const value = bars.values[index] as number;
          const display = bars.display?.(value);
          return (
            <tr key={String(name)} style={{ height: row }}>
              <th scope="row">{String(name)}</th>
              <td>
                <div
                  className={styles.bar}
                  style={{ width: percent(value), height: row * 0.7, background: colour }}
                />
                <span>{display ? formattedValueToString(display) : value}</span>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

const styles = {
  chart: css({
    width: "100%",
    fontSize: theme.typography.bodySmall.fontSize,
    "& th": {
      width: 1,
      whiteSpace: "nowrap",
      paddingRight: 8,
      fontWeight: "normal",
      textAlign: "right",
      color: theme.colors.text.secondary,
    },
    "& td": { display: "flex", alignItems: "center", gap: 6, height: "100%", paddingRight: 56 },
    "& td span": { whiteSpace: "nowrap", marginRight: -56 },
  }),
  bar: css({ opacity: 0.85, borderRadius: 2, flexShrink: 0 }),
};
