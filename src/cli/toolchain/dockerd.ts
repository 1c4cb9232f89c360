import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import Docker from "dockerode";
import { describeProcess, isAlive } from "../../../bin/lock";
import { readIfThere, writeAtomically } from "../../lib/files";
import { inState } from "../../lib/paths";
import { findProgram } from "../../lib/process";
import { waitFor } from "../../lib/retry";

/** How a dockerd of ours runs; the defaults are those of the machine's one engine. */
export interface DockerdOptions {
  readonly args?: readonly string[];
  readonly socket?: string;
  readonly pidFile?: string;
}

const machinePidFile = "/var/run/docker.pid";

/**
 * Starts the Docker Engine where no init system does: in the background, to stay after this process, its log in the
 * state folder. Waits until it answers.
 * @throws Error with the end of its log when it ends instead.
 */
export async function startDockerd(dockerd: string, options: DockerdOptions = {}): Promise<void> {
  const first = await launch(dockerd, options, process.env);
  if (first.up) return;
  // Where the kernel has no nftables, or an old set of them, the other flavour of the same program works.
  const legacy = findProgram("/usr/sbin/iptables-legacy");
  if (!legacy || !failedAtIptables(first.log)) throw new Error(startFailed(dockerd, first.log));
  const second = await launch(dockerd, options, { ...process.env, PATH: withLegacyIptables() });
  if (!second.up) throw new Error(startFailed(dockerd, second.log));
}

/** Ends the engine that {@link startDockerd} started, with all its containers; one of anybody else's is left alone. */
export async function stopDockerIfOurs(): Promise<boolean> {
  const ours = readIfThere(oursFile());
  if (ours === undefined) return false;
  const pid = Number.parseInt(ours, 10);
  if (isAlive(ours)) {
    process.kill(pid, "SIGTERM");
    await waitFor(() => !isAlive(ours), { what: `the end of dockerd (process ${pid})`, timeoutMs: 60_000 });
  }
  fs.rmSync(oursFile(), { force: true });
  return true;
}

interface Launch {
  readonly up: boolean;
  /** What this start, not an earlier one, has logged. */
  readonly log: string;
}

async function launch(dockerd: string, options: DockerdOptions, env: NodeJS.ProcessEnv): Promise<Launch> {
  removeStalePidFile(options.pidFile ?? machinePidFile);
  const logFile = inState("logs", "dockerd.log");
  fs.mkdirSync(path.dirname(logFile), { recursive: true });
  const log = fs.openSync(logFile, "a");
  const before = fs.fstatSync(log).size;
  const child = spawn(dockerd, [...(options.args ?? [])], {
    detached: true,
    stdio: ["ignore", log, log],
    env,
  });
  fs.closeSync(log);
  let ended = false;
  for (const event of ["exit", "error"]) {
    child.once(event, () => {
      ended = true;
    });
  }
  child.unref();
  if (child.pid) writeAtomically(oursFile(), describeProcess(child.pid));
  const docker = new Docker({ socketPath: options.socket ?? "/var/run/docker.sock", timeout: 2000 });
  const outcome = await waitFor(async () => (ended ? "ended" : (await docker.ping()) && "answers"), {
    what: `the Docker Engine (its log: ${logFile})`,
    timeoutMs: 90_000,
    everyMs: 200,
  });
  if (ended) fs.rmSync(oursFile(), { force: true });
  return { up: outcome === "answers", log: fs.readFileSync(logFile).subarray(before).toString() };
}

/** Whether the log of a dockerd says that it ended because of nftables. */
export function failedAtIptables(log: string): boolean {
  return (
    /failed to (start|create|register).*(iptables|nf_tables|NAT chain)/is.test(log) && /nf_tables/.test(log)
  );
}

/** A PATH on which `iptables` is the legacy one; the machine's own choice (update-alternatives) is not touched. */
function withLegacyIptables(): string {
  const folder = path.resolve(inState("iptables-legacy"));
  fs.mkdirSync(folder, { recursive: true });
  for (const name of ["iptables", "ip6tables"]) {
    fs.rmSync(path.join(folder, name), { force: true });
    fs.symlinkSync(`/usr/sbin/${name}-legacy`, path.join(folder, name));
  }
  return `${folder}${path.delimiter}${process.env.PATH ?? ""}`;
}

/** A dockerd that was killed leaves its file, and the next one refuses to start once the number is somebody else's. */
function removeStalePidFile(file: string): void {
  if (!fs.existsSync(file)) return;
  const pid = fs.readFileSync(file, "utf8").trim();
  if (readIfThere(`/proc/${pid}/comm`)?.trim() !== "dockerd") fs.rmSync(file, { force: true });
}

function startFailed(dockerd: string, log: string): string {
  const errors = log.split("\n").filter((line) => /level=(error|fatal)|^failed/.test(line));
  const said = (errors.length > 0 ? errors : log.trimEnd().split("\n")).slice(-5).join("\n");
  return `Docker: ${dockerd} ended right after its start:\n${said}\nfull log: ${inState("logs", "dockerd.log")}`;
}

function oursFile(): string {
  return inState("dockerd.pid");
}
