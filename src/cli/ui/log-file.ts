import * as fs from "node:fs";
import * as path from "node:path";
import { inState } from "../../lib/paths";

const keptLogs = 40;

/** The file for the whole output of one run of a command; of older ones the newest are kept. */
export function newLogFile(command: string, now = new Date()): string {
  const folder = path.resolve(inState("logs"));
  fs.mkdirSync(folder, { recursive: true });
  removeOldest(folder);
  return path.join(folder, `${command}-${now.toISOString().replace(/[:.]/g, "-")}.log`);
}

function removeOldest(folder: string): void {
  // Their names end with the time of their start.
  const logs = fs.readdirSync(folder).filter((name) => /-\d{4}-\d\d-\d\dT[\d-]+Z\.log$/.test(name));
  const byAge = logs.sort((a, b) => timeOf(a).localeCompare(timeOf(b), "en"));
  for (const name of byAge.slice(0, Math.max(0, byAge.length - keptLogs)))
    fs.rmSync(path.join(folder, name), { force: true });
}

function timeOf(name: string): string {
  return name.slice(-"2000-01-01T00-00-00-000Z.log".length);
}
