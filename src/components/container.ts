import { createHash } from "node:crypto";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { JmxExporter, LocalFile, ServiceName } from "../images";
import { readProjectFile } from "../lib/paths";

/** What every service is told about where and how it runs. */
export interface ServiceArgs {
  /** Reference of the image. */
  readonly image: pulumi.Input<string>;
  /** The network on which the services reach each other by name. */
  readonly network: docker.Network;
  /** Memory limit in MiB; there is no swap beside it. */
  readonly memoryMb: number;
  /** Address on the host on which ports are published. */
  readonly bindAddress: string;
  /** How long the service may take to become healthy, in seconds. */
  readonly startTimeoutSeconds: number;
  /**
   * What the container is made after. Not said to the component as a whole: its volume, which `down --keep-data` keeps
   * with all that it depends on, would then depend on that, too.
   */
  readonly startsAfter?: readonly pulumi.Resource[];
}

/** The few facts in which one container differs from another. */
export interface ContainerFacts {
  /** Name of the container, and its host name on the network. */
  readonly service: ServiceName;
  /** The image's own by default. */
  readonly command?: readonly pulumi.Input<string>[];
  /** Settings without secrets: `docker inspect` prints them. */
  readonly env?: Readonly<Record<string, pulumi.Input<string>>>;
  /** Files that are put into the container before it starts; a change of one replaces it. Secrets belong here. */
  readonly files?: readonly ContainerFile[];
  readonly volumes?: readonly { readonly volume: docker.Volume; readonly path: string }[];
  /** Files and folders of the host. */
  readonly hostPaths?: readonly HostPath[];
  readonly ports?: readonly { readonly inside: number; readonly published: number }[];
  /** Says by its exit code whether the service takes requests. */
  readonly healthcheck: Healthcheck;
  /** Linux capabilities that it keeps, as in CHOWN; none by default. */
  readonly capabilities?: readonly string[];
  /** Numeric, `uid:gid`; the image's own by default. */
  readonly user?: string;
  /** Whether nothing but volumes can be written to. Not together with `files`: they are put into the root file system. */
  readonly readOnly?: boolean;
  /** Seconds between the request to stop and the kill; 10 by default. */
  readonly stopSeconds?: number;
  /** Size of /dev/shm in MiB; 64 by default, as the engine has it. */
  readonly shmMb?: number;
}

export interface ContainerFile {
  readonly path: string;
  /** Its text, or a file of this machine. */
  readonly content: pulumi.Input<string> | LocalFile;
  /** `0444` by default. Files belong to root: a secret is `0400` only where the entrypoint runs as root. */
  readonly mode?: string;
}

export interface HostPath {
  readonly host: string;
  readonly path: string;
  readonly readOnly: boolean;
}

export interface Healthcheck {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** Seconds between two checks; 10 by default. A check costs the start of a process: on two cores, a dozen services checked every three seconds took a third of the machine. */
  readonly everySeconds?: number;
}

/**
 * A container that comes out of the engine just as the program describes it, so that a second update finds no
 * difference: whatever the engine would fill in is said here.
 */
export class ServiceContainer extends docker.Container {
  constructor(name: string, args: ServiceArgs, facts: ContainerFacts, opts: pulumi.CustomResourceOptions) {
    const image = new docker.RemoteImage(
      `${name}-image`,
      // Images outlive the stack: to pull or build them is what takes longest in the next one.
      { name: args.image, keepLocally: true },
      { parent: opts.parent },
    );
    super(
      name,
      containerArgs(args, facts, image.imageId),
      // There can be one container of that name.
      pulumi.mergeOptions(opts, { deleteBeforeReplace: true, dependsOn: [...(args.startsAfter ?? [])] }),
    );
  }
}

/** A named volume, which a container of ours keeps its data in. */
export function dataVolume(
  name: string,
  service: ServiceName,
  opts: pulumi.CustomResourceOptions & { readonly keepData?: boolean },
): docker.Volume {
  const { keepData, ...rest } = opts;
  return new docker.Volume(
    name,
    { name: `cdc-${service}-data`, driver: "local", labels: [{ label: "cdc.service", value: service }] },
    { ...rest, deleteBeforeReplace: true, protect: keepData ?? false },
  );
}

type JmxFile = Pick<ContainerFile, "path"> & { readonly rules: string };

/** The files of the JMX exporter: its jar, where the image lacks it, and rules of prometheus/jmx/. */
export function jmxFiles(exporter: JmxExporter, jar: string, { path, rules }: JmxFile): ContainerFile[] {
  return [
    ...(exporter === "in the image" ? [] : [{ path: jar, content: exporter }]),
    { path, content: readProjectFile("prometheus", "jmx", rules) },
  ];
}

