import { afterEach, expect, test, vi } from "vitest";
import { ensureTools, type Host, lackingTools } from "../../offline/images/tools";
import { ProcessError } from "../../src/lib/process";

afterEach(() => {
  vi.useRealTimers();
});

/** A machine with the given programs; what is installed there is there afterwards. */
function machine(programs: readonly string[], more: Partial<Host> = {}) {
  const there = new Set(programs);
  const commands: string[] = [];
  const host: Host = {
    has: (program) => there.has(program),
    isRoot: true,
    hasApt: true,
    run: async (command, args) => {
      commands.push([command, ...args].join(" "));
      if (args.includes("install")) for (const name of args) there.add(name.replace(/^maven$/, "mvn"));
      return { stdout: "", stderr: "", code: 0 };
    },
    ...more,
  };
  return { host, commands };
}

test("nothing is done when all tools are there", async () => {
  const { host, commands } = machine(["go", "mvn"]);
  await ensureTools(["go", "mvn", "go"], host, () => {});
  expect(commands).toEqual([]);
});

test("root on Debian gets the missing packages installed, and is told", async () => {
  const { host, commands } = machine(["go"]);
  const steps: string[] = [];
  await ensureTools(["go", "mvn"], host, (text) => steps.push(text));
  expect(steps).toEqual(["installing maven with apt"]);
  expect(commands.at(-1)).toMatch(/^apt-get .*install.* maven$/);
});

test("waits while another program installs packages, as a fresh Ubuntu does by itself", async () => {
  vi.useFakeTimers();
  const { host } = machine([]);
  const tries: unknown[] = [];
  const run: Host["run"] = async (command, args, options) => {
    tries.push([args[0], options?.env?.LC_ALL]);
    const stderr = "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 612";
    if (tries.length < 4 && args[0] === "install")
      throw new ProcessError("exit code 100", { stdout: "", stderr, code: 100 });
    return host.run(command, args, options);
  };
  const done = ensureTools(["mvn"], { ...host, run }, () => {});
  await vi.advanceTimersByTimeAsync(10_000);
  await done;
  expect(tries).toEqual([
    ["update", "C"],
    ["install", "C"],
    ["install", "C"],
    ["install", "C"],
  ]);
});

test("a package that is not there is no lock: nothing is waited for", async () => {
  const { host } = machine([]);
  const stderr = "E: Unable to locate package maven";
  const run: Host["run"] = async () => {
    throw new ProcessError("exit code 100", { stdout: "", stderr, code: 100 });
  };
  await expect(ensureTools(["mvn"], { ...host, run }, () => {})).rejects.toThrow("exit code 100");
});

test("others are told which tools are missing and what installs them", async () => {
  const { host } = machine([], { isRoot: false });
  await expect(ensureTools(["debootstrap", "mvn"], host, () => {})).rejects.toThrow(
    /debootstrap, mvn; run: sudo apt-get install debootstrap debian-archive-keyring maven$/,
  );
});

test("where there is no apt-get, Debian's packages are only named", async () => {
  const { host } = machine([], { hasApt: false });
  await expect(ensureTools(["mvn"], host, () => {})).rejects.toThrow(
    /mvn; install them \(on Debian or Ubuntu/,
  );
});

test("what is missing is said without what it is for: the JMX exporter takes tools, too", () => {
  const { host } = machine([], { isRoot: false });
  expect(lackingTools(["java", "mvn"], host)).toBe(
    "not found on this machine: java, mvn; run: sudo apt-get install default-jre-headless maven",
  );
  expect(lackingTools(["java", "mvn"], machine(["java", "mvn"], { isRoot: false }).host)).toBeUndefined();
  expect(lackingTools(["java", "mvn"], machine([]).host)).toBeUndefined();
});
