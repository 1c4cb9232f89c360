import Docker from "dockerode";
import type { CommandContext } from "../command";
import { recover } from "../engine/recovery";
import { dockerNameOf, resourceTypes, type StackState } from "../engine/state";
import { volumeSizes } from "../engine/volumes";
import { operate } from "../operation";
import { type CommonOptions, dockerStep, pulumiStep, stackFor } from "../session";
import { readSettings } from "../settings";
import { stopDockerIfOurs } from "../toolchain/docker";
import { forgetImages } from "../toolchain/images";
import { confirm } from "../ui/ask";
import { bytes, duration } from "../ui/format";

export interface DownOptions extends CommonOptions {
  /** Answers the question whether all this may be deleted. */
  readonly yes?: boolean;
  /** Leaves the volumes and the passwords that go with them; the next `up` takes them over. */
  readonly keepData?: boolean;
}

/** Takes the stack down, after it has said what that deletes. */
export async function down(options: DownOptions, context: CommandContext): Promise<number | undefined> {
  const { terminal, steps, interruption } = context;
  const started = Date.now();
  const keepData = options.keepData || readSettings(options.stack).keepData;
  await dockerStep(steps);
  const pulumi = await pulumiStep(steps, options);
  const stack = stackFor(options, { steps, pulumi, interruption });
  const state = await recover({ stack, stackName: options.stack, pulumi, steps });
  const doomed = doomedIn(state, keepData);
  if (doomed.resources === 0) {
    terminal.line(
      keepData && state.resources.length > 0
        ? "the stack is down already; its data is kept"
        : "the stack is down already",
    );
    await leaveMachine(context);
    return undefined;
  }
  for (const line of describeDoomed(doomed, await volumeSizes(doomed.volumes), keepData)) terminal.line(line);
  if (!options.yes && !(await mayDelete())) return 1;
  interruption.check();
  // Its providers leave what lives in the volumes: slot, topics, tables.
  if (keepData) process.env.CDC_KEEP_DATA = "1";
  const automation = await stack.automation();
  await operate("Stack", context, options, (engine) =>
    automation.destroy({
      ...engine,
      color: "never",
      ...(keepData ? { exclude: [...keptUrns(state)] } : {}),
    }),
  );
  forgetImages();
  await leaveMachine(context);
  terminal.line(
    `down in ${duration(Date.now() - started)}; local images stay, for the next up` +
      (keepData ? ", and so do the data volumes: npx cdc up takes them over" : ""),
  );
  return undefined;
}

/** What `down` is about to delete. */
export interface Doomed {
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  /** Number of all resources. */
  readonly resources: number;
}

export function doomedIn(state: StackState, keepData: boolean): Doomed {
  const kept = keepData ? keptUrns(state) : new Set<string>();
  const going = state.resources.filter(({ urn, custom }) => custom && !kept.has(urn) && !isProvider(urn));
  const names = (type: string) => going.filter((resource) => resource.type === type).map(dockerNameOf);
  return {
    containers: names(resourceTypes.container),
    networks: names(resourceTypes.network),
    volumes: names(resourceTypes.volume),
    resources: going.length,
  };
}

/**
 * Volumes, and the passwords, which are in the volumes too: with other ones the next `up` could not get in. The engine
 * keeps what these depend on by itself.
 */
export function keptUrns({ resources }: StackState): ReadonlySet<string> {
  const kept = resources.filter(
    ({ type, custom }) => custom && (type === resourceTypes.volume || type.startsWith("random:")),
  );
  return new Set(kept.map(({ urn }) => urn));
}

function isProvider(urn: string): boolean {
  return urn.includes("::pulumi:providers:");
}

function describeDoomed(
  { containers, networks, volumes }: Doomed,
  sizeOf: ReadonlyMap<string, number>,
  keepData: boolean,
): readonly string[] {
  const withSize = volumes.map((name) => {
    const size = sizeOf.get(name);
    return size === undefined ? name : `${name} (${bytes(size)})`;
  });
  const line = (what: string, names: readonly string[]) =>
    names.length > 0 ? [`  ${what}: ${names.join(", ")}`] : [];
  return [
    "This will be deleted:",
    ...line("containers", containers),
    ...line("network", networks),
    ...line("volumes with all their data", withSize),
    ...(keepData ? ["  data volumes and passwords are kept"] : []),
  ];
}

async function mayDelete(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    console.error(
      "cdc: nobody is there to be asked, so nothing is deleted; --yes says yes, as in: npx cdc down --yes",
    );
    return false;
  }
  const yes = await confirm("Delete it?");
  if (!yes) console.error("nothing was deleted");
  return yes;
}

/** An engine that `up` has started ends, unless others use it. */
async function leaveMachine({ terminal }: CommandContext): Promise<void> {
  const running = await new Docker().listContainers().catch(() => []);
  if (running.length > 0) {
    const names = running.map(({ Names }) => Names[0]?.slice(1)).join(", ");
    terminal.line(`the Docker Engine goes on: other containers run on it (${names})`);
    return;
  }
  if (await stopDockerIfOurs())
    terminal.line("the Docker Engine, which was started for the stack, has ended");
}
