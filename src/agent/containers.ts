import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { AgentMetrics } from "./metrics";
import type { AgentContainer } from "./settings";

/** What the kernel says about one container. What it does not say is left out. */
export interface ContainerUse {
  readonly memoryBytes?: number;
  /** Left out where there is no limit. */
  readonly memoryLimitBytes?: number;
  readonly cpuSeconds?: number;
  readonly oomKills?: number;
  /** Seconds since 1970. */
  readonly startedAt?: number;
}

/** Reads the host's cgroups, which know every container by its service's slice. */
export class Containers {
  /**
   * By cgroup, the time of its folder when it was first looked at. The kernel gives a folder a new time when it had to
   * forget the folder's inode in between, so only the first is right. A container that is started again has a cgroup
   * of the same name and with another inode number.
   */
  private started = new Map<string, number>();

  private readonly memory: Slices;
  private readonly cpu: Slices;

  constructor(
    private readonly root: string,
    private readonly containers: readonly AgentContainer[],
  ) {
    const names = containers.map(({ cgroup }) => cgroup);
    this.memory = new Slices(names);
    this.cpu = new Slices(names);
  }

  /** @returns the services whose containers were found. */
  async look(): Promise<ReadonlyMap<string, ContainerUse>> {
    const version = await cgroupVersion(this.root);
    const found = new Map<string, ContainerUse>();
    const started = new Map<string, number>();
    if (version === undefined) return found;
    // In version 1 each controller has a tree of its own, in which the engine may have another place.
    const memory = await this.memory.containers(version === 2 ? this.root : path.join(this.root, "memory"));
    const cpu = version === 2 ? memory : await this.cpu.containers(path.join(this.root, "cpuacct"));
    for (const { service, cgroup } of this.containers) {
      const container = await newest(memory.get(cgroup) ?? []);
      if (container === undefined) continue;
      const startedAt = this.started.get(container.cgroup) ?? container.changedAt;
      started.set(container.cgroup, startedAt);
      const sameName = (folder: string) => path.basename(folder) === path.basename(container.folder);
      const use = await (version === 2
        ? readV2(container.folder)
        : readV1(container.folder, cpu.get(cgroup)?.find(sameName)));
      found.set(service, { ...use, startedAt });
    }
    this.started = started;
    return found;
  }
}

/**
 * Shows what was found; services that have no container are absent.
 * @returns whether there was any: elsewhere than on Linux there are no cgroups.
 */
export function showContainers(found: ReadonlyMap<string, ContainerUse>, metrics: AgentMetrics): boolean {
  const { containerMemory, containerMemoryLimit, containerCpu, containerOomKills, containerStart } = metrics;
  for (const metric of [
    containerMemory,
    containerMemoryLimit,
    containerCpu,
    containerOomKills,
    containerStart,
  ])
    metric.reset();
  for (const [service, use] of found) {
    if (use.memoryBytes !== undefined) containerMemory.set({ service }, use.memoryBytes);
    if (use.memoryLimitBytes !== undefined) containerMemoryLimit.set({ service }, use.memoryLimitBytes);
    // The kernel counts; here it is only handed on.
    if (use.cpuSeconds !== undefined) containerCpu.inc({ service }, use.cpuSeconds);
    if (use.oomKills !== undefined) containerOomKills.inc({ service }, use.oomKills);
    if (use.startedAt !== undefined) containerStart.set({ service }, use.startedAt);
  }
  return found.size > 0;
}

type Version = 1 | 2;

async function cgroupVersion(root: string): Promise<Version | undefined> {
  if (await exists(path.join(root, "cgroup.controllers"))) return 2;
  return (await exists(path.join(root, "memory"))) ? 1 : undefined;
}

/**
 * Where the slices of the services are in a tree of cgroups: at its root, below what systemd makes of their names, or
 * below the cgroup that the engine itself runs in. An engine that ran elsewhere before leaves its slices, empty.
 */
class Slices {
  private found: ReadonlyMap<string, readonly string[]> = new Map();
  private searchedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly names: readonly string[]) {}

  /** @returns folders of containers by name of the slice. */
  async containers(root: string): Promise<ReadonlyMap<string, readonly string[]>> {
    const known = await this.below(this.found);
    const complete = this.names.every((name) => (known.get(name) ?? []).length > 0);
    // A slice may go with its last container, and comes with the next. A host may have thousands of cgroups.
    if (complete || performance.now() - this.searchedAt < searchEveryMs) return known;
    this.searchedAt = performance.now();
    this.found = await slicesBelow(root, new Set(this.names));
    return this.below(this.found);
  }

  private async below(slices: ReadonlyMap<string, readonly string[]>) {
    const entries = [...slices].map(
      async ([name, folders]): Promise<[string, readonly string[]]> => [
        name,
        (await Promise.all(folders.map(containersIn))).flat(),
      ],
    );
    return new Map(await Promise.all(entries));
  }
}

