const levels = ["fatal", "critical", "error", "warning", "notice", "information", "debug", "trace"] as const;

export type Level = (typeof levels)[number];

let threshold: number = levels.indexOf("information");

/** Prints a line as ClickHouse does. Lines of the front itself are few: they appear from `information` on. */
export function log(level: Level, text: string): void {
  if (levels.indexOf(level) > Math.max(threshold, levels.indexOf("information"))) return;
  const now = new Date().toISOString().replace(/-/g, ".").replace("T", " ").replace("Z", "");
  const name = level[0]?.toUpperCase() + level.slice(1);
  process.stdout.write(`${now} [ ${process.pid} ] {} <${name}> front: ${text}\n`);
}

export function setLevel(level: string | undefined): Level {
  const known = levels.find((candidate) => candidate === level);
  if (level !== undefined && !known && level !== "none" && level !== "test")
    throw new Error(`logger.level is ${level}; it can be ${levels.join(", ")}`);
  const chosen = known ?? "warning";
  threshold = levels.indexOf(chosen);
  return chosen;
}
