import * as fs from "node:fs";
import Docker from "dockerode";
import { aptInstall, hasApt } from "../../lib/apt";
import { inState } from "../../lib/paths";
import { findProgram, run } from "../../lib/process";
import { waitFor } from "../../lib/retry";
import { type Endpoint, endpoints, isHere, type ProbeResult, probe } from "./docker-endpoints";
import { startDockerd } from "./dockerd";
import type { Progress } from "./progress";

export { stopDockerIfOurs } from "./dockerd";

/** The Docker Engine that is used. */
export interface DockerFacts {
  /** Its address as DOCKER_HOST wants it. */
  readonly host: string;
  /** The environment with which other programs use the same engine; empty where they do so anyway. */
  readonly env: Readonly<Record<string, string>>;
  /** The engine's version. */
  readonly version: string;
  /** Memory of its machine, bytes. */
  readonly memoryBytes: number;
  readonly cpus: number;
  /** Space on the disk of its images and volumes, bytes; undefined where that disk can't be seen from here. */
  readonly disk: { readonly total: number; readonly free: number } | undefined;
  readonly rootless: boolean;
  /** It runs on another machine, whose 127.0.0.1 is not ours. */
  readonly remote: boolean;
  /** What may go wrong on this machine, each a sentence for the user. */
  readonly warnings: readonly string[];
}

/**
 * Finds a Docker Engine that answers; starts, or installs and starts, one where this can be done without asking.
 * @throws Error that says what is wrong and the command that mends it.
 */
export async function ensureDocker(progress: Progress): Promise<DockerFacts> {
  const candidates = endpoints(process.env);
  const engine = (await firstAnswering(candidates)) ?? (await bringUp(candidates, progress));
  return factsOf(engine);
}

/**
 * The environment with which other programs use the engine that {@link ensureDocker} would use; nothing is started. An
 * engine that is named need not answer for that, and the sockets of this machine say at once whether one does.
 */
export async function dockerEnv(
  candidates: readonly Endpoint[] = endpoints(process.env),
): Promise<Endpoint["env"]> {
  const named = candidates.find(({ chosenBy }) => chosenBy !== undefined);
  return (named ?? (await firstAnswering(candidates)))?.env ?? {};
}

async function firstAnswering(candidates: readonly Endpoint[]): Promise<Endpoint | undefined> {
  for (const candidate of candidates) if ((await probe(candidate)).state === "answers") return candidate;
  return undefined;
}

async function bringUp(candidates: readonly Endpoint[], progress: Progress): Promise<Endpoint> {
  const probes = await Promise.all(candidates.map(probe));
  const next = decide(probes, thisMachine());
  if (next.do === "fail") throw new Error(next.message);
  if (next.do === "install") {
    const { onStep, logFile } = progress;
    await aptInstall(["docker.io", "iptables", "ca-certificates"], {
      onStep,
      run: (command, args, more) => run(command, args, { logFile, ...more }),
    });
    // The package starts the engine by itself where an init system runs.
    return (await firstAnswering(candidates)) ?? bringUp(candidates, progress);
  }
  const started = Date.now();
  progress.onStep("starting the Docker Engine");
  if (next.do === "start-service") {
    await run("systemctl", ["start", "docker"], { logFile: progress.logFile, timeoutMs: 120_000 });
  } else {
    await startDockerd(next.dockerd);
  }
  const engine = await waitFor(() => firstAnswering(candidates), {
    what: `the Docker Engine (${next.do === "start-service" ? "journalctl -u docker" : inState("logs", "dockerd.log")} says more)`,
    timeoutMs: 60_000,
  });
  progress.onStep(`the Docker Engine has started (${Math.round((Date.now() - started) / 1000)} s)`);
  return engine;
}

/** What the way to a running engine depends on, beside the endpoints. */
export interface Machine {
  readonly isRoot: boolean;
  /** Path of the installed dockerd. */
  readonly dockerd: string | undefined;
  /** systemd is this machine's init system, and has a unit for Docker. */
  readonly hasService: boolean;
  readonly hasApt: boolean;
  readonly platform: NodeJS.Platform;
}

export type Next =
  | { readonly do: "start-service" }
  | { readonly do: "start-dockerd"; readonly dockerd: string }
  | { readonly do: "install" }
  | { readonly do: "fail"; readonly message: string };

/** What to do where no engine answers. */
export function decide(probes: readonly ProbeResult[], machine: Machine): Next {
  const chosen = probes.find(({ endpoint }) => endpoint.chosenBy !== undefined);
  if (chosen) return { do: "fail", message: noAnswerFromChosen(chosen) };
  const denied = probes.find(({ state }) => state === "denied");
  if (denied) return { do: "fail", message: deniedMessage(denied) };
  if (machine.dockerd) return wayToStart(machine, machine.dockerd);
  if (machine.hasApt && machine.isRoot) return { do: "install" };
  return {
    do: "fail",
    message: `Docker: no engine answers and none is installed.\n${howToInstall(machine)}`,
  };
}

