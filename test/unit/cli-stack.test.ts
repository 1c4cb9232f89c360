import * as fs from "node:fs";
import * as path from "node:path";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { engineCommand } from "../../src/cli/engine/command";
import { openStack, type StackOptions } from "../../src/cli/engine/stack";
import type { PulumiFacts } from "../../src/cli/toolchain/pulumi";

const folder = vi.hoisted(() => `${process.env.TMPDIR ?? "/tmp"}/cdc-stack-${process.pid}`);

vi.mock("../../src/lib/paths", async (original) => ({
  ...(await original<typeof import("../../src/lib/paths")>()),
  projectRoot: folder,
  inProject: (...parts: string[]) => [folder, ...parts].join("/"),
}));

// It takes a second to load, and nothing here uses it.
vi.mock("@pulumi/pulumi/automation", () => ({}));

const settings = path.join(folder, "Pulumi.test.yaml");
const calls = path.join(folder, "calls");
const state = { version: 3, deployment: { resources: [] } };

/** A CLI that knows the given stacks, and writes a salt whenever it is used, as the real one does. */
function pulumiWith(stacks: readonly string[], stateEnv: Record<string, string> = generated): PulumiFacts {
  const bin = path.join(folder, "pulumi");
  const known = stacks.map((name) => `*" --stack ${name} "*) echo '${JSON.stringify(state)}';;`).join("\n");
  const list = JSON.stringify(stacks.map((name) => ({ name, current: false })));
  fs.writeFileSync(
    bin,
    `#!/bin/sh
echo "$*" >> ${calls}
echo "encryptionsalt: v1:x" >> ${settings}
case " $* " in
*" stack ls "*) echo '${list}';;
*" stack init "*) ;;
${known}
*) echo "error: no stack named '$5' found" >&2; exit 6;;
esac
`,
    { mode: 0o755 },
  );
  return {
    cli: { bin, version: "3.259.0", origin: "built", pathDirs: [] },
    plugins: { home: folder, origins: {}, versions: {} },
    state: { backend: "local", where: "file:///s", env: stateEnv },
  } as unknown as PulumiFacts;
}

const generated = { PULUMI_CONFIG_PASSPHRASE_FILE: "/p/.cdc/passphrase" };
const open = (name: string, pulumi: PulumiFacts, more: Partial<StackOptions> = {}) =>
  openStack({ name, pulumi, logFile: path.join(folder, "log"), running: new Set(), ...more });
const called = () => (fs.existsSync(calls) ? fs.readFileSync(calls, "utf8") : "");

beforeEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

describe("a stack that is not there", () => {
  test("is made by what fills it, or says that it may be", async () => {
    const pulumi = pulumiWith([]);
    const program = async () => async () => ({});
    for (const how of [{ program }, { makes: true }]) {
      fs.rmSync(calls, { force: true });
      expect((await open("test", pulumi, how).read()).resources).toEqual([]);
      expect(called()).toMatch(/^stack init --stack test/m);
    }
  });

  test("is a mistake for what only looks: it says what there is, and makes nothing", async () => {
    const read = open("dve", pulumiWith(["dev", "test"])).read();
    await expect(read).rejects.toThrow(
      'there is no stack "dve" in file:///s; there are: dev, test.\n' +
        "Name one of them, as in --stack dev, or bring this one up: npm run up -- --stack dve",
    );
    await expect(open("dve", pulumiWith([])).read()).rejects.toThrow(
      "nor any other.\nBring one up: npm run up",
    );
    expect(called()).not.toMatch(/init/);
  });

  test("is one that is not up, where it is the one that everybody begins with", async () => {
    expect(await open("dev", pulumiWith([])).read()).toEqual({ resources: [], pending: [], outputs: {} });
    expect(called()).not.toMatch(/init/);
  });
});

describe("the salt in the stack's settings", () => {
  const afterRead = async (env: Record<string, string>) => {
    fs.writeFileSync(settings, "config: {}\n");
    await open("test", pulumiWith(["test"], env)).read();
    return fs.readFileSync(settings, "utf8");
  };

  test("is taken out where it goes with the generated passphrase", async () => {
    expect(await afterRead(generated)).toBe("config: {}\n");
  });

  test("stays where the passphrase is the user's own", async () => {
    expect(await afterRead({})).toBe("config: {}\nencryptionsalt: v1:x\n");
  });
});

test("an engine is not started after the Ctrl-C that it would not be told of", async () => {
  const command = engineCommand(pulumiWith(["dev"]), path.join(folder, "log"), new Set());
  const run = command.run(["up"], folder, {}, undefined, undefined, AbortSignal.abort());
  await expect(run).rejects.toThrow(/abort/i);
  expect(called()).toBe("");
});
