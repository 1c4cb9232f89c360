import { expect, test } from "vitest";
import { failuresOf, tallyLine, tallyOf } from "../support/tally";

const file = (status: string, ...tests: readonly string[]) => ({
  status,
  assertionResults: tests.map((one) => ({ status: one })),
});

const reportOf = (...testResults: readonly object[]) => JSON.stringify({ testResults });

test("tests are counted by how they ended", () => {
  const report = reportOf(
    file("passed", "passed", "passed", "skipped"),
    file("failed", "failed", "passed", "todo"),
  );
  expect(tallyOf(report)).toEqual({ passed: 3, failed: 1, skipped: 2 });
});

test("a file that could not be loaded is a failure", () => {
  expect(tallyOf(reportOf(file("failed"), file("passed", "passed")))).toMatchObject({ passed: 1, failed: 1 });
});

test("a failed hook is a failure, though its tests only count as skipped", () => {
  expect(tallyOf(reportOf(file("failed", "skipped")))).toMatchObject({ failed: 1, skipped: 1 });
});

test.each([
  ["there is no report", undefined],
  ["it was cut off", '{"testResults":['],
  ["no test was found", reportOf()],
])("where %s, that is a failure", (_, report) => {
  expect(tallyOf(report)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test("what failed is named with the first line of why", () => {
  const test = (status: string, fullName: string, ...failureMessages: readonly string[]) => ({
    status,
    fullName,
    failureMessages,
  });
  const report = reportOf(
    {
      name: "/somewhere/rows.test.ts",
      status: "failed",
      assertionResults: [
        test("passed", "rows arrive"),
        test("failed", "rows leave", "AssertionError: 1 is not 0\n    at a line"),
      ],
    },
    {
      name: "/somewhere/crash.test.ts",
      status: "failed",
      message: "no such module\nmore",
      assertionResults: [],
    },
  );
  expect(failuresOf(report)).toEqual([
    "rows.test.ts: rows leave: AssertionError: 1 is not 0",
    "crash.test.ts: no such module",
  ]);
  expect(failuresOf(undefined)).toEqual([]);
});

test("the last line names skipped tests only where there are any", () => {
  expect(tallyLine({ passed: 2, failed: 0, skipped: 0 })).toBe("2 passed, 0 failed");
  expect(tallyLine({ passed: 2, failed: 1, skipped: 3 })).toBe("2 passed, 1 failed, 3 skipped");
});
