const nanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Nanoseconds of a duration in Go's notation (`1m30s`); undefined when it isn't one. */
export function parseDuration(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  const match = /^([+-]?)((?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+$/.exec(text);
  if (match === null) return undefined;
  const parts = text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g);
  const sum = [...parts].reduce(
    (total, [, count, unit]) => total + Number(count) * (nanoseconds[unit ?? ""] ?? 0),
    0,
  );
  return match[1] === "-" ? -sum : sum;
}

/** A duration as Go writes it, which is how the official plugin reads it back: 60 seconds are `1m0s`. */
export function formatDuration(total: number): string {
  if (total === 0) return "0s";
  if (total < 1e3) return `${total}ns`;
  if (total < 1e6) return `${total / 1e3}µs`;
  if (total < 1e9) return `${total / 1e6}ms`;
  const hours = Math.floor(total / 3600e9);
  const minutes = Math.floor((total % 3600e9) / 60e9);
  const seconds = `${(total % 60e9) / 1e9}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

/** Billionths of a processor in `1.5` processors. */
export function parseCpus(text: string): number {
  return Math.round(Number(text) * 1e9);
}

/** As the official plugin reads it back: one processor is `1.0`. Source: `nanoInt64ToDecimalString` in helpers.go. */
export function formatCpus(nano: number): string {
  const text = (nano / 1e9).toFixed(9);
  const zeros = text.split("0").length - 1;
  return zeros === 9 ? (nano / 1e9).toFixed(1) : text.replace(/0+$/, "");
}

const mebibyte = 1024 * 1024;

/** The program counts memory in MiB, the engine in bytes; negative numbers mean "no limit" to both. */
export function toBytes(mebibytes: number): number {
  return mebibytes > 0 ? mebibytes * mebibyte : mebibytes;
}

export function toMebibytes(bytes: number): number {
  return bytes > 0 ? Math.floor(bytes / mebibyte) : bytes;
}
