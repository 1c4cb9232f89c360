import { HttpClient } from "../../lib/http";
import { readProjectFile } from "../../lib/paths";
import { messageOf, sleep } from "../../lib/retry";
import { endpointOf, type StackFacts } from "../facts";
import { bytes } from "../ui/format";
import type { Terminal } from "../ui/terminal";

/** One tile of the dashboard "CDC Pipeline Status". */
export interface Tile {
  readonly title: string;
  readonly expression: string;
  /** Grafana's id of the unit. */
  readonly unit: string;
  /** Shown where there is no value. */
  readonly none: string;
  /** Ascending; the first holds for all lower values. */
  readonly thresholds: readonly { readonly value: number | null; readonly color: string }[];
  readonly words: Readonly<Record<string, string>>;
}

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly noValue?: string;
      readonly thresholds?: { readonly steps: Tile["thresholds"] };
      readonly mappings?: readonly {
        readonly options: Readonly<Record<string, { readonly text: string }>>;
      }[];
    };
  };
}

/** The tiles of the dashboard's first row: what it asks and how it judges is written there alone. */
export function firstRowTiles(dashboard: string): readonly Tile[] {
  const { panels } = JSON.parse(dashboard) as { readonly panels: readonly Panel[] };
  const [begin = 0, end = panels.length] = panels.flatMap(({ type }, at) => (type === "row" ? [at] : []));
  return panels.slice(begin + 1, end).map(({ title, targets, fieldConfig }) => ({
    title,
    expression: targets?.[0]?.expr ?? "",
    unit: fieldConfig?.defaults.unit ?? "none",
    none: fieldConfig?.defaults.noValue ?? "unknown",
    thresholds: fieldConfig?.defaults.thresholds?.steps ?? [],
    words: Object.fromEntries(
      (fieldConfig?.defaults.mappings ?? []).flatMap(({ options }) =>
        Object.entries(options).map(([value, { text }]) => [value, text]),
      ),
    ),
  }));
}

/** What a tile shows, and in which of Grafana's colours. */
export function shown(
  tile: Tile,
  value: number | undefined,
): { readonly text: string; readonly color: string } {
  if (value === undefined || Number.isNaN(value)) return { text: tile.none, color: "text" };
  const color = [...tile.thresholds]
    .reverse()
    .find((step) => step.value === null || value >= step.value)?.color;
  return { text: tile.words[String(value)] ?? withUnit(value, tile.unit), color: color ?? "text" };
}

function withUnit(value: number, unit: string): string {
  if (unit === "s") return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`;
  if (unit === "percentunit") return `${(100 * value).toFixed(1)} %`;
  if (unit === "bytes") return bytes(value);
  return value.toLocaleString("en-US", { maximumFractionDigits: 1 });
}

const escapeCodes: Readonly<Record<string, string>> = {
  green: "\x1b[32m",
  yellow: "\x1b[33m",
  red: "\x1b[31m",
};

function colored(text: string, color: string, terminal: Terminal): string {
  const code = terminal.interactive ? escapeCodes[color] : undefined;
  return code ? `${code}${text}\x1b[0m` : text;
}

export interface FiringAlert {
  readonly name: string;
  readonly severity: string;
}

/** Names of the alerts with how many of each fire, the worst first. */
export function alertsInWords(alerts: readonly FiringAlert[]): string {
  if (alerts.length === 0) return "none";
  const counts = new Map<string, number>();
  const worstFirst = [...alerts].sort((a, b) => a.severity.localeCompare(b.severity));
  for (const { name, severity } of worstFirst)
    counts.set(`${name} (${severity})`, (counts.get(`${name} (${severity})`) ?? 0) + 1);
  return [...counts].map(([name, number]) => (number > 1 ? `${number} × ${name}` : name)).join(", ");
}

/**
 * Shows the first row of the dashboard, and the alerts that fire, again and again; on a terminal in one place, else a
 * line each time.
 * @returns when the signal is aborted.
 */
export async function watch(
  facts: StackFacts,
  { terminal, everyMs, signal }: { terminal: Terminal; everyMs: number; signal: AbortSignal },
): Promise<void> {
  if (!facts.pipeline.services.includes("prometheus"))
    throw new Error(
      "--watch shows what Prometheus knows, which is switched off (cdc:services.prometheus); without --watch, cdc status asks the services themselves",
    );
  const prometheus = new HttpClient(endpointOf(facts, "prometheus"), { timeoutMs: 5000 });
  const tiles = firstRowTiles(readProjectFile("dashboards", "cdc-pipeline.json"));
  let drawn = 0;
  while (!signal.aborted) {
    const lines = await look(prometheus, tiles, terminal).catch((error: unknown) => [
      `Prometheus does not answer: ${messageOf(error)}`,
    ]);
    const time = new Date().toISOString().slice(11, 19);
    if (terminal.interactive) {
      if (drawn > 0) process.stdout.write(`\x1b[${drawn}A\x1b[J`);
      const all = [`${time} UTC, every ${everyMs / 1000} s; Ctrl-C ends it`, ...lines];
      // A line that wraps would take two, and the next look would begin in the wrong place.
      process.stdout.write(`\x1b[?7l${all.join("\n")}\x1b[?7h\n`);
      drawn = lines.length + 1;
    } else terminal.line(`${time} ${lines.map((line) => line.trim().replace(/\s{2,}/g, ": ")).join("; ")}`);
    await sleep(everyMs, signal).catch(() => undefined);
  }
}

async function look(
  prometheus: HttpClient,
  tiles: readonly Tile[],
  terminal: Terminal,
): Promise<readonly string[]> {
  const [values, alerts] = await Promise.all([
    Promise.all(tiles.map(({ expression }) => query(prometheus, expression))),
    query(prometheus, 'ALERTS{alertstate="firing"}'),
  ]);
  const width = Math.max(...tiles.map(({ title }) => title.length), "Alerts".length) + 2;
  const firing = alerts.map(({ metric }) => ({
    name: metric.alertname ?? "",
    severity: metric.severity ?? "",
  }));
  return [
    ...tiles.map((tile, index) => {
      const { text, color } = shown(tile, values[index]?.[0] && Number(values[index][0].value[1]));
      return `  ${tile.title.padEnd(width)}${colored(text, color, terminal)}`;
    }),
    `  ${"Alerts".padEnd(width)}${colored(alertsInWords(firing), firing.length > 0 ? "red" : "green", terminal)}`,
  ];
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

async function query(prometheus: HttpClient, expression: string): Promise<readonly Sample[]> {
  const { status, data } = await prometheus.get(`/api/v1/query?query=${encodeURIComponent(expression)}`);
  const answer = data as { readonly data?: { readonly result: readonly Sample[] }; readonly error?: string };
  if (status !== 200 || !answer.data) throw new Error(`${expression}: ${answer.error ?? `status ${status}`}`);
  return answer.data.result;
}
