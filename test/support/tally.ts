import * as path from "node:path";

/** How many checks ended how. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function add(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** `12 passed, 0 failed`, and the skipped ones where there are any. */
export function tallyLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

interface Report {
  readonly testResults: readonly {
    /** The file. */
    readonly name: string;
    readonly status: string;
    /** What went wrong outside of its tests. */
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/**
 * Counts what vitest's JSON reporter has written. A file that failed without a failed test (it could not be loaded, or
 * a hook of it failed) is one failure; a report with no test in it, or none at all, is one too.
 */
export function tallyOf(report: string | undefined): Tally {
  const parsed = parse(report);
  if (!parsed) return { passed: 0, failed: 1, skipped: 0 };
  const total = parsed.testResults.map(tallyOfFile).reduce(add, { passed: 0, failed: 0, skipped: 0 });
  const found = total.passed + total.failed + total.skipped > 0;
  return found ? total : { passed: 0, failed: 1, skipped: 0 };
}

/** A line for each failed test, or failed file, of a report: its name and the first line of what it says. */
export function failuresOf(report: string | undefined): readonly string[] {
  return (parse(report)?.testResults ?? []).flatMap(({ name, status, message, assertionResults }) => {
    const file = path.basename(name);
    const failed = assertionResults.filter((test) => test.status === "failed");
    if (failed.length === 0 && status === "failed") return [line(file, message)];
    return failed.map((test) => line(`${file}: ${test.fullName}`, test.failureMessages?.[0]));
  });
}

function line(what: string, why: string | undefined): string {
  const [first] = (why ?? "").split("\n");
  return first ? `${what}: ${first}` : what;
}

function parse(report: string | undefined): Report | undefined {
  try {
    return report === undefined ? undefined : JSON.parse(report);
  } catch {
    return undefined;
  }
}

function tallyOfFile({ status, assertionResults }: Report["testResults"][number]): Tally {
  const count = (wanted: string) => assertionResults.filter((test) => test.status === wanted).length;
  const passed = count("passed");
  const failed = count("failed") || (status === "failed" ? 1 : 0);
  return { passed, failed, skipped: assertionResults.length - passed - count("failed") };
}
