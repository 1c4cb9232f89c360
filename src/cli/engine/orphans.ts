import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { projectRoot } from "../../lib/paths";
import { run } from "../../lib/process";
import type { Steps } from "../ui/steps";

/** A process of a Pulumi plugin. */
export interface PluginProcess {
  readonly pid: number;
  /** Where the engine that has started it listens. */
  readonly engine: string;
}

/**
 * Ends plugins of this checkout whose engine was killed: they run on, one amid a creation perhaps, and some never end
 * by themselves.
 */
export async function endOrphanedPlugins(steps: Steps): Promise<void> {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,args="]).catch(() => ({ stdout: "" }));
  for (const { pid, engine } of pluginsIn(stdout)) {
    if (!isOfThisCheckout(pid) || (await listens(engine))) continue;
    steps.log(`ending the plugin process ${pid}: its engine, at ${engine}, is gone`);
    endGroup(pid);
  }
}

/**
 * Plugins in what `ps` prints: their programs are named pulumi-resource-…, the host of dynamic providers is a script
 * of the SDK, and each is told the engine's address.
 */
export function pluginsIn(processes: string): readonly PluginProcess[] {
  return processes.split("\n").flatMap((line) => {
    const [, pid, args] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    if (!pid || !args || !/pulumi-resource-|@pulumi\/pulumi\/cmd\/dynamic-provider/.test(args)) return [];
    const engine = /\s(127\.0\.0\.1:\d+)(\s|$)/.exec(args)?.[1];
    return engine ? [{ pid: Number(pid), engine }] : [];
  });
}

/** The engine starts plugins in the project's folder. Where that can't be seen, nothing is touched. */
function isOfThisCheckout(pid: number): boolean {
  try {
    const folder = fs.readlinkSync(`/proc/${pid}/cwd`);
    return folder === projectRoot || folder.startsWith(projectRoot + path.sep);
  } catch {
    return false;
  }
}

function listens(address: string): Promise<boolean> {
  const [host, port] = address.split(":");
  return new Promise((resolve) => {
    const socket = net.connect({ host, port: Number(port) });
    socket.setTimeout(1000, () => socket.destroy(new Error("no answer")));
    socket.once("connect", () => {
      resolve(true);
      socket.destroy();
    });
    socket.once("error", () => resolve(false));
  });
}

/** The engine gives each plugin a process group of its own, which its helpers share. */
function endGroup(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, "SIGKILL");
    } catch {
      // It leads no group, or has ended.
    }
  }
}
