import type { ContainerInspectInfo } from "dockerode";
import type { Values } from "../../provider/schema";
import { formatCpus, formatDuration, toMebibytes } from "./units";

/** A container as the engine tells it; its typings lack some of the fields. */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Inspected = ContainerInspectInfo & { HostConfig: any; Config: any };

/**
 * What of a container can be seen from outside. Environment, labels, volumes, networks and uploads are left out, as
 * in `resourceDockerContainerRead` of terraform-provider-docker: what an image adds to them can't be told apart.
 * What the program left out and the engine would answer all the same is asked for by `prior`.
 */
export function stateOf(found: Inspected, prior: Values): Values {
  const { Config: config, HostConfig: host } = found;
  return {
    ...runningState(found, prior),
    ...limits(host),
    ...onlyWhereAsked(found, prior),
    bridge: (found.NetworkSettings as { Bridge?: string }).Bridge ?? "",
    networkDatas: networks(found),
    name: found.Name.replace(/^\/+/, ""),
    image: String(prior.image ?? "").startsWith("sha256:") ? found.Image : config.Image,
    rm: host.AutoRemove,
    readOnly: host.ReadonlyRootfs,
    hostname: config.Hostname,
    domainname: config.Domainname,
    command: config.Cmd ?? [],
    entrypoints: config.Entrypoint ?? [],
    user: config.User,
    workingDir: config.WorkingDir,
    dns: host.Dns ?? [],
    dnsOpts: host.DnsOptions ?? [],
    dnsSearches: host.DnsSearch ?? [],
    securityOpts: host.SecurityOpt ?? [],
    publishAllPorts: host.PublishAllPorts,
    restart: host.RestartPolicy.Name,
    maxRetryCount: host.RestartPolicy.MaximumRetryCount,
    init: host.Init ?? false,
    runtime: host.Runtime,
    platform: found.Platform,
    mounts: (host.Mounts ?? []).map(mountOf),
    tmpfs: host.Tmpfs ?? {},
    hosts: (host.ExtraHosts ?? []).map(hostOf),
    privileged: host.Privileged,
    logDriver: host.LogConfig.Type,
    storageOpts: host.StorageOpt ?? {},
    networkMode: host.NetworkMode,
    usernsMode: host.UsernsMode,
    sysctls: host.Sysctls ?? {},
    ipcMode: host.IpcMode,
    groupAdds: host.GroupAdd ?? [],
    tty: config.Tty,
    stdinOpen: config.OpenStdin,
    stopSignal: config.StopSignal ?? "",
    stopTimeout: config.StopTimeout ?? undefined,
  };
}

