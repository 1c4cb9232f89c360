import Docker from "dockerode";
import { expect, inject } from "vitest";
import { type RunResult, run } from "../../src/lib/process";
import { type Checkout, checkoutIn, cleanEnv } from "./checkout";

/** The checkout whose stack the end-to-end tests bring up. */
export function theCheckout(): Checkout {
  return checkoutIn(inject("e2eFolder"));
}

export const keepsStack = process.env.CDC_E2E_KEEP === "1";

/** When this run of the tests began, milliseconds since 1970. */
export const startedAt = inject("e2eStartedAt");

/**
 * The ids above it, up to a hundred, are this run's alone: in a stack that was kept there are rows of earlier runs, and
 * its change logs do not forget those that were deleted. Far above what the tables give out by themselves.
 */
export const idBase = 1_000_000_000 + (Math.floor(startedAt / 1000) % 10_000_000) * 100;

/** What a command that must succeed has printed; where it fails, the assertion shows what it said. */
export async function succeeds(work: Promise<RunResult>): Promise<string> {
  const { code, stdout, stderr } = await work;
  expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
  return stdout;
}

/** URLs of the services, as `cdc status` knows them. */
export async function endpointsOf({ cdc }: Checkout): Promise<Readonly<Record<string, string>>> {
  const { stdout } = await cdc(["status", "--json"]);
  const { services } = JSON.parse(stdout) as { services: { service: string; url: string }[] };
  return Object.fromEntries(services.map(({ service, url }) => [service, url]));
}

/** Runs a plain `pulumi` in that environment, as the user of a shell would; any exit code is an answer. */
export function pulumi(checkout: Checkout, env: Readonly<Record<string, string>>, args: readonly string[]) {
  const anyCode = Array.from({ length: 256 }, (_, code) => code);
  return run("sh", ["-c", 'exec pulumi "$@"', "sh", ...args, "--non-interactive"], {
    cwd: checkout.folder,
    env: { ...cleanEnv(), ...env },
    okCodes: anyCode,
    timeoutMs: 4 * 60_000,
    group: true,
  });
}

/** What of a stack is on this machine: names of containers, volumes and networks, sorted. */
export async function traces(names: readonly string[]): Promise<readonly string[]> {
  const docker = new Docker();
  const containers = await docker.listContainers({ all: true });
  const { Volumes } = await docker.listVolumes();
  const networks = await docker.listNetworks();
  return [
    ...containers
      .flatMap(({ Names }) => Names.map((name) => name.slice(1)))
      .filter((name) => names.includes(name)),
    ...(Volumes ?? [])
      .map(({ Name }) => Name)
      .filter((name) => name.startsWith("cdc-") && !name.startsWith("cdc-test-")),
    ...networks.map(({ Name }) => Name).filter((name) => name === "cdc-network"),
  ].sort();
}

/** Processes that have to do with a folder: started in it, or from it. */
export async function processesOf(folder: string): Promise<readonly string[]> {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,args="]);
  const lines = stdout.split("\n").filter((line) => line.includes(folder));
  return lines.filter((line) => !/^\s*\d+ ps /.test(line));
}
