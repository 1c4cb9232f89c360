import { css } from "@emotion/css";
import { dateTimeFormat, type Field, formattedValueToString, getFieldDisplayName } from "@grafana/data";
import { theme, timeZone } from "../fields";
import { statesOf } from "./states";
import type { PanelProps } from "./types";

/** A line of states for each series. @grafana/ui has no state timeline; Grafana's is part of Grafana itself. */
export function StateTimeline({ panel, frames, range, width, height }: PanelProps) {
  const rows = frames.flatMap((frame) => {
    const [time, value] = frame.fields;
    return time && value ? [{ name: getFieldDisplayName(value, frame, frames), time, value }] : [];
  });
  const axis = 20;
  const row = (height - axis) / Math.max(1, rows.length);
  const names = Math.min(width / 3, 12 + 7 * Math.max(...rows.map(({ name }) => name.length)));
  return (
    <div style={{ width, height }} className={styles.chart}>
      {rows.map(({ name, time, value }) => (
        <div key={name} className={styles.row} style={{ height: row }}>
          <div className={styles.name} style={{ width: names }} title={name}>
            {name}
          </div>
          <States
            time={time}
            value={value}
            range={range}
            rowHeight={row * panel.options.rowHeight}
            width={width - names}
          />
        </div>
      ))}
      <div className={styles.axis} style={{ height: axis, marginLeft: names }}>
        {ticks(range, Math.max(2, Math.floor((width - names) / 140))).map((tick) => (
          <span key={tick}>{tick}</span>
        ))}
      </div>
    </div>
  );
}

type StatesProps = Pick<PanelProps, "range"> & {
  readonly time: Field;
  readonly value: Field;
  readonly rowHeight: number;
  readonly width: number;
};

function States({ time, value, range, rowHeight, width }: StatesProps) {
  const from = range.from.valueOf();
  const length = Math.max(1, range.to.valueOf() - from);
  const states = statesOf(time.values, value.values, { from, to: range.to.valueOf() });
  return (
    <div className={styles.states} style={{ height: rowHeight }}>
      {states.map((state) => {
        const display = value.display?.(state.value);
        const text = display ? formattedValueToString(display) : String(state.value);
        return (
          <div
            key={state.from}
            className={styles.state}
            title={`${text}, ${clock(state.from)} to ${clock(state.to)}`}
            style={{
              left: `${(100 * (state.from - from)) / length}%`,
              width: `${(100 * (state.to - state.from)) / length}%`,
              background: display?.color,
            }}
          >
            {/* Half a word says less than none. */}
            {(width * (state.to - state.from)) / length > 10 + 7 * text.length && text}
          </div>
        );
      })}
    </div>
  );
}

function clock(time: number): string {
  return dateTimeFormat(time, { timeZone });
}

function ticks({ from, to }: PanelProps["range"], count: number): string[] {
  const length = to.valueOf() - from.valueOf();
  const format = length > 2 * 86_400_000 ? "MM-DD HH:mm" : "HH:mm:ss";
  return Array.from({ length: count }, (_, index) =>
    dateTimeFormat(from.valueOf() + (length * index) / (count - 1), { timeZone, format }),
  );
}

const styles = {
  chart: css({ fontSize: theme.typography.bodySmall.fontSize, overflow: "hidden" }),
  row: css({ display: "flex", alignItems: "center" }),
  name: css({
    flexShrink: 0,
    paddingRight: 8,
    textAlign: "right",
    overflow: "hidden",
    textOverflow: "ellipsis",
    whiteSpace: "nowrap",
  }),
  states: css({ position: "relative", flexGrow: 1 }),
  state: css({
    position: "absolute",
    height: "100%",
    display: "flex",
    alignItems: "center",
    overflow: "hidden",
    opacity: 0.85,
    paddingLeft: 4,
    boxSizing: "border-box",
    color: theme.colors.getContrastText("#73bf69"),
  }),
  axis: css({
    display: "flex",
    justifyContent: "space-between",
    alignItems: "end",
    color: theme.colors.text.secondary,
  }),
};
