import { expect, test } from "vitest";
import { ProcessError, run } from "../../src/lib/process";

test("a program that does not read its input ends as it likes, and this process goes on", async () => {
  const input = "x".repeat(5_000_000);
  expect((await run("true", [], { input })).code).toBe(0);
  await expect(run("false", [], { input })).rejects.toThrow(/^false: exit code 1/);
});

test("its input reaches a program whole", async () => {
  const input = "line\n".repeat(200_000);
  const { stdout } = await run("wc", ["-c"], { input });
  expect(Number(stdout)).toBe(input.length);
});

test("each line is handed on, also the last one without an end, on either stream", async () => {
  const lines: string[] = [];
  const script = "printf 'a\\nb\\r\\n\\nlast words'; printf 'error: gone' >&2; exit 3";
  const failure = await run("sh", ["-c", script], { onLine: (line) => lines.push(line) }).catch(
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(ProcessError);
  expect(lines.filter((line) => line !== "error: gone")).toEqual(["a", "b", "", "last words"]);
  expect(lines).toContain("error: gone");
});

test("a program that prints nothing has no lines", async () => {
  const lines: string[] = [];
  await run("true", [], { onLine: (line) => lines.push(line) });
  expect(lines).toEqual([]);
});
