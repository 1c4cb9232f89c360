import { css } from "@emotion/css";
import { dateTime } from "@grafana/data";
import { Badge } from "@grafana/ui";
import type { PrometheusAlert } from "../ask";
import { theme } from "../fields";

interface AlertListProps {
  readonly alerts: readonly PrometheusAlert[];
  readonly width: number;
  readonly height: number;
}

/** Alerts of Prometheus: what fires first, the newest first. */
export function AlertList({ alerts, width, height }: AlertListProps) {
  const place = ({ state, activeAt }: PrometheusAlert) => `${state === "firing" ? 1 : 0}${activeAt}`;
  const ordered = [...alerts].sort((a, b) => place(b).localeCompare(place(a)));
  return (
    <ul className={styles.list} style={{ width, height }}>
      {ordered.map(({ labels, annotations, state, activeAt }) => (
        <li key={JSON.stringify(labels)}>
          <Badge color={state === "firing" ? "red" : "orange"} text={state} />
          <div>
            <div>
              <strong>{labels.alertname}</strong> <span>{dateTime(activeAt).fromNow()}</span>
            </div>
            <div className={styles.summary}>{annotations.summary}</div>
            <div className={styles.labels}>{describe(labels)}</div>
          </div>
        </li>
      ))}
    </ul>
  );
}

function describe({ alertname: _, ...labels }: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
}

const styles = {
  list: css({
    overflow: "auto",
    listStyle: "none",
    "& li": {
      display: "flex",
      alignItems: "start",
      gap: 12,
      padding: "8px 4px",
      borderBottom: `1px solid ${theme.colors.border.weak}`,
    },
    "& span": { color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize },
  }),
  summary: css({ color: theme.colors.text.primary }),
  labels: css({ color: theme.colors.text.secondary, fontSize: theme.typography.bodySmall.fontSize }),
};
