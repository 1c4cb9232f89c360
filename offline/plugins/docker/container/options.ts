import type { ContainerCreateOptions, HostConfig, MountSettings } from "dockerode";
import type { Values } from "../../provider/schema";
import { labels } from "../engine";
import { parseCpus, parseDuration, toBytes } from "./units";

/**
 * What the engine is asked for, for these inputs. An input at its type's zero value counts as left out, as in
 * `resourceDockerContainerCreate` of terraform-provider-docker.
 */
export function createOptions(inputs: Values): ContainerCreateOptions {
  const volumes = volumesOf(list(inputs.volumes));
  const ports = portsOf(list(inputs.ports));
  return {
    name: text(inputs.name),
    platform: text(inputs.platform),
    Image: text(inputs.image),
    Hostname: text(inputs.hostname),
    Domainname: text(inputs.domainname),
    User: text(inputs.user),
    WorkingDir: text(inputs.workingDir),
    Tty: inputs.tty === true,
    OpenStdin: inputs.stdinOpen === true,
    StopSignal: text(inputs.stopSignal),
    StopTimeout: number(inputs.stopTimeout),
    Env: strings(inputs.envs),
    Cmd: strings(inputs.command),
    Entrypoint: strings(inputs.entrypoints),
    ExposedPorts: ports.exposed,
    Volumes: volumes.paths,
    Labels: labels.toEngine(inputs.labels),
    Healthcheck: healthcheckOf(inputs.healthcheck),
    HostConfig: { ...hostConfig(inputs), ...volumes.host, PortBindings: ports.bindings },
  };
}

function hostConfig(inputs: Values): HostConfig {
  const capabilities = (inputs.capabilities ?? {}) as Values;
  return {
    ...resources(inputs),
    ...cpuTime(inputs),
    ...securityOf(strings(inputs.securityOpts)),
    Privileged: inputs.privileged === true,
    PublishAllPorts: inputs.publishAllPorts === true,
    RestartPolicy: restartPolicy(inputs),
    Runtime: text(inputs.runtime),
    Mounts: list(inputs.mounts).map(mountOf),
    AutoRemove: inputs.rm === true,
    ReadonlyRootfs: inputs.readOnly === true,
    LogConfig: { Type: text(inputs.logDriver) ?? "", Config: entries(inputs.logOpts) },
    Tmpfs: entries(inputs.tmpfs),
    ExtraHosts: given(list(inputs.hosts).map(({ host, ip }) => `${host}:${ip}`)),
    Ulimits: given(
      list(inputs.ulimits).map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    ) as HostConfig["Ulimits"],
    CapAdd: strings(capabilities.adds),
    CapDrop: strings(capabilities.drops),
    Devices: given(list(inputs.devices).map(deviceOf)),
    DeviceCgroupRules: strings(inputs.deviceCgroupRules),
    DeviceRequests: deviceRequests(inputs),
    Dns: strings(inputs.dns),
    DnsOptions: strings(inputs.dnsOpts),
    DnsSearch: strings(inputs.dnsSearches),
    ShmSize: bytes(inputs.shmSize),
    NetworkMode: text(inputs.networkMode),
    UsernsMode: text(inputs.usernsMode),
    PidMode: text(inputs.pidMode),
    IpcMode: text(inputs.ipcMode),
    Sysctls: entries(inputs.sysctls),
    GroupAdd: strings(inputs.groupAdds),
    CgroupParent: text(inputs.cgroupParent),
    ...(text(inputs.cgroupnsMode) && { CgroupnsMode: inputs.cgroupnsMode }),
    Init: inputs.init === true,
    StorageOpt: entries(inputs.storageOpts),
  };
}

/** What can change while a container runs. */
export function resources(inputs: Values): HostConfig {
  return {
    CpuShares: number(inputs.cpuShares),
    CpusetCpus: text(inputs.cpuSet),
    Memory: bytes(inputs.memory),
    MemoryReservation: bytes(inputs.memoryReservation),
    MemorySwap: bytes(inputs.memorySwap),
    BlkioDeviceReadBps: throttles(inputs.deviceReadBps),
    BlkioDeviceReadIOps: throttles(inputs.deviceReadIops),
    BlkioDeviceWriteBps: throttles(inputs.deviceWriteBps),
    BlkioDeviceWriteIOps: throttles(inputs.deviceWriteIops),
  };
}

export function restartPolicy(inputs: Values): NonNullable<HostConfig["RestartPolicy"]> {
  return { Name: text(inputs.restart) ?? "", MaximumRetryCount: number(inputs.maxRetryCount) ?? 0 };
}

/** A network to join, and as what. */
export interface Endpoint {
  readonly network: string;
  readonly config: Values;
}

export function endpointsOf(inputs: Values): Endpoint[] {
  return list(inputs.networksAdvanced).map((network) => ({
    network: network.name as string,
    config: {
      Aliases: strings(network.aliases),
      IPAMConfig: {
        IPv4Address: text(network.ipv4Address),
        IPv6Address: text(network.ipv6Address),
        LinkLocalIPs: strings(network.linkLocalIps),
      },
      MacAddress: text(network.macAddress),
      DriverOpts: pairs(strings(network.driverOpts)),
      GwPriority: number(network.gwPriority),
    },
  }));
}

/** `cpus` wins over the two settings that it is short for. */
function cpuTime(inputs: Values): HostConfig {
  const cpus = text(inputs.cpus);
  if (cpus !== undefined) return { NanoCpus: parseCpus(cpus) };
  return { CpuPeriod: number(inputs.cpuPeriod), CpuQuota: number(inputs.cpuQuota) };
}

