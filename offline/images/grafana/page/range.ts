const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  M: 30 * 86_400_000,
  y: 365 * 86_400_000,
};

/** A point in time as Grafana writes it: `now`, `now-6h`, milliseconds, or a date. Months and years are of 30 and 365 days. */
export function parseTime(text: string, now: Date): Date {
  const [, amount, unit] = /^now(?:-(\d+)([smhdwMy]))?$/.exec(text) ?? [];
  if (text.startsWith("now") && (amount !== undefined || text === "now"))
    return new Date(now.getTime() - Number(amount ?? 0) * (unitMs[unit ?? "s"] ?? 0));
  const date = new Date(/^\d+$/.test(text) ? Number(text) : text);
  if (Number.isNaN(date.getTime()))
    throw new Error(`${text}: no time such as now-1h, 2024-06-01, 1717200000000`);
  return date;
}

export interface TimeChoice {
  readonly from: string;
  readonly label: string;
}

export const timeChoices: readonly TimeChoice[] = [
  { from: "now-15m", label: "Last 15 minutes" },
  { from: "now-30m", label: "Last 30 minutes" },
  { from: "now-1h", label: "Last hour" },
  { from: "now-6h", label: "Last 6 hours" },
  { from: "now-24h", label: "Last 24 hours" },
  { from: "now-7d", label: "Last 7 days" },
  { from: "now-30d", label: "Last 30 days" },
  { from: "now-10y", label: "All (10 years)" },
];

/** Milliseconds of `10s`, `1m`; undefined for "", which is off. */
export function intervalMs(text: string): number | undefined {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  return unit === undefined ? undefined : Number(amount) * (unitMs[unit] ?? 0);
}

/** How a time range reads where it is none of the choices. */
export function describeRange(from: string, to: string): string {
  const choice = timeChoices.find((choice) => choice.from === from);
  if (choice && to === "now") return choice.label;
  return `${describeTime(from)} to ${describeTime(to)}`;
}

function describeTime(text: string): string {
  if (text.startsWith("now")) return text;
  const [day = "", time = ""] = parseTime(text, new Date(0)).toISOString().split("T");
  return time.startsWith("00:00:00") ? day : `${day} ${time.slice(0, 8)} UTC`;
}
