import { expect, test } from "vitest";
import { alertsInWords, firstRowTiles, shown } from "../../src/cli/status/watch";
import { readProjectFile } from "../../src/lib/paths";

const tiles = firstRowTiles(readProjectFile("dashboards", "cdc-pipeline.json"));

function tile(title: string) {
  const found = tiles.find((one) => one.title === title);
  if (!found) throw new Error(`no tile ${title}; there are ${tiles.map((one) => one.title).join(", ")}`);
  return found;
}

test("the tiles are those of the dashboard's first row, each with what it asks", () => {
  expect(tiles.length).toBeGreaterThanOrEqual(6);
  expect(tile("Healthy").expression).toBe("cdc:healthy:bool");
  for (const { expression } of tiles) expect(expression).toMatch(/cdc/);
});

test("a value is shown in the dashboard's words, units and colours", () => {
  expect(shown(tile("Healthy"), 1)).toEqual({ text: "yes", color: "green" });
  expect(shown(tile("Healthy"), 0)).toEqual({ text: "no", color: "red" });
  expect(shown(tile("Latency p99"), 0.0754)).toEqual({ text: "75 ms", color: "green" });
  expect(shown(tile("Latency p99"), 3.21)).toEqual({ text: "3.2 s", color: "red" });
  expect(shown(tile("Rows that differ"), 12_345)).toEqual({ text: "12,345", color: "red" });
  expect(shown(tile("WAL held back, of its limit"), 0.511)).toEqual({ text: "51.1 %", color: "yellow" });
});

test("what is not known is said in the dashboard's words", () => {
  expect(shown(tile("Latency p99"), undefined)).toEqual({ text: "no canary", color: "text" });
  expect(shown(tile("Latency p99"), Number.NaN).text).toBe("no canary");
});

test("alerts: the worst first, each name once", () => {
  expect(alertsInWords([])).toBe("none");
  expect(
    alertsInWords([
      { name: "CdcTargetDown", severity: "warning" },
      { name: "CdcCanaryMissing", severity: "critical" },
      { name: "CdcTargetDown", severity: "warning" },
    ]),
  ).toBe("CdcCanaryMissing (critical), 2 × CdcTargetDown (warning)");
});
