import type Docker from "dockerode";
import type { Container } from "dockerode";
import { messageOf } from "../../../../src/lib/retry";
import type { Failure } from "../../provider/check";
import { isSame } from "../../provider/diff";
import { type Call, IncompleteError, type Kind } from "../../provider/kind";
import type { Values } from "../../provider/schema";
import { isUnknown } from "../../provider/unknown";
import { asking, askingFor, type Engine, engineMessage, hasStatus, removeWhenFree } from "../engine";
import { findOrPull } from "../remote-image";
import { type Existing, makeNamed } from "../unfinished";
import { waitForHealth } from "./health";
import { logsOf } from "./logs";
import { createOptions, endpointsOf, resources, restartPolicy } from "./options";
import { properties } from "./schema";
import { type Inspected, stateOf } from "./state";
import { archiveOf, uploadProblem } from "./uploads";

// Behaviour: resource_docker_container_funcs.go of terraform-provider-docker.
export const container: Kind<Engine> = {
  properties,
  autonamed: true,
  deleteBeforeReplace: true,
  schemaVersion: "2",
  checkTogether: (inputs) => ({ inputs, failures: problems(inputs) }),

  async create(call, inputs) {
    const { docker, unfinished } = call.service;
    const id = await make(call, inputs);
    const made = docker.getContainer(id);
    try {
      return { id, outputs: await complete(call, made, inputs) };
    } catch (error) {
      throw new IncompleteError(messageOf(error), id);
    } finally {
      unfinished.told(call.urn);
    }
  },

  async read({ service: { docker } }, id, prior) {
    const found = await askingFor(`inspect container ${id}`, () => docker.getContainer(id).inspect());
    if (found === undefined) return undefined;
    return { id: found.Id, state: stateOf(found as Inspected, prior) };
  },

  async update({ service: { docker } }, id, state, inputs) {
    const changed = docker.getContainer(id);
    if (!state.mustRun && inputs.mustRun && inputs.start) await start(changed);
    if (!adjustable.some((name) => hasChanged(state, inputs, name))) return;
    const wanted = { ...resources(inputs), RestartPolicy: restartPolicy(inputs) };
    await asking(`update container ${inputs.name}`, () => changed.update(wanted));
  },

  async delete({ service: { docker }, signal }, id, state) {
    const doomed = docker.getContainer(id);
    if (!state.attach) await stop(doomed, state);
    const v = state.removeVolumes !== false;
    const remove = () => doomed.remove({ force: true, v });
    await removeWhenFree(
      `container ${state.name ?? id}`,
      remove,
      /removal of container .* is already in progress/i,
      signal,
    );
  },
};

/** Inputs that the engine takes over while the container runs. */
const adjustable = [
  "restart",
  "maxRetryCount",
  "cpuShares",
  "memory",
  "memoryReservation",
  "cpuSet",
  "memorySwap",
  "deviceReadBps",
  "deviceReadIops",
  "deviceWriteBps",
  "deviceWriteIops",
] as const;

function hasChanged(state: Values, inputs: Values, name: (typeof adjustable)[number]): boolean {
  const property = properties[name];
  return property !== undefined && !isSame(property, state[name], inputs[name]);
}

function problems(inputs: Values): Failure[] {
  const uploads = (inputs.uploads ?? []) as Values[];
  const volumes = (inputs.volumes ?? []) as Values[];
  const found = [
    ...uploads.map((upload, index) => [`uploads[${index}]`, uploadProblem(upload)] as const),
    ...volumes.map((volume, index) => [`volumes[${index}]`, volumeProblem(volume)] as const),
    ["gpus", inputs.gpus && inputs.deviceRequests ? "not together with deviceRequests" : undefined] as const,
  ];
  return found.flatMap(([property, problem]) =>
    problem === undefined ? [] : [{ property, reason: `"${property}": ${problem}` }],
  );
}

function volumeProblem({ containerPath, fromContainer }: Values): string | undefined {
  if (isUnknown(containerPath) || isUnknown(fromContainer)) return undefined;
  if (!containerPath && !fromContainer) return "containerPath or fromContainer must be set";
  if (containerPath && fromContainer) return "containerPath and fromContainer exclude each other";
  return undefined;
}

async function make({ service, urn }: Call<Engine>, inputs: Values): Promise<string> {
  const { docker, unfinished } = service;
  const name = inputs.name as string;
  await findOrPull(service, inputs.image as string);
  return makeNamed(unfinished, {
    urn,
    find: () => existing(docker, name),
    remove: (rest) => docker.getContainer(rest).remove({ force: true, v: true }),
    make: async () => {
      try {
        return (await docker.createContainer(createOptions(inputs))).id;
      } catch (error) {
        const hint = hasStatus(error, 409) ? `; if it is not needed: docker rm -f ${name}` : "";
        throw new Error(`Unable to create container ${name}: ${engineMessage(error)}${hint}`, {
          cause: error,
        });
      }
    },
  });
}

async function existing(docker: Docker, name: string): Promise<Existing | undefined> {
  const found = await askingFor(`inspect container ${name}`, () => docker.getContainer(name).inspect());
  if (found?.Name !== `/${name}`) return undefined;
  return { id: found.Id, created: Date.parse(found.Created), unused: found.State.Status === "created" };
}

/** All that follows once the container exists; returns what only this run can know. */
async function complete(call: Call<Engine>, made: Container, inputs: Values): Promise<Values> {
  const { docker } = call.service;
  await join(docker, made, inputs);
  await upload(made, (inputs.uploads ?? []) as Values[]);
  if (inputs.start) {
    await start(made);
    if (inputs.wait) await waitForHealth(made, inputs, call.signal);
  }
  return inputs.attach ? attach(made, inputs) : {};
}

/** A container is made on one network only; it leaves that one for those that are asked for. */
async function join(docker: Docker, made: Container, inputs: Values): Promise<void> {
  const endpoints = endpointsOf(inputs);
  if (endpoints.length === 0) return;
  try {
    await docker.getNetwork("bridge").disconnect({ Container: made.id });
  } catch (error) {
    if (!/is not connected to (the )?network/i.test(engineMessage(error))) throw error;
  }
  for (const { network, config } of endpoints) {
    const connect = () => docker.getNetwork(network).connect({ Container: made.id, EndpointConfig: config });
    await asking(`connect container ${inputs.name} to network ${network}`, connect);
  }
}

async function upload(made: Container, uploads: readonly Values[]): Promise<void> {
  if (uploads.length === 0) return;
  const archive = await archiveOf(uploads);
  const files = uploads.map(({ file }) => file).join(", ");
  await asking(`upload ${files}`, () => made.putArchive(archive, { path: "/" }));
}

async function start(stopped: Container): Promise<void> {
  await asking("start container", async () => {
    try {
      await stopped.start();
    } catch (error) {
      // It runs already.
      if (!hasStatus(error, 304)) throw error;
    }
  });
}

/** Waits for the container's end, as for a program that was called. */
async function attach(made: Container, inputs: Values): Promise<Values> {
  await asking("wait for the container's end", () => made.wait());
  return inputs.logs ? { containerLogs: await logsOf(made, inputs.tty === true) } : {};
}

async function stop(running: Container, state: Values): Promise<void> {
  const t = Math.max(0, (state.destroyGraceSeconds as number | undefined) ?? 0);
  await askingFor(`stop container ${state.name}`, async () => {
    try {
      await running.stop({ t });
    } catch (error) {
      // It has stopped already.
      if (!hasStatus(error, 304)) throw error;
    }
  });
}