/** `systempaths=unconfined` is the client's own word for an empty list of hidden and of read-only paths. */
function securityOf(options: string[] | undefined): HostConfig {
  if (options === undefined) return {};
  const unconfined = "systempaths=unconfined";
  const rest = options.filter((option) => option !== unconfined);
  const paths = options.includes(unconfined) ? { MaskedPaths: [], ReadonlyPaths: [] } : {};
  return { SecurityOpt: rest, ...paths };
}

function healthcheckOf(value: unknown): ContainerCreateOptions["Healthcheck"] {
  if (value === undefined) return undefined;
  const check = value as Values;
  const duration = (name: string) => parseDuration((check[name] as string | undefined) ?? "0s") ?? 0;
  return {
    Test: (check.tests ?? []) as string[],
    Interval: duration("interval"),
    Timeout: duration("timeout"),
    StartPeriod: duration("startPeriod"),
    StartInterval: duration("startInterval"),
    Retries: (check.retries ?? 0) as number,
  };
}

function portsOf(ports: Values[]) {
  const exposed: Record<string, object> = {};
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { internal, external, ip, protocol } of ports) {
    const port = `${internal}/${protocol}`;
    exposed[port] = {};
    bindings[port] ??= [];
    // Port 0 lets the engine choose one.
    bindings[port].push({ HostIp: String(ip ?? ""), HostPort: String(external ?? 0) });
  }
  return ports.length === 0 ? {} : { exposed, bindings };
}

function volumesOf(volumes: Values[]) {
  const paths: Record<string, object> = {};
  const binds: string[] = [];
  const from: string[] = [];
  for (const volume of volumes) {
    const source = text(volume.hostPath) ?? text(volume.volumeName);
    const fromContainer = text(volume.fromContainer);
    if (fromContainer !== undefined) from.push(fromContainer);
    else paths[volume.containerPath as string] = {};
    if (fromContainer !== undefined || source === undefined) continue;
    const mode = [volume.readOnly ? "ro" : "rw", text(volume.selinuxRelabel)].filter((each) => each);
    binds.push(`${source}:${volume.containerPath}:${mode.join(",")}`);
  }
  return {
    paths: Object.keys(paths).length > 0 ? paths : undefined,
    host: { Binds: given(binds), VolumesFrom: given(from) },
  };
}

function mountOf(mount: Values): MountSettings {
  const bind = mount.bindOptions as Values | undefined;
  const volume = mount.volumeOptions as Values | undefined;
  const tmpfs = mount.tmpfsOptions as Values | undefined;
  const byType = {
    bind: bind && { BindOptions: { Propagation: text(bind.propagation) } },
    volume: volume && {
      VolumeOptions: {
        NoCopy: volume.noCopy === true,
        Labels: labels.toEngine(volume.labels) ?? {},
        DriverConfig: { Name: text(volume.driverName), Options: entries(volume.driverOptions) },
        Subpath: text(volume.subpath),
      },
    },
    tmpfs: tmpfs && {
      TmpfsOptions: { SizeBytes: number(tmpfs.sizeBytes), Mode: number(tmpfs.mode) },
    },
  };
  const type = mount.type as keyof typeof byType;
  return {
    Type: type,
    Target: mount.target as string,
    Source: (mount.source ?? "") as string,
    ReadOnly: mount.readOnly === true,
    ...(byType[type] as object | undefined),
  };
}

function deviceOf({ hostPath, containerPath, permissions }: Values) {
  return {
    PathOnHost: hostPath,
    PathInContainer: text(containerPath) ?? hostPath,
    CgroupPermissions: permissions,
  };
}

function deviceRequests(inputs: Values): HostConfig["DeviceRequests"] {
  const gpus = text(inputs.gpus);
  if (gpus !== undefined) return [gpuRequest(gpus)];
  const requests = list(inputs.deviceRequests).map((request) => ({
    Driver: text(request.driver),
    Count: number(request.count),
    DeviceIDs: strings(request.deviceIds),
    Capabilities: [strings(request.capabilities) ?? []],
    Options: entries(request.options),
  }));
  return given(requests) as HostConfig["DeviceRequests"];
}

function gpuRequest(gpus: string) {
  const request = { Driver: "", Capabilities: [["gpu"]], Options: {} };
  if (gpus === "all") return { ...request, Count: -1 };
  return { ...request, Count: 0, DeviceIDs: gpus.replace(/^device=/, "").split(",") };
}

function throttles(value: unknown) {
  return given(list(value).map(({ path, rate }) => ({ Path: path, Rate: rate })));
}

function pairs(texts: string[] | undefined): Record<string, string> | undefined {
  const split = (each: string) => [each.slice(0, each.indexOf("=")), each.slice(each.indexOf("=") + 1)];
  return texts && Object.fromEntries(texts.filter((each) => each.includes("=")).map(split));
}

function list(value: unknown): Values[] {
  return (value ?? []) as Values[];
}

function given<T>(values: T[]): T[] | undefined {
  return values.length > 0 ? values : undefined;
}

function strings(value: unknown): string[] | undefined {
  return given((value ?? []) as string[]);
}

function text(value: unknown): string | undefined {
  return (value as string | undefined) || undefined;
}

function number(value: unknown): number | undefined {
  return (value as number | undefined) || undefined;
}

function bytes(value: unknown): number | undefined {
  const mebibytes = number(value);
  return mebibytes && toBytes(mebibytes);
}

function entries(value: unknown): Record<string, string> | undefined {
  return value !== undefined && Object.keys(value as object).length > 0
    ? (value as Record<string, string>)
    : undefined;
}
