import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readIfThere, writeAtomically } from "../../src/lib/files";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-files-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

describe("a file that may be there", () => {
  test("is read, and nothing where there is none", () => {
    const file = path.join(folder, "a");
    expect(readIfThere(file)).toBeUndefined();
    expect(readIfThere(path.join(folder, "none", "a"))).toBeUndefined();
    fs.writeFileSync(file, "text");
    expect(readIfThere(file)).toBe("text");
  });

  test("is an error that names it where it can't be read", () => {
    expect(() => readIfThere(folder)).toThrow(`${folder} is there but can't be read (EISDIR`);
  });
});

describe("what is written in one step", () => {
  test("is whole, in a folder that is made for it, and leaves no draft", () => {
    const file = path.join(folder, "below", "a");
    writeAtomically(file, "first");
    writeAtomically(file, "second");
    expect(fs.readFileSync(file, "utf8")).toBe("second");
    expect(fs.readdirSync(path.dirname(file))).toEqual(["a"]);
  });

  test("takes the place of a file that is being read, and does not change it", () => {
    const file = path.join(folder, "a");
    writeAtomically(file, "first");
    const reader = fs.openSync(file, "r");
    writeAtomically(file, "second", 0o755);
    expect(fs.readFileSync(reader, "utf8")).toBe("first");
    expect(fs.statSync(file).mode & 0o111).not.toBe(0);
    fs.closeSync(reader);
  });
});