/** A health check by the Node of an image that has no other client. */
export function nodeHealthcheck(url: string): Healthcheck {
  const fetching = `fetch('${url}').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))`;
  // Each check starts a Node.
  return { command: ["node", "-e", fetching], everySeconds: 15 };
}

function containerArgs(
  { network, memoryMb, bindAddress, startTimeoutSeconds }: ServiceArgs,
  facts: ContainerFacts,
  image: pulumi.Input<string>,
): docker.ContainerArgs {
  const healthcheck = healthcheckArgs(facts.healthcheck);
  const stopSeconds = facts.stopSeconds ?? 10;
  return {
    name: facts.service,
    hostname: facts.service,
    image,
    networkMode: network.name,
    cgroupParent: cgroupOf(facts.service),
    ...(facts.command && { command: [...facts.command] }),
    ...(facts.user && { user: facts.user }),
    ...(facts.env && { envs: environment(facts.env) }),
    ...(facts.files && { uploads: facts.files.map(uploadArgs) }),
    ...((facts.volumes || facts.hostPaths) && { volumes: volumeArgs(facts) }),
    ...(facts.ports && { ports: portArgs(facts.ports, bindAddress) }),
    memory: memoryMb,
    memorySwap: memoryMb,
    ...(facts.shmMb && { shmSize: facts.shmMb }),
    ...(facts.readOnly && { readOnly: true }),
    // With the prefix, as newer engines return them whatever they were given.
    capabilities: {
      drops: ["ALL"],
      ...(facts.capabilities && { adds: facts.capabilities.map((name) => `CAP_${name}`) }),
    },
    securityOpts: ["no-new-privileges"],
    restart: "unless-stopped",
    stopTimeout: stopSeconds,
    // Without it, the plugin kills a container that it removes.
    destroyGraceSeconds: stopSeconds,
    logDriver: "json-file",
    logOpts: { "max-size": "10m", "max-file": "3" },
    healthcheck,
    wait: true,
    waitTimeout: startTimeoutSeconds,
    labels: [
      { label: "cdc.service", value: facts.service },
      // A changed health check changes the state, but no container that exists; a changed label replaces it.
      { label: "cdc.healthcheck", value: fingerprint(healthcheck) },
      // A network that was made anew has the old name and none of the old containers.
      { label: "cdc.network", value: network.id },
    ],
  };
}

/**
 * A cgroup of the service's own, in which whoever reads the host's cgroups finds its container by name. As systemd, where
 * the engine uses it, wants it called: a dash would nest it.
 */
export function cgroupOf(service: ServiceName): string {
  return `cdc-${service.replaceAll("-", "_")}.slice`;
}

function environment(env: NonNullable<ContainerFacts["env"]>): pulumi.Output<string>[] {
  const names = Object.keys(env).sort();
  return names.map((name) => pulumi.interpolate`${name}=${env[name] ?? ""}`);
}

function uploadArgs({ path, content, mode }: ContainerFile): docker.types.input.ContainerUpload {
  const from = isLocalFile(content) ? { source: content.path, sourceHash: content.sha256 } : { content };
  return { file: path, ...from, permissions: mode ?? "0444" };
}

function isLocalFile(content: ContainerFile["content"]): content is LocalFile {
  return typeof content === "object" && "sha256" in content && typeof content.sha256 === "string";
}

function volumeArgs({ volumes = [], hostPaths = [] }: ContainerFacts): docker.types.input.ContainerVolume[] {
  return [
    ...volumes.map(({ volume, path }) => ({ volumeName: volume.name, containerPath: path })),
    ...hostPaths.map(({ host, path, readOnly }) => ({ hostPath: host, containerPath: path, readOnly })),
  ];
}

/** The engine lists ports by their numbers inside. */
function portArgs(
  ports: NonNullable<ContainerFacts["ports"]>,
  bindAddress: string,
): docker.types.input.ContainerPort[] {
  return [...ports]
    .sort((a, b) => a.inside - b.inside)
    .map(({ inside, published }) => ({
      internal: inside,
      external: published,
      ip: bindAddress,
      protocol: "tcp",
    }));
}

function healthcheckArgs({ command, everySeconds = 10 }: Healthcheck) {
  return {
    tests: ["CMD", ...command],
    interval: `${everySeconds}s`,
    timeout: "10s",
    retries: 3,
    // Failures while it starts do not count.
    startPeriod: "3m0s",
  };
}

/** Twelve hex digits that stand for a value. */
function fingerprint(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 12);
}