/** A container that must run and doesn't says so in `mustRun`, so that the next update starts it. */
function runningState({ State: state, NetworkSettings: network }: Inspected, prior: Values): Values {
  const mustRun = prior.mustRun !== false;
  return {
    ...(prior.ports !== undefined && (state.Running || mustRun) && { ports: portsOf(network.Ports) }),
    ...(state.Running ? {} : { exitCode: state.ExitCode, mustRun: false }),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: as the engine sends it
function limits(host: any): Values {
  return {
    memory: toMebibytes(host.Memory),
    memoryReservation: toMebibytes(host.MemoryReservation),
    memorySwap: toMebibytes(host.MemorySwap),
    shmSize: toMebibytes(host.ShmSize),
    cpuShares: host.CpuShares,
    cpuSet: host.CpusetCpus,
    ...(host.NanoCpus > 0 && { cpus: formatCpus(host.NanoCpus) }),
    deviceReadBps: throttles(host.BlkioDeviceReadBps),
    deviceReadIops: throttles(host.BlkioDeviceReadIOps),
    deviceWriteBps: throttles(host.BlkioDeviceWriteBps),
    deviceWriteIops: throttles(host.BlkioDeviceWriteIOps),
  };
}

function onlyWhereAsked({ Config: config, HostConfig: host }: Inspected, prior: Values): Values {
  const capabilities = { adds: host.CapAdd ?? [], drops: host.CapDrop ?? [] };
  const hasCapabilities = capabilities.adds.length + capabilities.drops.length > 0;
  return {
    ...(hasCapabilities && { capabilities }),
    ...(config.Healthcheck && { healthcheck: healthcheckOf(config.Healthcheck) }),
    ...(prior.logOpts !== undefined && { logOpts: host.LogConfig.Config ?? {} }),
    ...(prior.pidMode !== undefined && { pidMode: host.PidMode }),
    ...(prior.ulimits !== undefined && { ulimits: (host.Ulimits ?? []).map(ulimitOf) }),
    ...(prior.devices !== undefined && { devices: devicesOf(host.Devices ?? [], prior.devices as Values[]) }),
  };
}

type PortMap = Readonly<Record<string, readonly { HostIp: string; HostPort: string }[] | null>>;

function portsOf(ports: PortMap | null | undefined): Values[] {
  const byNumber = Object.entries(ports ?? {}).sort(
    ([a], [b]) => Number.parseInt(a, 10) - Number.parseInt(b, 10),
  );
  return byNumber.flatMap(([port, bindings]) =>
    (bindings ?? []).map(({ HostIp, HostPort }) => {
      const [internal, protocol] = port.split("/");
      return { internal: Number(internal), external: Number(HostPort), ip: HostIp, protocol };
    }),
  );
}

function networks({ NetworkSettings: settings }: Inspected): Values[] {
  return Object.entries(settings.Networks ?? {}).map(([networkName, network]) => ({
    networkName,
    ipAddress: network.IPAddress,
    ipPrefixLength: network.IPPrefixLen,
    gateway: network.Gateway,
    globalIpv6Address: network.GlobalIPv6Address,
    globalIpv6PrefixLength: network.GlobalIPv6PrefixLen,
    ipv6Gateway: network.IPv6Gateway,
    macAddress: network.MacAddress,
  }));
}

// biome-ignore lint/suspicious/noExplicitAny: as the engine sends it
function healthcheckOf(check: any): Values {
  return {
    tests: check.Test ?? [],
    interval: formatDuration(check.Interval ?? 0),
    timeout: formatDuration(check.Timeout ?? 0),
    startPeriod: formatDuration(check.StartPeriod ?? 0),
    startInterval: formatDuration(check.StartInterval ?? 0),
    retries: check.Retries ?? 0,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: as the engine sends it
function mountOf(mount: any): Values {
  const { BindOptions: bind, VolumeOptions: volume, TmpfsOptions: tmpfs } = mount;
  return {
    type: mount.Type,
    target: mount.Target,
    source: mount.Source ?? "",
    readOnly: mount.ReadOnly ?? false,
    ...(bind && { bindOptions: { propagation: bind.Propagation ?? "" } }),
    ...(volume && {
      volumeOptions: {
        noCopy: volume.NoCopy ?? false,
        labels: Object.entries(volume.Labels ?? {}).map(([label, value]) => ({ label, value })),
        driverName: volume.DriverConfig?.Name ?? "",
        driverOptions: volume.DriverConfig?.Options ?? {},
        subpath: volume.Subpath ?? "",
      },
    }),
    ...(tmpfs && { tmpfsOptions: { sizeBytes: tmpfs.SizeBytes ?? 0, mode: tmpfs.Mode ?? 0 } }),
  };
}

function hostOf(text: string): Values {
  const colon = text.indexOf(":");
  return { host: text.slice(0, colon), ip: text.slice(colon + 1) };
}

function ulimitOf({ Name, Soft, Hard }: { Name: string; Soft: number; Hard: number }): Values {
  return { name: Name, soft: Soft, hard: Hard };
}

interface Device {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  readonly CgroupPermissions: string;
}

/** A path that the program left out is the host's own, and stays out. */
function devicesOf(devices: readonly Device[], prior: readonly Values[]): Values[] {
  const named = new Set(prior.filter(({ containerPath }) => containerPath).map(({ hostPath }) => hostPath));
  return devices.map(({ PathOnHost, PathInContainer, CgroupPermissions }) => ({
    hostPath: PathOnHost,
    permissions: CgroupPermissions,
    ...(named.has(PathOnHost) && { containerPath: PathInContainer }),
  }));
}

function throttles(devices: readonly { Path: string; Rate: number }[] | null | undefined): Values[] {
  return (devices ?? []).map(({ Path, Rate }) => ({ path: Path, rate: Rate }));
}