function wayToStart(machine: Machine, dockerd: string): Next {
  if (machine.isRoot) return machine.hasService ? { do: "start-service" } : { do: "start-dockerd", dockerd };
  const command = machine.hasService ? "sudo systemctl start docker" : `sudo ${dockerd} &`;
  return {
    do: "fail",
    message: `Docker: the engine is installed but not running, and only root can start it.\nRun: ${command}`,
  };
}

function noAnswerFromChosen({ endpoint, why, state }: ProbeResult): string {
  const place = `Docker: no engine answers at ${endpoint.host}, which ${endpoint.chosenBy} names: ${why}.`;
  if (state === "denied") return `${place}\n${howToJoin}`;
  const change = endpoint.chosenBy === "DOCKER_HOST" ? "unset DOCKER_HOST" : "docker context use default";
  return `${place}\nStart that engine, or use the local one: ${change}`;
}

function deniedMessage({ endpoint, why }: ProbeResult): string {
  return `Docker: an engine runs at ${endpoint.host}, but this user may not use it: ${why}.\n${howToJoin}`;
}

const howToJoin =
  "The members of the socket's group, docker, may. Run: sudo usermod -aG docker $USER && newgrp docker";

function howToInstall({ hasApt, platform }: Machine): string {
  if (platform === "darwin")
    return "Install Docker Desktop (https://docs.docker.com/desktop) or run: brew install colima docker && colima start";
  if (hasApt) return "Run: sudo apt-get update && sudo apt-get install -y docker.io iptables";
  return "Install Docker Engine (https://docs.docker.com/engine/install), or on Fedora run: sudo dnf install -y moby-engine && sudo systemctl start docker";
}

function thisMachine(): Machine {
  return {
    isRoot: process.getuid?.() === 0,
    // /usr/sbin is not on everybody's PATH.
    dockerd: ["dockerd", "/usr/sbin/dockerd", "/usr/bin/dockerd"].map(findProgram).find(Boolean),
    hasService:
      fs.existsSync("/run/systemd/system") &&
      ["/lib", "/usr/lib", "/etc"].some((dir) => fs.existsSync(`${dir}/systemd/system/docker.service`)),
    hasApt: hasApt(),
    platform: process.platform,
  };
}

async function factsOf(endpoint: Endpoint): Promise<DockerFacts> {
  const docker = new Docker(endpoint.options);
  const info = await docker.info();
  const remote = !isHere(endpoint.host);
  const security: readonly string[] = info.SecurityOptions ?? [];
  const facts = {
    host: endpoint.host,
    env: endpoint.env,
    version: info.ServerVersion,
    memoryBytes: info.MemTotal,
    cpus: info.NCPU,
    disk: remote ? undefined : diskOf(info.DockerRootDir),
    rootless: security.some((option) => option.includes("rootless")),
    remote,
  } as const;
  return { ...facts, warnings: warningsFor(facts) };
}

/** Docker Desktop's folder is inside its virtual machine: not to be seen from here. */
function diskOf(folder: string): DockerFacts["disk"] {
  try {
    const { blocks, bavail, bsize } = fs.statfsSync(folder);
    return { total: blocks * bsize, free: bavail * bsize };
  } catch {
    return undefined;
  }
}

const gigabyte = 1e9;

/** The smallest machine that the pipeline is made for (README). */
const smallest = { memory: 8 * gigabyte, cpus: 4, disk: 20 * gigabyte };

export function warningsFor(facts: Omit<DockerFacts, "warnings">): readonly string[] {
  const warnings: string[] = [];
  // A machine sold as 8 GB shows less: kernel and firmware keep a part.
  if (facts.memoryBytes < 0.9 * smallest.memory)
    warnings.push(
      `${inGigabytes(facts.memoryBytes)} of memory; at least 8 GB are recommended, 16 GB are better`,
    );
  if (facts.cpus < smallest.cpus)
    warnings.push(`${facts.cpus} processor cores; at least 4 are recommended: expect lower throughput`);
  if (facts.disk && facts.disk.total < smallest.disk)
    warnings.push(`a disk of ${inGigabytes(facts.disk.total)} for Docker; at least 20 GB are recommended`);
  else if (facts.disk && facts.disk.free < 0.5 * smallest.disk)
    warnings.push(`${inGigabytes(facts.disk.free)} free on Docker's disk; free some: docker system prune`);
  if (facts.remote)
    warnings.push(`Docker runs on another machine (${facts.host}): ports are published there, not here`);
  if (facts.rootless)
    warnings.push(
      "Docker runs without root: memory limits hold only where cgroup controllers are delegated to it",
    );
  return warnings;
}

function inGigabytes(bytes: number): string {
  return `${(bytes / gigabyte).toFixed(1)} GB`;
}
