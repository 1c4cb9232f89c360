import { css } from "@emotion/css";
import { type DataFrame, dateTime, EventBusSrv, LoadingState, type TimeRange } from "@grafana/data";
import {
  ErrorBoundaryAlert,
  PanelChrome,
  PanelContextProvider,
  SeriesVisibilityChangeMode,
} from "@grafana/ui";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { alertsOf, framesOf, type PrometheusAlert, type Scope } from "./ask";
import { preparedFrames, theme } from "./fields";
import type { Panel } from "./model";
import { AlertList } from "./panels/alert-list";
import { BarChart } from "./panels/bar-chart";
import { BarGauge } from "./panels/bar-gauge";
import { PieChart } from "./panels/pie-chart";
import { Stat } from "./panels/stat";
import { StateTimeline } from "./panels/state-timeline";
import { Table } from "./panels/table";
import { Text } from "./panels/text";
import { cursorSync, TimeSeries } from "./panels/time-series";
import type { PanelProps } from "./panels/types";
import { shownAfterClick } from "./shown";

const components: Readonly<Record<string, (props: PanelProps) => ReactNode>> = {
  timeseries: TimeSeries,
  stat: Stat,
  table: Table,
  bargauge: BarGauge,
  barchart: BarChart,
  piechart: PieChart,
  "state-timeline": StateTimeline,
};

interface PanelViewProps {
  readonly panel: Panel;
  readonly scope: Scope;
  readonly width: number;
  readonly height: number;
  readonly onZoom: PanelProps["onZoom"];
}

const eventBus = new EventBusSrv();

/** A panel in its frame, with what it is about, and with what went wrong. */
export function PanelView({ panel, scope, width, height, ...rest }: PanelViewProps) {
  const place = useRef<HTMLDivElement>(null);
  const isNear = useIsNear(place);
  const { answer, error, isLoading } = useAnswer(panel, scope, isNear);
  // The names of the series that are drawn; all where it is undefined.
  const [shown, setShown] = useState<readonly string[]>();
  const context = useMemo(
    () => ({
      eventsScope: "dashboard",
      eventBus,
      sync: cursorSync,
      onToggleSeriesVisibility: (label: string | string[] | null, mode: SeriesVisibilityChangeMode) =>
        setShown((before) => {
          return shownAfterClick(
            before,
            [label ?? []].flat(),
            mode === SeriesVisibilityChangeMode.AppendToSelection,
          );
        }),
    }),
    [],
  );
  return (
    <div ref={place} style={{ width, height }} aria-busy={isNear && isLoading}>
      <PanelContextProvider value={context}>
        <PanelChrome
          title={panel.title ?? ""}
          description={panel.description ?? ""}
          width={width}
          height={height}
          {...(isLoading && { loadingState: LoadingState.Loading })}
          {...(error !== undefined && { statusMessage: error })}
        >
          {(width, height) => (
            // What cannot be drawn must not take the other panels with it.
            <ErrorBoundaryAlert
              title="This panel cannot be drawn"
              dependencies={[panel, answer]}
              errorLogger={console.error}
            >
              <Content {...rest} {...{ panel, answer, error, shown, width, height }} />
            </ErrorBoundaryAlert>
          )}
        </PanelChrome>
      </PanelContextProvider>
    </div>
  );
}

/** What the data sources have answered. Of a panel without queries: nothing. */
interface PanelAnswer {
  readonly frames: DataFrame[];
  readonly alerts: readonly PrometheusAlert[];
  /** Of the time when it was asked for. */
  readonly range: TimeRange;
}

type ContentProps = Omit<PanelProps, "frames" | "range"> & {
  readonly answer: PanelAnswer | undefined;
  readonly error: string | undefined;
};

function Content({ panel, answer, error, ...props }: ContentProps) {
  if (panel.type === "text") return <Text panel={panel} {...props} />;
  if (error !== undefined) return <Message text={error} isError />;
  if (!answer) return null;
  const nothing = <Message text={panel.fieldConfig?.defaults.noValue ?? "No data"} />;
  if (panel.type === "alertlist")
    return answer.alerts.length === 0 ? (
      <Message text="No alerts" />
    ) : (
      <AlertList alerts={answer.alerts} {...props} />
    );
  const Component = components[panel.type];
  if (!Component) return <Message text={`This page cannot draw ${panel.type}`} isError />;
  // A stat says itself that there is no value.
  if (panel.type !== "stat" && answer.frames.every(({ length }) => length === 0)) return nothing;
  return <Component panel={panel} frames={answer.frames} range={answer.range} {...props} />;
}

function Message({ text, isError = false }: { readonly text: string; readonly isError?: boolean }) {
  return (
    <div className={styles.message} style={isError ? { color: theme.colors.error.text } : {}} role="status">
      {text}
    </div>
  );
}

interface Asked {
  readonly answer?: PanelAnswer;
  readonly error?: string;
  readonly isLoading: boolean;
}

/** Asks anew whenever the scope changes; shows the answer before until then. */
function useAnswer(panel: Panel, scope: Scope, isNear: boolean): Asked {
  const [asked, setAsked] = useState<Asked>({ isLoading: true });
  useEffect(() => {
    if (!isNear || panel.type === "text") return;
    const controller = new AbortController();
    setAsked((before) => ({ ...before, isLoading: true }));
    answerFor(panel, scope, controller.signal).then(
      (answer) => !controller.signal.aborted && setAsked({ answer, isLoading: false }),
      (error: Error) => !controller.signal.aborted && setAsked({ error: error.message, isLoading: false }),
    );
    return () => controller.abort();
  }, [panel, scope, isNear]);
  return panel.type === "text" ? { isLoading: false } : asked;
}

async function answerFor(panel: Panel, scope: Scope, signal: AbortSignal): Promise<PanelAnswer> {
  const range = rangeOf(scope);
  if (panel.type === "alertlist") return { frames: [], alerts: await alertsOf("prometheus", signal), range };
  return { frames: await preparedFrames(panel, await framesOf(panel, scope, signal)), alerts: [], range };
}

function rangeOf({ from, to }: Scope): TimeRange {
  const raw = { from: dateTime(from), to: dateTime(to) };
  return { ...raw, raw };
}

const styles = {
  message: css({
    height: "100%",
    display: "flex",
    alignItems: "center",
    justifyContent: "center",
    textAlign: "center",
    overflow: "auto",
    overflowWrap: "anywhere",
    color: theme.colors.text.secondary,
  }),
};

/** Whether an element is on the screen or near it: what nobody sees asks nothing. */
function useIsNear(place: { readonly current: Element | null }): boolean {
  const [isNear, setIsNear] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => setIsNear(entries.some((entry) => entry.isIntersecting)),
      {
        rootMargin: "300px",
      },
    );
    if (place.current) observer.observe(place.current);
    return () => observer.disconnect();
  }, [place]);
  return isNear;
}