const searchEveryMs = 10_000;
/** Levels of the tree in which slices are looked for. */
const depth = 5;

/** @returns folders by name of the slice. */
async function slicesBelow(
  root: string,
  names: ReadonlySet<string>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  let level = [root];
  for (let at = 0; at < depth && level.length > 0; at += 1) {
    const next: string[] = [];
    for (const folder of level) {
      const entries = await fs.readdir(folder, { withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        if (!entry.isDirectory()) continue;
        const below = path.join(folder, entry.name);
        if (names.has(entry.name)) found.set(entry.name, [...(found.get(entry.name) ?? []), below]);
        else next.push(below);
      }
    }
    level = next;
  }
  return found;
}

/** Folders of the containers in a slice. */
async function containersIn(slice: string): Promise<string[]> {
  const entries = await fs.readdir(slice, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && /^(docker-)?[0-9a-f]{12,64}(\.scope)?$/.test(entry.name))
    .map(({ name }) => path.join(slice, name));
}

interface Found {
  readonly folder: string;
  /** Not that of any other cgroup, before or after. */
  readonly cgroup: string;
  readonly changedAt: number;
}

/** While a container is replaced, the old one's cgroup may still be there. */
async function newest(folders: readonly string[]): Promise<Found | undefined> {
  const dated = await Promise.all(
    folders.map(async (folder): Promise<Found[]> => {
      const stat = await fs.stat(folder).catch(() => undefined);
      return stat ? [{ folder, cgroup: `${folder} ${stat.ino}`, changedAt: stat.ctimeMs / 1000 }] : [];
    }),
  );
  return dated.flat().sort((a, b) => b.changedAt - a.changedAt)[0];
}

async function readV2(folder: string): Promise<ContainerUse> {
  const [current, max, stat, cpu, ownEvents, sliceEvents] = await Promise.all([
    number(path.join(folder, "memory.current")),
    number(path.join(folder, "memory.max")),
    fields(path.join(folder, "memory.stat")),
    fields(path.join(folder, "cpu.stat")),
    fields(path.join(folder, "memory.events")),
    // Counts what happened below it, and outlives a container that died of it.
    fields(path.join(path.dirname(folder), "memory.events")),
  ]);
  const cpuMicros = cpu.get("usage_usec");
  return useOf({
    memory: current,
    cache: stat.get("inactive_file"),
    limit: max,
    cpuSeconds: cpuMicros === undefined ? undefined : cpuMicros / 1e6,
    oomKills: sliceEvents.get("oom_kill") ?? ownEvents.get("oom_kill"),
  });
}

async function readV1(folder: string, cpuFolder: string | undefined): Promise<ContainerUse> {
  const [usage, limit, stat, oom, cpuNanos] = await Promise.all([
    number(path.join(folder, "memory.usage_in_bytes")),
    number(path.join(folder, "memory.limit_in_bytes")),
    fields(path.join(folder, "memory.stat")),
    fields(path.join(folder, "memory.oom_control")),
    cpuFolder === undefined ? undefined : number(path.join(cpuFolder, "cpuacct.usage")),
  ]);
  return useOf({
    memory: usage,
    cache: stat.get("total_inactive_file"),
    // Without a limit it is the largest number of pages.
    limit: limit !== undefined && limit < 2 ** 60 ? limit : undefined,
    cpuSeconds: cpuNanos === undefined ? undefined : cpuNanos / 1e9,
    oomKills: oom.get("oom_kill"),
  });
}

function useOf(read: {
  readonly memory: number | undefined;
  readonly cache: number | undefined;
  readonly limit: number | undefined;
  readonly cpuSeconds: number | undefined;
  readonly oomKills: number | undefined;
}): ContainerUse {
  const { memory, cache = 0, limit, cpuSeconds, oomKills } = read;
  return {
    ...(memory !== undefined && { memoryBytes: Math.max(0, memory - cache) }),
    ...(limit !== undefined && { memoryLimitBytes: limit }),
    ...(cpuSeconds !== undefined && { cpuSeconds }),
    ...(oomKills !== undefined && { oomKills }),
  };
}

async function text(file: string): Promise<string | undefined> {
  return fs.readFile(file, "utf8").catch(() => undefined);
}

/** Undefined for what is no number, as `max`. */
async function number(file: string): Promise<number | undefined> {
  const content = (await text(file))?.trim();
  return content !== undefined && /^\d+$/.test(content) ? Number(content) : undefined;
}

/** Lines of a name and a number. */
async function fields(file: string): Promise<ReadonlyMap<string, number>> {
  const lines = ((await text(file)) ?? "").split("\n").map((line) => line.split(" "));
  return new Map(
    lines.flatMap(([name, value]): [string, number][] => (name && value ? [[name, Number(value)]] : [])),
  );
}

async function exists(file: string): Promise<boolean> {
  return fs.access(file).then(
    () => true,
    () => false,
  );
}
