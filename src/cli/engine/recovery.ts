import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import Docker from "dockerode";
import { parse } from "yaml";
import { describeProcess, isAlive } from "../../../bin/lock";
import { readIfThere } from "../../lib/files";
import { readProjectFile } from "../../lib/paths";
import { waitFor } from "../../lib/retry";
import type { Progress } from "../toolchain/progress";
import type { PulumiFacts } from "../toolchain/pulumi";
import { stateFolder } from "../toolchain/pulumi-state";
import { count } from "../ui/format";
import type { Steps } from "../ui/steps";
import { EngineError } from "./command";
import { endOrphanedPlugins } from "./orphans";
import type { OpenStack } from "./stack";
import { dockerNameOf, nameOf, type PendingOperation, resourceTypes, type StackState } from "./state";

export interface RecoveryOptions {
  readonly stack: OpenStack;
  readonly stackName: string;
  readonly pulumi: PulumiFacts;
  readonly steps: Steps;
}

/**
 * Puts in order what an engine has left behind that was killed: the lock on the stack, plugins that run on, operations
 * of which the state only knows that they had begun. Says what it does; does and says nothing where there is nothing.
 * @returns the stack's state after it.
 * @throws Error where the stack is locked by an engine that runs, or may run, still.
 */
export async function recover(options: RecoveryOptions): Promise<StackState> {
  await freeLock(options);
  await endOrphanedPlugins(options.steps);
  const state = await options.stack.read();
  if (state.pending.length === 0) return state;
  await settle(state, options);
  return options.stack.read();
}

/** A lock of Pulumi's own backends on files: `<backend>/.pulumi/locks/organization/<project>/<stack>/<id>.json`. */
export interface StackLock {
  readonly pid: number;
  readonly hostname: string;
}

async function freeLock({ stack, stackName, pulumi, steps }: RecoveryOptions): Promise<void> {
  const folder = stateFolder(pulumi.state);
  // Elsewhere nobody knows whether the lock's owner still runs: settle finds it locked.
  if (folder === undefined) return;
  const held = () => readLocks(folder, stackName).filter(isHeld);
  if (held().length > 0) await waitForEnd(held, steps);
  const stale = readLocks(folder, stackName).filter((lock) => !isHeld(lock));
  if (stale.length === 0) return;
  const owners = stale.map(({ pid }) => pid).join(", ");
  await steps.step("An interrupted run's lock", async () => {
    await (await stack.automation()).cancel();
    return { value: undefined, detail: `taken away; process ${owners}, which held it, is gone` };
  });
}

const patienceMs = 30_000;

/** The engine of a command that was killed lives on for a moment. */
async function waitForEnd(held: () => readonly StackLock[], steps: Steps): Promise<void> {
  const pid = held()[0]?.pid;
  steps.terminal.line(`another pulumi (process ${pid}) is changing this stack; waiting for it to end`);
  const what = `the end of another pulumi (process ${pid})`;
  await waitFor(() => held().length === 0, { what, timeoutMs: patienceMs }).catch((error: unknown) => {
    throw new Error(
      `the stack is being changed by another pulumi, process ${pid}; ` +
        "wait for its end, or end it with Ctrl-C where it runs, then run the command again",
      { cause: error },
    );
  });
}

export function readLocks(backendFolder: string, stackName: string): readonly StackLock[] {
  const { name: project } = parse(readProjectFile("Pulumi.yaml"));
  // The user's own backend may hold a stack of that name in other projects too.
  return filesIn(path.join(backendFolder, ".pulumi", "locks", "organization", project, stackName))
    .filter((file) => file.endsWith(".json"))
    .flatMap((file) => {
      try {
        const { pid, hostname } = JSON.parse(fs.readFileSync(file, "utf8"));
        return [{ pid, hostname }];
      } catch {
        // Taken away at this moment, or cut off by a kill; of the latter Pulumi itself complains.
        return [];
      }
    });
}

function filesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder).map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}

/** Whether the lock's owner still runs. Of another machine that shares the folder nothing is known: it counts as held. */
export function isHeld({ pid, hostname }: StackLock): boolean {
  if (hostname !== os.hostname()) return true;
  if (!isAlive(describeProcess(pid))) return false;
  const name = readIfThere(`/proc/${pid}/comm`);
  // Where there is no /proc, the number alone has to do; where there is, it may be somebody else's by now.
  return name === undefined || name.trim() === "pulumi";
}

