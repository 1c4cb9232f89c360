import { css } from "@emotion/css";
import { Button, LinkButton } from "@grafana/ui";
import { useEffect, useMemo, useRef, useState } from "react";
import { allPanels } from "../../../../src/dashboards/queries-of";
import { type FoundDashboard, optionsOf, type Scope } from "./ask";
import { RefreshControl, TimeControl, VariableControl } from "./controls";
import { theme } from "./fields";
import { type Dashboard, initialChoice, meaningOf, type Panel } from "./model";
import { PanelView } from "./panel";
import { intervalMs, parseTime } from "./range";
import { type UrlState, writeUrl } from "./url";

interface DashboardViewProps {
  readonly dashboard: Dashboard;
  readonly others: readonly FoundDashboard[];
  readonly state: UrlState;
  readonly onChange: (state: UrlState) => void;
}

export function DashboardView({ dashboard, others, state, onChange }: DashboardViewProps) {
  const own = dashboard.time ?? { from: "now-6h", to: "now" };
  const { from = own.from, to = own.to, refresh = dashboard.refresh ?? "" } = state;
  const variables = dashboard.templating?.list ?? [];
  const chosen = useMemo(
    () =>
      Object.fromEntries(
        (dashboard.templating?.list ?? []).map((variable) => {
          return [variable.name, state.variables[variable.name] ?? initialChoice(variable)];
        }),
      ),
    [dashboard, state.variables],
  );
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const every = intervalMs(refresh);
    if (every === undefined) return;
    const timer = setInterval(() => !document.hidden && setNow(new Date()), every);
    return () => clearInterval(timer);
  }, [refresh]);
  const scope = useMemo<Scope>(() => {
    const values = (dashboard.templating?.list ?? []).map((variable) => {
      return [variable.name, meaningOf(variable, chosen[variable.name] ?? [])] as const;
    });
    return {
      from: parseTime(from, now),
      to: parseTime(to, now),
      values: Object.fromEntries(values),
      scrapeSeconds: dashboard.scrapeSeconds,
    };
  }, [dashboard, chosen, from, to, now]);
  const { options, error } = useOptions(dashboard, scope);
  const setRange = (range: { readonly from: string | number; readonly to: string | number }) => {
    setNow(new Date());
    // A zoom gives fractions of milliseconds.
    const written = (time: string | number) => String(typeof time === "number" ? Math.round(time) : time);
    onChange({ ...state, from: written(range.from), to: written(range.to) });
  };
  return (
    <main className={styles.main}>
      <header className={styles.header}>
        <div>
          <h1>{dashboard.title}</h1>
          <p>{dashboard.description}</p>
        </div>
        <div className={styles.controls}>
          <TimeControl from={from} to={to} own={own} onChange={setRange} />
          <RefreshControl refresh={refresh} onChange={(refresh) => onChange({ ...state, refresh })} />
          <Button
            icon="sync"
            variant="secondary"
            aria-label="Refresh now"
            onClick={() => setNow(new Date())}
          />
        </div>
      </header>
      <nav className={styles.bar} aria-label="Variables and other dashboards">
        {variables.map((variable) => (
          <VariableControl
            key={variable.name}
            variable={variable}
            options={options[variable.name] ?? []}
            chosen={chosen[variable.name] ?? []}
            onChange={(values) =>
              onChange({ ...state, variables: { ...state.variables, [variable.name]: values } })
            }
          />
        ))}
        {error && <span className={styles.error}>values cannot be listed: {error}</span>}
        <span className={styles.links}>
          {linkedFrom(dashboard, others).map(({ uid, title }) => (
            <LinkButton
              key={uid}
              href={writeUrl({ ...state, uid, from, to })}
              variant="secondary"
              size="sm"
              fill="text"
              icon="apps"
            >
              {title}
            </LinkButton>
          ))}
        </span>
      </nav>
      <Grid panels={allPanels(dashboard) as unknown as readonly Panel[]} scope={scope} onZoom={setRange} />
    </main>
  );
}

/** Links of the type "dashboards" lead to all that have one of the tags; they keep time range and variables. */
function linkedFrom(
  { uid, links = [] }: Dashboard,
  others: readonly FoundDashboard[],
): readonly FoundDashboard[] {
  const tags = links.filter(({ type }) => type === "dashboards").flatMap((link) => link.tags ?? []);
  return others.filter((other) => other.uid !== uid && other.tags.some((tag) => tags.includes(tag)));
}

/** Asked for once: what the lists hold changes rarely. */
function useOptions(dashboard: Dashboard, scope: Scope) {
  const [found, setFound] = useState<{ options: Record<string, readonly string[]>; error?: string }>({
    options: {},
  });
  const asked = useRef<Dashboard>(undefined);
  useEffect(() => {
    if (asked.current === dashboard) return;
    asked.current = dashboard;
    optionsOf(dashboard, scope).then(
      (options) => setFound({ options }),
      (error: Error) => setFound({ options: {}, error: error.message }),
    );
  }, [dashboard, scope]);
  return found;
}

interface GridProps {
  readonly panels: readonly Panel[];
  readonly scope: Scope;
  readonly onZoom: (range: { readonly from: number; readonly to: number }) => void;
}

const columns = 24;
const rowHeight = 30;
const gap = 8;

/** Grafana's grid: 24 columns, rows of 30 pixels, gaps of 8. */
function Grid({ panels, scope, onZoom }: GridProps) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => entry && setWidth(entry.contentRect.width));
    if (place.current) observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  const x = (units: number) => (units * (width + gap)) / columns;
  const y = (units: number) => units * (rowHeight + gap);
  const end = Math.max(0, ...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  return (
    <div ref={place} style={{ position: "relative", height: y(end) }}>
      {width > 0 &&
        panels.map((panel) => {
          const { x: column, y: row, w, h } = panel.gridPos;
          const size = { width: Math.floor(x(w) - gap), height: y(h) - gap };
          return (
            <div key={panel.id} style={{ position: "absolute", left: x(column), top: y(row), ...size }}>
              {panel.type === "row" ? (
                <h2 className={styles.row}>{panel.title}</h2>
              ) : (
                <PanelView panel={panel} scope={scope} onZoom={onZoom} {...size} />
              )}
            </div>
          );
        })}
    </div>
  );
}

const styles = {
  main: css({ flexGrow: 1, minWidth: 0, padding: 16 }),
  header: css({
    display: "flex",
    justifyContent: "space-between",
    alignItems: "start",
    gap: 16,
    marginBottom: 8,
    "& h1": { fontSize: theme.typography.h3.fontSize, margin: 0 },
    "& p": { color: theme.colors.text.secondary, margin: 0 },
  }),
  controls: css({ display: "flex", gap: 8 }),
  bar: css({ display: "flex", flexWrap: "wrap", alignItems: "center", gap: 8, marginBottom: 8 }),
  links: css({ marginLeft: "auto", display: "flex", flexWrap: "wrap" }),
  error: css({ color: theme.colors.error.text }),
  row: css({
    margin: 0,
    height: rowHeight,
    lineHeight: `${rowHeight}px`,
    fontSize: theme.typography.h5.fontSize,
    fontWeight: theme.typography.fontWeightMedium,
  }),
};
