import { randomBytes } from "node:crypto";
import Docker from "dockerode";
import type { TestProject } from "vitest/node";
import { describeProcess, isAlive } from "../../bin/lock";

/** One run of the tests on real servers, and the network that its servers are on. */
export interface Run {
  readonly id: string;
  readonly network: string;
  /** Process whose end is the end of the run, as `describeProcess` writes it. */
  readonly process: string;
}

declare module "vitest" {
  interface ProvidedContext {
    readonly serversRun: Run;
  }
}

export const labels = {
  run: "cdc.test",
  process: "cdc.test.process",
  server: "cdc.test.server",
} as const;

export function runLabels({ id, process }: Run): Record<string, string> {
  return { [labels.run]: id, [labels.process]: process };
}

/** Vitest's global setup of the tests that need servers: a network before them; afterwards nothing is left. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const docker = new Docker();
  await remove(docker, isLeftover);
  const id = randomBytes(3).toString("hex");
  const run: Run = { id, network: `cdc-test-${id}`, process: describeProcess(process.pid) };
  await docker.createNetwork({ Name: run.network, Driver: "bridge", Labels: runLabels(run) });
  project.provide("serversRun", run);
  return () => remove(docker, (found) => found[labels.run] === id);
}

async function remove(
  docker: Docker,
  chosen: (labels: Readonly<Record<string, string>>) => boolean,
): Promise<void> {
  const filters = { label: [labels.run] };
  const containers = await docker.listContainers({ all: true, filters });
  await Promise.all(
    containers
      .filter(({ Labels }) => chosen(Labels))
      .map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true }).catch(unlessGone)),
  );
  const networks = await docker.listNetworks({ filters });
  await Promise.all(
    networks
      .filter(({ Labels }) => chosen(Labels ?? {}))
      .map(({ Id }) => docker.getNetwork(Id).remove().catch(unlessGone)),
  );
}

/** Whether the run that made it was killed, so that nobody else will remove it. */
function isLeftover(found: Readonly<Record<string, string>>): boolean {
  return !isAlive(found[labels.process] ?? "");
}

function unlessGone(error: { statusCode?: number }): void {
  if (error.statusCode !== 404 && error.statusCode !== 409) throw error;
}
