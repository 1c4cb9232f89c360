import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

// Plain JavaScript without types: it runs before the packages are there.
const { ensurePackages, packagesAreFresh } = require("../../bin/bootstrap.js");
const { missingOptionalPackages } = require("../../bin/complete-lock.js");
const project = path.resolve(__dirname, "../..");

let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-bootstrap-"));
});

afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

type Packages = Record<string, { version?: string; integrity?: string; optional?: boolean }>;

const wanted: Packages = {
  "": {},
  "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
  "node_modules/for-mac": { version: "2.0.0", optional: true },
};
const installed: Packages = { "node_modules/a": { version: "1.0.0", integrity: "sha512-a" } };

function lockFile(packages: Packages): void {
  fs.writeFileSync(path.join(root, "package-lock.json"), JSON.stringify({ packages }));
}

function hiddenLockFile(packages: Packages): void {
  fs.mkdirSync(path.join(root, "node_modules", ".bin"), { recursive: true });
  fs.writeFileSync(path.join(root, "node_modules", ".package-lock.json"), JSON.stringify({ packages }));
}

describe("npm packages are fresh", () => {
  test("when each package that the lock file wants on this machine is there", () => {
    lockFile(wanted);
    hiddenLockFile(installed);
    expect(packagesAreFresh(root)).toBe(true);
  });

  test("also where the lock file knows no checksum and npm has noted one", () => {
    lockFile(wanted);
    hiddenLockFile({ ...installed, "node_modules/for-mac": { version: "2.0.0", integrity: "sha512-m" } });
    expect(packagesAreFresh(root)).toBe(true);
  });

  test("not without node_modules, nor after an installation that was killed", () => {
    lockFile(wanted);
    expect(packagesAreFresh(root)).toBe(false);
    fs.mkdirSync(path.join(root, "node_modules", "a"), { recursive: true });
    expect(packagesAreFresh(root)).toBe(false);
  });

  test.each([
    ["another version", { version: "1.0.1", integrity: "sha512-a" }],
    ["another content", { version: "1.0.0", integrity: "sha512-b" }],
  ])("not with %s", (_, a) => {
    lockFile(wanted);
    hiddenLockFile({ "node_modules/a": a });
    expect(packagesAreFresh(root)).toBe(false);
  });

  test("not when the lock file wants one more", () => {
    lockFile({ ...wanted, "node_modules/b": { version: "1.0.0" } });
    hiddenLockFile(installed);
    expect(packagesAreFresh(root)).toBe(false);
  });

  test("and a broken lock file is an error that says how to get it back", () => {
    fs.writeFileSync(path.join(root, "package-lock.json"), "<<<<<<< HEAD");
    expect(() => packagesAreFresh(root)).toThrow("git checkout package-lock.json");
  });
});

describe("installing", () => {
  test("is done once when two commands start at the same time, and makes `npx cdc` work", async () => {
    lockFile(wanted);
    let installations = 0;
    const install = async () => {
      installations += 1;
      await new Promise(setImmediate);
      hiddenLockFile(installed);
    };
    const state = path.join(root, ".cdc");
    await Promise.all([ensurePackages({ root, state, install }), ensurePackages({ root, state, install })]);
    expect(installations).toBe(1);
    expect(fs.readlinkSync(path.join(root, "node_modules", ".bin", "cdc"))).toBe("../../bin/cdc.js");
  });

  test("is not done when all is there", async () => {
    lockFile(wanted);
    hiddenLockFile(installed);
    const install = () => expect.unreachable("installed again");
    await ensurePackages({ root, state: path.join(root, ".cdc"), install });
  });
});

test("package-lock.json holds the optional packages of every platform, without which npm ci refuses it", () => {
  const { packages } = JSON.parse(fs.readFileSync(path.join(project, "package-lock.json"), "utf8"));
  expect(missingOptionalPackages(packages)).toEqual({});
});

test("a package for another platform that a filtered registry hid is put back by its name", () => {
  const packages = {
    "node_modules/tool": {
      dev: true,
      optionalDependencies: { "@tool/linux-x64-musl": "1.2.3", "@tool/linux-x64": "1.2.3" },
    },
    "node_modules/@tool/linux-x64": { version: "1.2.3" },
  };
  expect(missingOptionalPackages(packages)).toEqual({
    "node_modules/@tool/linux-x64-musl": {
      version: "1.2.3",
      os: ["linux"],
      cpu: ["x64"],
      libc: ["musl"],
      dev: true,
      optional: true,
    },
  });
});

describe("the Node version", () => {
  const check = (version: string) =>
    spawnSync(process.execPath, [
      "-e",
      `Object.defineProperty(process.versions, "node", { value: "${version}" });
       require(${JSON.stringify(path.join(project, "bin", "node-version.js"))})`,
    ]);

  test.each(["20.19.0", "22.0.0", "24.1.0"])("%s will do", (version) => {
    expect(check(version).status).toBe(0);
  });

  test.each(["20.18.9", "18.20.0", "8.0.0"])("%s is refused, with what is needed", (version) => {
    const { status, stderr } = check(version);
    expect(status).toBe(1);
    expect(stderr.toString()).toContain(version);
    expect(stderr.toString()).toContain("20.19 or newer");
  });
});

describe("TypeScript", () => {
  const load = (file: string) => {
    const script = `
      require(${JSON.stringify(path.join(project, "bin", "typescript.js"))}).register(${JSON.stringify(root)});
      const { value } = require(${JSON.stringify(file)});
      const compiler = Object.keys(require.cache).some((name) => name.endsWith("lib/typescript.js"));
      console.log(JSON.stringify({ value, compiler }));`;
    const { stdout, stderr } = spawnSync(process.execPath, ["-e", script]);
    return stderr.length > 0 ? stderr.toString() : JSON.parse(stdout.toString());
  };

  test("is translated once, and again only when the file has changed", () => {
    const file = path.join(root, "a.ts");
    fs.writeFileSync(file, "enum E { A = 'one' } export const value: string = E.A;");
    expect(load(file)).toEqual({ value: "one", compiler: true });
    expect(load(file)).toEqual({ value: "one", compiler: false });
    fs.writeFileSync(file, "enum E { A = 'two' } export const value: string = E.A;");
    expect(load(file)).toEqual({ value: "two", compiler: true });
  });

  test("with a slip in it is an error that names file and line", () => {
    const file = path.join(root, "b.ts");
    fs.writeFileSync(file, "export const value = 1;\nexport const = 2;");
    expect(load(file)).toMatch(/b\.ts\(2,14\): error TS1134/);
  });
});