async function settle({ pending, resources }: StackState, options: RecoveryOptions): Promise<void> {
  const { stack, steps } = options;
  const names = pending.map(({ type, resource }) => `${type} ${nameOf(resource.urn)}`).join(", ");
  await steps.step("What an interrupted run left half-done", async (progress) => {
    progress.onStep(names);
    const automation = await stack.automation();
    const refresh = (how: Parameters<typeof automation.refresh>[0]) =>
      automation.refresh(how).catch((error: unknown) => {
        throw isLocked(error) ? new Error(lockedMessage(options), { cause: error }) : error;
      });
    if (pending.some(isCreation)) {
      // It takes the lock and does next to nothing: what an engine is at elsewhere is not half-done.
      const itself = resources.filter(({ type }) => type === resourceTypes.stack);
      await refresh({ target: itself.map(({ urn }) => urn) });
      // Whoever had the lock until then may have completed it.
      await removeHalfMade(await stack.read(), progress);
    }
    progress.onStep("comparing the stack's state with what is there");
    // Only now: what is cleared is forgotten, and would stay in the way if this were interrupted before.
    await refresh({ clearPendingCreates: true });
    return { value: undefined, detail: `${count(pending.length, "operation")} cleared (${names})` };
  });
}

function isCreation({ type }: PendingOperation): boolean {
  return type === "creating";
}

/** By the words of Pulumi's backends: that on files or a bucket (pkg/backend/diy/lock.go), and Pulumi Cloud's. */
function isLocked(error: unknown): boolean {
  return error instanceof EngineError && /stack is currently locked|\[409\] Conflict/.test(error.output);
}

function lockedMessage({ stackName, pulumi }: RecoveryOptions): string {
  return (
    `the stack ${stackName} is locked in ${pulumi.state.where}: another pulumi is changing it, or one was killed and has left its lock.\n` +
    "Wait for its end, then run the command again. Where none runs any more, take the lock away first: " +
    `eval "$(npx cdc env --stack ${stackName})" && pulumi cancel --yes ${stackName}`
  );
}

/**
 * Removes what the state does not know but what stands in the way of making it again. A container gets the time to
 * finish its start, and then to stop: a database that is cut off while it makes its files would not start again.
 */
async function removeHalfMade({ pending, resources }: StackState, progress: Progress): Promise<void> {
  const docker = new Docker();
  const namesOf = (wanted: string) =>
    pending
      .filter((operation) => isCreation(operation) && operation.resource.type === wanted)
      .map(({ resource }) => dockerNameOf(resource));
  // A plain `pulumi up` makes what was half-made and leaves the note of it.
  const made = new Set(resources.map(({ id }) => id));
  for (const name of namesOf(resourceTypes.container)) await removeContainer(docker, name, made, progress);
  for (const name of namesOf(resourceTypes.network)) await removeNetwork(docker, name, made);
}

const startMs = 120_000;

async function removeContainer(
  docker: Docker,
  name: string,
  made: ReadonlySet<string>,
  { onStep }: Progress,
): Promise<void> {
  const container = docker.getContainer(name);
  const health = async () => (await container.inspect()).State.Health?.Status;
  const found = await container.inspect().catch(() => undefined);
  // Without the label that all of ours carry it is somebody else's, and making ours will say that the name is taken.
  if (found?.Config.Labels["cdc.service"] === undefined || made.has(found.Id)) return;
  if (found.State.Running) {
    onStep(`letting ${name} finish its start, then making it anew`);
    await waitFor(async () => (await health()) !== "starting", { what: name, timeoutMs: startMs }).catch(
      () => undefined,
    );
    await container.stop({ t: 60 }).catch(() => undefined);
  }
  // With its anonymous volumes: nobody would know whose they are.
  await container.remove({ force: true, v: true });
}

async function removeNetwork(docker: Docker, name: string, made: ReadonlySet<string>): Promise<void> {
  const networks = await docker.listNetworks({ filters: { name: [name] } });
  for (const { Id } of networks.filter((network) => network.Name === name && !made.has(network.Id))) {
    // With containers in it the engine refuses: then it is in use, by us or by somebody else.
    await docker
      .getNetwork(Id)
      .remove()
      .catch(() => undefined);
  }
}
