import { beforeEach, describe, expect, test, vi } from "vitest";
import { EngineError } from "../../src/cli/engine/command";
import { recover } from "../../src/cli/engine/recovery";
import type { PendingOperation, StackState } from "../../src/cli/engine/state";
import type { Steps } from "../../src/cli/ui/steps";
import { silent } from "../../src/cli/ui/terminal";

/** What was done, in order; and the containers and networks that Docker has, by name. */
const world = vi.hoisted(() => ({
  done: [] as string[],
  containers: {} as Record<string, { Id: string; ours: boolean }>,
  networks: {} as Record<string, string>,
}));

vi.mock("dockerode", () => ({
  default: class {
    getContainer = (name: string) => ({
      inspect: async () => {
        const found = world.containers[name];
        if (!found) throw new Error("no such container");
        const Labels = found.ours ? { "cdc.service": name } : {};
        return { Id: found.Id, State: { Running: false }, Config: { Labels } };
      },
      remove: async () => world.done.push(`remove container ${name}`),
    });
    listNetworks = async () => Object.entries(world.networks).map(([Name, Id]) => ({ Name, Id }));
    getNetwork = (id: string) => ({ remove: async () => world.done.push(`remove network ${id}`) });
  },
}));
// It looks at the processes of this machine, and ends some.
vi.mock("../../src/cli/engine/orphans", () => ({ endOrphanedPlugins: async () => {} }));

const stackUrn = "urn:pulumi:dev::cdc::pulumi:pulumi:Stack::cdc-dev";
const resource = (type: string, name: string, id = "") => ({
  urn: `urn:pulumi:dev::cdc::${type}::${name}-x`,
  type,
  id,
  custom: true,
  inputs: { name },
  outputs: {},
});
const creating = (type: string, name: string): PendingOperation => ({
  resource: resource(type, name),
  type: "creating",
});
const container = "docker:index/container:Container";
const network = "docker:index/network:Network";
const stackItself = { ...resource("pulumi:pulumi:Stack", "cdc-dev"), urn: stackUrn, custom: false };

function recoverFrom(states: readonly Partial<StackState>[], refresh: (args: unknown) => Promise<unknown>) {
  const left = [...states];
  const steps: Steps = {
    terminal: silent,
    logFile: "",
    log: () => {},
    step: async (_, work) => (await work({ logFile: "", onStep: () => {} })).value,
  };
  return recover({
    stackName: "dev",
    pulumi: { state: { backend: "own", where: "s3://bucket", env: {} } } as never,
    steps,
    stack: {
      automation: async () => ({ refresh }) as never,
      read: async () => ({ resources: [stackItself], pending: [], outputs: {}, ...left.shift() }),
    },
  });
}

const refreshing = async (args: unknown) => world.done.push(`refresh ${JSON.stringify(args)}`);
const lockTaken = `refresh {"target":["${stackUrn}"]}`;
const cleared = 'refresh {"clearPendingCreates":true}';

beforeEach(() => {
  world.done = [];
  world.containers = {};
  world.networks = {};
});

describe("what an interrupted run left half-done", () => {
  const pending = [creating(container, "kafka"), creating(network, "cdc-network")];

  test("is removed between the taking of the lock and the clearing of the notes", async () => {
    world.containers = { kafka: { Id: "c1", ours: true } };
    world.networks = { "cdc-network": "n1" };
    const after = await recoverFrom([{ pending }, { pending }, { outputs: { a: 1 } }], refreshing);
    expect(world.done).toEqual([lockTaken, "remove container kafka", "remove network n1", cleared]);
    expect(after).toMatchObject({ pending: [], outputs: { a: 1 } });
  });

  test.each([
    ["a bucket", "error: the stack is currently locked by 1 lock(s). Either wait for the other"],
    ["Pulumi Cloud", "error: [409] Conflict: Another update is currently in progress."],
  ])("is not touched while an engine elsewhere is at it, by the lock of %s", async (_, output) => {
    world.containers = { kafka: { Id: "c1", ours: true } };
    const locked = async () => {
      throw new EngineError("pulumi refresh: exit code 255", output);
    };
    await expect(recoverFrom([{ pending }, { pending }], locked)).rejects.toThrow(
      /stack dev is locked in s3:\/\/bucket[\s\S]*pulumi cancel --yes dev/,
    );
    expect(world.done).toEqual([]);
  });

  test("is let be where the engine that had the lock has completed it, or it is somebody else's", async () => {
    world.containers = { kafka: { Id: "c1", ours: true }, postgres: { Id: "c2", ours: false } };
    world.networks = { "cdc-network": "n1" };
    const both = [...pending, creating(container, "postgres")];
    const resources = [
      stackItself,
      resource(container, "kafka", "c1"),
      resource(network, "cdc-network", "n1"),
    ];
    await recoverFrom([{ pending: both }, { pending: both, resources }], refreshing);
    expect(world.done).toEqual([lockTaken, cleared]);
  });

  test("is only looked at again where nothing was being made", async () => {
    const updating = { ...creating(container, "kafka"), type: "updating" };
    await recoverFrom([{ pending: [updating] }], refreshing);
    expect(world.done).toEqual([cleared]);
  });

  test("is nothing where no operation is pending", async () => {
    await recoverFrom([{}], refreshing);
    expect(world.done).toEqual([]);
  });
});
