import { expect, it } from "vitest";
import { settings, withSettings } from "../../src/config-table";
import { readProjectFile } from "../../src/lib/paths";

const readme = readProjectFile("README.md");

it("shows every setting with today's default (npm run readme writes the table)", () => {
  expect(withSettings(readme) === readme, "README.md is stale: npm run readme").toBe(true);
});

it("describes every setting", () => {
  expect(settings().filter(({ description }) => description === "")).toEqual([]);
});
