import * as fs from "node:fs";
import { readIfThere } from "../src/lib/files";
import { inProject, inState } from "../src/lib/paths";
import { ProcessError, run } from "../src/lib/process";
import { messageOf } from "../src/lib/retry";
import { add, failuresOf, type Tally, tallyLine, tallyOf } from "./support/tally";

/** A part of the checks, which fails or not by itself: the ones after it run all the same. */
interface Tier {
  readonly name: string;
  readonly what: string;
  readonly timeoutMs: number;
  /** It needs Docker, images and the Pulumi CLI. */
  readonly onTheMachine?: boolean;
  readonly check: (signal: AbortSignal, timeoutMs: number) => Promise<Outcome>;
}

interface Outcome {
  readonly tally: Tally;
  /** A line for each check that failed, as far as they are known by name. */
  readonly failures: readonly string[];
}

const minute = 60_000;
const overallMs = 85 * minute;
const oneFailed: Tally = { passed: 0, failed: 1, skipped: 0 };

const tiers: readonly Tier[] = [
  program("types", "type check (tsc)", ["typescript/bin/tsc", "--noEmit"]),
  program("lint", "lint and format (biome)", ["@biomejs/biome/bin/biome", "check", "."]),
  suite({ name: "unit", what: "unit tests", timeoutMs: 5 * minute }),
  suite({ name: "component", what: "component tests", timeoutMs: 5 * minute }),
  suite({
    name: "provider",
    what: "provider tests, on real servers",
    timeoutMs: 30 * minute,
    onTheMachine: true,
  }),
  suite({
    name: "e2e",
    what: "end-to-end tests, on the real stack",
    timeoutMs: 50 * minute,
    onTheMachine: true,
  }),
];

/** A program that counts as one check. */
function program(name: string, what: string, [script, ...args]: [string, ...string[]]): Tier {
  return {
    name,
    what,
    timeoutMs: 5 * minute,
    check: async (signal, timeoutMs) => {
      await node(script, args, { signal, timeoutMs });
      return { tally: { passed: 1, failed: 0, skipped: 0 }, failures: [] };
    },
  };
}

/** A project of vitest.config.ts; each of its tests counts. */
function suite(tier: Omit<Tier, "check">): Tier {
  const { name, onTheMachine } = tier;
  return {
    ...tier,
    check: async (signal, timeoutMs) => {
      const report = inState("reports", `${name}.json`);
      fs.rmSync(report, { force: true });
      // Where each test takes a while, each is shown when it ends.
      const reporters = [`--reporter=${onTheMachine ? "verbose" : "default"}`, "--reporter=json"];
      const args = ["run", "--project", name, ...reporters, `--outputFile.json=${report}`];
      const failure = await node("vitest/vitest.mjs", args, { signal, timeoutMs }).then(
        () => undefined,
        (error: unknown) => error,
      );
      const written = readIfThere(report);
      const [tally, failures] = [tallyOf(written), failuresOf(written)];
      // Failed tests explain an exit code; without them (no tests, a crash, an unhandled error) it counts by itself.
      if (failure !== undefined && !(tally.failed > 0 && failure instanceof ProcessError && failure.result)) {
        return { tally: add(tally, oneFailed), failures: [...failures, firstLine(failure)] };
      }
      return { tally, failures };
    },
  };
}

async function node(
  script: string,
  args: readonly string[],
  limits: { signal: AbortSignal; timeoutMs: number },
): Promise<void> {
  const file = inProject("node_modules", ...script.split("/"));
  await run(process.execPath, [file, ...args], {
    ...limits,
    cwd: inProject(),
    group: true,
    env: { FORCE_COLOR: process.stdout.isTTY ? "1" : undefined },
    onLine: (line) => console.log(line),
  });
}

function firstLine(error: unknown): string {
  return messageOf(error).split("\n")[0] ?? "";
}

async function main(args: readonly string[]): Promise<void> {
  const wanted = tiersFor(args);
  if (args.includes("--keep")) process.env.CDC_E2E_KEEP = "1";
  // Of its own, so that nothing that the tests note is taken for what the stack of this checkout has noted.
  process.env.CDC_HOME ??= inProject(".cdc", "test");
  const interrupted = abortOnSignals();
  const started = Date.now();
  let total: Tally = { passed: 0, failed: 0, skipped: 0 };
  const failed: string[] = [];
  let machine: Promise<unknown> | undefined;
  for (const tier of wanted) {
    const left = overallMs - (Date.now() - started);
    total = add(total, await runTier(tier, left));
  }
  if (machine !== undefined && process.env.CDC_E2E_KEEP !== "1") await leaveMachine();
  if (total.failed > 0) process.exitCode = 1;
  // Once more at the end: of a long run, a CI often shows no more than that.
  if (failed.length > 0) console.log(`\nfailed:\n${failed.map((line) => `  ${line}`).join("\n")}`);
  console.log(tallyLine(total));

  async function leaveMachine(): Promise<void> {
    try {
      await (await import("../src/cli/toolchain/dockerd")).stopDockerIfOurs();
    } catch (error) {
      total = add(total, oneFailed);
      failed.push(`the end of the Docker Engine: ${messageOf(error)}`);
    }
  }

  async function runTier(tier: Tier, leftMs: number): Promise<Tally> {
    const begun = Date.now();
    console.log(`\n▶ ${tier.what}`);
    const { tally, failures } = await check(tier, Math.min(tier.timeoutMs, leftMs)).catch(
      // What a program printed has been shown already.
      (error: unknown): Outcome => ({
        tally: oneFailed,
        failures: [error instanceof ProcessError ? firstLine(error) : messageOf(error)],
      }),
    );
    for (const failure of failures) console.error(failure);
    failed.push(...failures.map((failure) => `${tier.what}: ${failure}`));
    const mark = tally.failed > 0 ? "✗" : "✓";
    console.log(`${mark} ${tier.what}: ${tallyLine(tally)} (${Math.round((Date.now() - begun) / 1000)} s)`);
    return tally;
  }

  async function check(tier: Tier, timeoutMs: number): Promise<Outcome> {
    if (interrupted.aborted) throw new Error("not run: the tests were interrupted");
    if (timeoutMs <= 0)
      throw new Error(`not run: the tests have taken ${overallMs / minute} minutes already`);
    if (tier.onTheMachine) {
      // Loaded only here: a mistake in the toolchain's code must not keep the fast checks from running.
      machine ??= import("./support/machine").then(({ prepareMachine }) => prepareMachine());
      await machine;
    }
    return tier.check(interrupted, timeoutMs);
  }
}

function tiersFor(args: readonly string[]): readonly Tier[] {
  const names = args.filter((arg) => !arg.startsWith("-"));
  const known = tiers.map(({ name }) => name);
  const unknown = [
    ...names.filter((name) => !known.includes(name)),
    ...args.filter((arg) => arg.startsWith("-") && arg !== "--keep"),
  ];
  if (unknown.length > 0)
    throw new Error(
      `${unknown.join(" ")}: unknown; allowed: ${known.join(", ")}, and --keep (keeps the stack)`,
    );
  return names.length === 0 ? tiers : tiers.filter(({ name }) => names.includes(name));
}

/** The tier that runs is ended, the others are not begun, and the result is still said. */
function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      console.error(`\n${signal}: ending the tests`);
      controller.abort();
    });
  return controller.signal;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(messageOf(error));
  console.log(tallyLine(oneFailed));
  process.exitCode = 1;
});
