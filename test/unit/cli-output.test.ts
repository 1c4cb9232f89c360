import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { bytes, count, duration, quantile, table } from "../../src/cli/ui/format";
import { exportLines } from "../../src/cli/ui/shell";
import { createSteps } from "../../src/cli/ui/steps";
import { terminalOn } from "../../src/cli/ui/terminal";

test.each([
  [40, "0.0 s"],
  [1_234, "1.2 s"],
  [12_400, "12 s"],
  [185_000, "3 min 5 s"],
])("%i ms read as %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [48_200, "48.2 kB"],
  [734_000_000, "734 MB"],
])("%i bytes read as %s", (number, text) => {
  expect(bytes(number)).toBe(text);
});

test("a number goes with its noun", () => {
  expect([count(1, "row"), count(5000, "row"), count(2, "entry", "entries")]).toEqual([
    "1 row",
    "5,000 rows",
    "2 entries",
  ]);
});

test("columns are as wide as their widest entry, and no line ends with blanks", () => {
  expect(
    table([
      ["a", "1", ""],
      ["long", "22", "x"],
    ]),
  ).toEqual(["  a     1", "  long  22  x"]);
});

test("the quantiles of few values are values that were seen", () => {
  expect(quantile([30, 10, 20], 0.5)).toBe(20);
  expect(quantile([30, 10], 0.99)).toBe(30);
  expect(quantile([7], 0.5)).toBe(7);
});

test("whatever a value holds, eval gives the variable just that", () => {
  const values = {
    PLAIN: "abc",
    QUOTES: `it's "so" \`ls\``,
    DOLLAR: "$HOME $(id) \\n",
    LINES: "a\nb",
    EMPTY: "",
  };
  const script = `${exportLines(values).join("\n")}\nprintf '%s\\0' "$PLAIN" "$QUOTES" "$DOLLAR" "$LINES" "$EMPTY"`;
  const printed = execFileSync("sh", ["-c", script], { encoding: "utf8" });
  expect(printed.split("\0").slice(0, -1)).toEqual(Object.values(values));
});

describe("a step", () => {
  let folder: string;
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-steps-"));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  let time: number;
  const now = () => time;
  beforeEach(() => {
    time = 1e12;
    // A terminal that can redraw, wherever the tests are run.
    vi.stubEnv("TERM", "xterm");
  });
  afterEach(() => vi.unstubAllEnvs());

  const stream = (isTTY: boolean) => {
    const written: string[] = [];
    return { isTTY, columns: 40, write: (text: string) => written.push(text), written };
  };

  test("is a line with its result and time; what it does on the way is shown where no terminal redraws", async () => {
    const out = stream(false);
    const steps = createSteps(terminalOn(out), path.join(folder, "plain.log"), now);
    const value = await steps.step("Docker", async ({ onStep }) => {
      onStep("starting");
      time += 1_500;
      return { value: 42, detail: "Engine 20" };
    });
    expect(value).toBe(42);
    expect(out.written.join("")).toBe("  Docker: starting\n✓ Docker: Engine 20 (1.5 s)\n");
    expect(fs.readFileSync(steps.logFile, "utf8")).toMatch(/Docker: starting\n.*✓ Docker: Engine 20/);
  });

  test("that fails says so, and hands the error on", async () => {
    const out = stream(false);
    const steps = createSteps(terminalOn(out), path.join(folder, "failing.log"), now);
    const failing = steps.step("Docker", async () => {
      time += 12_000;
      throw new Error("no engine");
    });
    await expect(failing).rejects.toThrow("no engine");
    expect(out.written.join("")).toBe("✗ Docker (12 s)\n");
  });

  test("is not redrawn on a terminal that can't do so", async () => {
    vi.stubEnv("TERM", "dumb");
    const out = stream(true);
    const steps = createSteps(terminalOn(out), path.join(folder, "dumb.log"), now);
    await steps.step("Docker", async () => ({ value: undefined }));
    expect(out.written.join("")).toBe("✓ Docker (0.0 s)\n");
  });

  test("is redrawn in one line of a terminal, which it does not overflow", async () => {
    const out = stream(true);
    const steps = createSteps(terminalOn(out), path.join(folder, "terminal.log"), now);
    await steps.step("Images", async ({ onStep }) => {
      onStep("a text that is much longer than the terminal is wide");
      return { value: undefined };
    });
    const drawn = out.written.filter((text) => text.startsWith("\r\x1b[K…"));
    expect(drawn.length).toBeGreaterThan(0);
    for (const text of drawn) expect(text.replace("\r\x1b[K", "").length).toBeLessThanOrEqual(39);
    expect(out.written.at(-1)).toBe("✓ Images (0.0 s)\n");
  });
});
