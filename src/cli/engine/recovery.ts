import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import Docker from "dockerode";
import { sleep, waitFor } from "../../lib/retry";
import type { Progress } from "../toolchain/progress";
import type { PulumiFacts } from "../toolchain/pulumi";
import { count } from "../ui/format";
import type { Steps } from "../ui/steps";
import { endOrphanedPlugins } from "./orphans";
import type { OpenStack } from "./stack";
import { nameOf, type PendingOperation, resourceTypes } from "./state";

export interface RecoveryOptions {
  readonly stack: OpenStack;
  readonly stackName: string;
  readonly pulumi: PulumiFacts;
  readonly steps: Steps;
}

/**
 * Puts in order what an engine has left behind that was killed: the lock on the stack, plugins that run on, operations
 * of which the state only knows that they had begun. Says what it does; does and says nothing where there is nothing.
 */
export async function recover(options: RecoveryOptions): Promise<void> {
  await freeLock(options);
  await endOrphanedPlugins(options.steps);
  const { pending } = await options.stack.read();
  if (pending.length > 0) await settle(pending, options);
}

/** A lock of Pulumi's own backends on files: `<backend>/.pulumi/locks/<organization>/<project>/<stack>/<id>.json`. */
export interface StackLock {
  readonly file: string;
  readonly pid: number;
  readonly hostname: string;
}

async function freeLock({ stack, stackName, pulumi, steps }: RecoveryOptions): Promise<void> {
  if (pulumi.state.backend !== "local") return;
  const folder = pulumi.state.where.replace(/^file:\/\//, "");
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
  const deadline = Date.now() + patienceMs;
  while (held().length > 0) {
    if (Date.now() > deadline)
      throw new Error(
        `the stack is being changed by another pulumi, process ${pid}; ` +
          "wait for its end, or end it with Ctrl-C where it runs, then run the command again",
      );
    await sleep(250);
  }
}

export function readLocks(backendFolder: string, stackName: string): readonly StackLock[] {
  const root = path.join(backendFolder, ".pulumi", "locks");
  return filesBelow(root)
    .filter((file) => file.endsWith(".json") && path.basename(path.dirname(file)) === stackName)
    .flatMap((file) => {
      try {
        const { pid, hostname } = JSON.parse(fs.readFileSync(file, "utf8"));
        return [{ file, pid, hostname }];
      } catch {
        // Taken away at this moment, or cut off by a kill; of the latter Pulumi itself complains.
        return [];
      }
    });
}

function filesBelow(folder: string): readonly string[] {
  try {
    const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  } catch {
    return [];
  }
}

/** Whether the lock's owner still runs. Of another machine that shares the folder nothing is known: it counts as held. */
export function isHeld({ pid, hostname }: Pick<StackLock, "pid" | "hostname">): boolean {
  if (hostname !== os.hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  const stat = readIfThere(`/proc/${pid}/stat`);
  // Where there is no /proc, the number alone has to do; where there is, it may be somebody else's by now.
  return stat === undefined ? !fs.existsSync("/proc/self/stat") : /^\d+ \(pulumi\) [^Z]/.test(stat);
}

function readIfThere(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

async function settle(
  pending: readonly PendingOperation[],
  { stack, steps }: RecoveryOptions,
): Promise<void> {
  const creating = pending.filter(({ type }) => type === "creating");
  const names = pending.map(({ type, resource }) => `${type} ${nameOf(resource.urn)}`).join(", ");
  await steps.step("What an interrupted run left half-done", async (progress) => {
    progress.onStep(names);
    await removeHalfMade(creating, progress);
    progress.onStep("comparing the stack's state with what is there");
    await (await stack.automation()).refresh({ clearPendingCreates: true });
    return { value: undefined, detail: `${count(pending.length, "operation")} cleared (${names})` };
  });
}

/**
 * Removes what the state does not know but what stands in the way of making it again. A container gets the time to
 * finish its start, and then to stop: a database that is cut off while it makes its files would not start again.
 */
async function removeHalfMade(creating: readonly PendingOperation[], progress: Progress): Promise<void> {
  const docker = new Docker();
  const ofType = (type: string) => creating.filter(({ resource }) => resource.type === type);
  for (const { resource } of ofType(resourceTypes.container))
    await removeContainer(docker, String(resource.inputs.name), progress);
  for (const { resource } of ofType(resourceTypes.network))
    await removeNetwork(docker, String(resource.inputs.name));
}

const startMs = 120_000;

async function removeContainer(docker: Docker, name: string, { onStep }: Progress): Promise<void> {
  const container = docker.getContainer(name);
  const health = async () => (await container.inspect()).State.Health?.Status;
  const found = await container.inspect().catch(() => undefined);
  // Without the label that all of ours carry it is somebody else's, and making ours will say that the name is taken.
  if (found?.Config.Labels["cdc.service"] === undefined) return;
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

async function removeNetwork(docker: Docker, name: string): Promise<void> {
  const networks = await docker.listNetworks({ filters: { name: [name] } });
  for (const { Id } of networks.filter((network) => network.Name === name)) {
    // With containers in it the engine refuses: then it is in use, by us or by somebody else.
    await docker
      .getNetwork(Id)
      .remove()
      .catch(() => undefined);
  }
}
