import * as fs from "node:fs";
import { findProgram, ProcessError, type RunOptions, type RunResult } from "./process";
import { waitFor } from "./retry";

/** Whether this machine installs packages with apt: Debian, Ubuntu and what is made from them. */
export function hasApt(): boolean {
  return fs.existsSync("/etc/debian_version") && findProgram("apt-get") !== undefined;
}

export interface AptOptions {
  /** Called with what is being done, a short text for the user. */
  readonly onStep: (text: string) => void;
  /** Runs a program; knows where its output goes. */
  readonly run: (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;
}

/** Installs Debian packages without asking anything; waits while another program (unattended-upgrades, say) does so. */
export async function aptInstall(packages: readonly string[], { onStep, run }: AptOptions): Promise<void> {
  onStep(`installing ${packages.join(", ")} with apt`);
  await aptGet(["update", "-q"], run);
  await aptGet(["install", "-q", "-y", "--no-install-recommends", ...packages], run);
}

async function aptGet(args: readonly string[], run: AptOptions["run"]): Promise<void> {
  // Its own words tell a lock from a failure, so they are to be in English.
  await waitFor(() => run("apt-get", args, { env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" } }), {
    what: `apt-get ${args[0]}`,
    timeoutMs: 5 * 60_000,
    everyMs: 2000,
    isFatal: (error) => !isLocked(error),
  });
}

/** apt's option to wait for locks covers dpkg's lock but not the one of the package lists. */
function isLocked(error: unknown): boolean {
  return (
    error instanceof ProcessError &&
    /Could not get lock|Unable to (acquire|lock)/.test(error.result?.stderr ?? "")
  );
}
