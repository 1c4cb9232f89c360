import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { referenceOf } from "../../offline/images/hash";
import type { BaseName, Recipe } from "../../offline/images/recipe";

let home: string;
beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), "images-hash-"));
});
afterEach(() => fs.rmSync(home, { recursive: true }));

/** A recipe in a folder of its own. */
function recipe(place: string, more: Partial<Recipe> = {}): Recipe {
  const folder = path.join(home, place, "service");
  fs.mkdirSync(path.join(folder, "config"), { recursive: true });
  fs.writeFileSync(path.join(folder, "Dockerfile"), "FROM scratch\n");
  fs.writeFileSync(path.join(folder, "config", "run"), "#!/bin/sh\n");
  return { name: "service", folder, versions: { a: "1", b: "2" }, ...more };
}

function reference(of: Recipe, base: Recipe = recipe("base")): string {
  return referenceOf(of, { base } as Record<BaseName, Recipe>);
}

const original = () => reference(recipe("one"));

test("is the service's name and twelve hex digits", () => {
  expect(original()).toMatch(/^cdc-local\/service:[0-9a-f]{12}$/);
});

test("is the same in every checkout, and in whatever order versions are written", () => {
  expect(reference(recipe("elsewhere", { versions: { b: "2", a: "1" } }))).toBe(original());
});

test("changes with a version", () => {
  expect(reference(recipe("one", { versions: { a: "1", b: "3" } }))).not.toBe(original());
});

test("changes with the text of a file", () => {
  const changed = recipe("two");
  fs.appendFileSync(path.join(changed.folder, "config", "run"), "exit 0\n");
  expect(reference(changed)).not.toBe(original());
});

test("changes with the name of a file", () => {
  const changed = recipe("two");
  fs.renameSync(path.join(changed.folder, "config", "run"), path.join(changed.folder, "config", "start"));
  expect(reference(changed)).not.toBe(original());
});

test("changes when a file becomes executable", () => {
  const changed = recipe("two");
  fs.chmodSync(path.join(changed.folder, "config", "run"), 0o755);
  expect(reference(changed)).not.toBe(original());
});

test("changes with a file elsewhere that ends up in the image", () => {
  const input = path.join(home, "input.js");
  fs.writeFileSync(input, "1");
  const before = reference(recipe("one", { inputs: [input] }));
  fs.writeFileSync(input, "2");
  expect(reference(recipe("one", { inputs: [input] }))).not.toBe(before);
});

test("changes with the image that it stands on", () => {
  const on = (base: Recipe) => reference(recipe("one", { from: "base" }), base);
  expect(on(recipe("base", { versions: { debian: "trixie" } }))).not.toBe(on(recipe("base")));
});
