import type Docker from "dockerode";
import type { ImageInspectInfo } from "dockerode";
import type { Kind } from "../provider/kind";
import { bool, int, list, map, object, type Properties, set, string } from "../provider/schema";
import { asking, askingFor, type Engine } from "./engine";

const build: Properties = {
  additionalContexts: list(string()),
  authConfigs: list(
    object({
      auth: string(),
      email: string(),
      hostName: string({ required: true }),
      identityToken: string(),
      password: string(),
      registryToken: string(),
      serverAddress: string(),
      userName: string(),
    }),
  ),
  buildArgs: map(),
  buildId: string(),
  buildLogFile: string(),
  builder: string(),
  cacheFroms: list(string()),
  cacheTos: list(string()),
  cgroupParent: string(),
  context: string({ required: true }),
  cpuPeriod: int(),
  cpuQuota: int(),
  cpuSetCpus: string(),
  cpuSetMems: string(),
  cpuShares: int(),
  dockerfile: string(),
  extraHosts: list(string()),
  forceRemove: bool(),
  isolation: string(),
  label: map(),
  labels: map(),
  memory: int(),
  memorySwap: int(),
  networkMode: string(),
  noCache: bool(),
  platform: string(),
  provenance: string(),
  pullParent: bool(),
  remoteContext: string(),
  remove: bool(),
  sbom: string(),
  secrets: list(object({ env: string(), id: string({ required: true }), src: string() })),
  securityOpts: list(string()),
  sessionId: string(),
  shmSize: int(),
  squash: bool(),
  suppressOutput: bool(),
  tags: list(string()),
  target: string(),
  ulimits: list(
    object({
      hard: int({ required: true }),
      name: string({ required: true }),
      soft: int({ required: true }),
    }),
  ),
  useLegacyBuilder: bool(),
  version: string(),
};

// Traits and behaviour: resource_docker_image.go and resource_docker_image_funcs.go of terraform-provider-docker.
const properties: Properties = {
  build: object(build, { unsupported: "it pulls images or finds local ones, and builds none" }),
  forceRemove: bool(),
  imageId: string({ output: true }),
  keepLocally: bool(),
  name: string({ required: true, forceNew: true }),
  platform: string({ forceNew: true, default: "" }),
  pullTriggers: set(string(), { forceNew: true }),
  repoDigest: string({ output: true }),
  triggers: map({ forceNew: true }),
};

export const remoteImage: Kind<Engine> = {
  properties,

  async create({ service }, inputs) {
    const name = inputs.name as string;
    const image = await findOrPull(service, name, inputs.platform as string);
    return { id: idOf(image, name) };
  },

  async read({ service: { docker } }, id, prior) {
    const name = (prior.name as string | undefined) ?? id;
    const image = await inspect(docker, name);
    if (image === undefined) return undefined;
    return {
      id: idOf(image, name),
      state: { name, imageId: image.Id, repoDigest: repoDigest(name, image.RepoDigests ?? []) },
    };
  },

  /** Only `keepLocally` and `forceRemove` change in place, and they matter at deletion; the image is there again after. */
  async update({ service }, _id, _state, inputs) {
    await findOrPull(service, inputs.name as string, inputs.platform as string);
  },

  async delete({ service: { docker } }, _id, state) {
    if (state.keepLocally) return;
    const name = state.name as string;
    await askingFor(`remove image ${name}`, () =>
      docker.getImage(name).remove({ force: state.forceRemove === true }),
    );
  },
};

/** An image that is there is used as it is; one that isn't is pulled. */
export async function findOrPull(engine: Engine, name: string, platform = ""): Promise<ImageInspectInfo> {
  const local = await inspect(engine.docker, name);
  if (local !== undefined) return local;
  await asking(`find image ${name} on this machine, or to pull it`, () => pull(engine, name, platform));
  const pulled = await inspect(engine.docker, name);
  if (pulled === undefined) throw new Error(`Unable to find image ${name}, though it was pulled`);
  return pulled;
}

function inspect(docker: Engine["docker"], name: string): Promise<ImageInspectInfo | undefined> {
  return askingFor(`inspect image ${name}`, () => docker.getImage(name).inspect());
}

async function pull({ docker, credentials }: Engine, name: string, platform: string): Promise<void> {
  const authconfig = credentials.get(registryOf(name));
  // Without a tag, the engine would pull every tag there is.
  const reference = /[:@][^/]*$/.test(name) ? name : `${name}:latest`;
  const stream = await docker.pull(reference, { authconfig, ...(platform && { platform }) });
  await pulled(docker, stream);
}

/** Waits for a pull. What fails once it has begun is a line of its stream, which dockerode takes for progress. */
export async function pulled(docker: Docker, stream: NodeJS.ReadableStream): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(stream, (error: Error | null, lines: readonly { error?: string }[]) => {
      const said = lines?.find((line) => line.error !== undefined)?.error;
      if (error) reject(error);
      else if (said !== undefined) reject(new Error(said));
      else resolve();
    });
  });
}

/** The first part of an image's name is a registry when it looks like a host; else it is Docker Hub. */
function registryOf(name: string): string {
  const [first = "", ...rest] = name.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return isHost ? first : "registry-1.docker.io";
}

function idOf(image: ImageInspectInfo, name: string): string {
  return image.Id + name;
}

function repoDigest(name: string, digests: readonly string[]): string {
  const untagged = name.split(":")[0] ?? name;
  return digests.find((digest) => digests.length > 1 && digest.startsWith(untagged)) ?? digests[0] ?? "";
}
