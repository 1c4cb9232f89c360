import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { readSettings } from "../../src/cli/settings";

const project = vi.hoisted(() => ({ folder: "" }));
vi.mock("../../src/lib/paths", async (original) => ({
  ...(await original<typeof import("../../src/lib/paths")>()),
  inProject: (...parts: string[]) => [project.folder, ...parts].join("/"),
}));

project.folder = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-settings-"));
afterAll(() => fs.rmSync(project.folder, { recursive: true }));

test("a stack without a file of settings has the defaults", () => {
  expect(readSettings("none").networkName).toBe("cdc-network");
});

test("a file of settings counts", () => {
  fs.writeFileSync(path.join(project.folder, "Pulumi.own.yaml"), "config:\n  cdc:networkName: mine\n");
  expect(readSettings("own").networkName).toBe("mine");
});

test("a file of settings that can't be read is an error that names it, not the defaults", () => {
  const file = path.join(project.folder, "Pulumi.folder.yaml");
  fs.mkdirSync(file);
  expect(() => readSettings("folder")).toThrow(`${file} is there but can't be read`);
});
