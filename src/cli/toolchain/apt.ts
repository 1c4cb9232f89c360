import * as fs from "node:fs";
import { findProgram, ProcessError, run } from "../../lib/process";
import { waitFor } from "../../lib/retry";
import type { Progress } from "./progress";

/** Whether this machine installs packages with apt: Debian, Ubuntu and what is made from them. */
export function hasApt(): boolean {
  return fs.existsSync("/etc/debian_version") && findProgram("apt-get") !== undefined;
}

/** Installs Debian packages without asking anything; waits while another program (unattended-upgrades, say) does so. */
export async function aptInstall(packages: readonly string[], { onStep, logFile }: Progress): Promise<void> {
  onStep(`installing ${packages.join(", ")} with apt`);
  await aptGet(["update", "-q"], logFile);
  await aptGet(["install", "-q", "-y", "--no-install-recommends", ...packages], logFile);
}

async function aptGet(args: readonly string[], logFile: string): Promise<void> {
  await waitFor(
    () => run("apt-get", args, { env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" }, logFile }),
    {
      what: `apt-get ${args[0]}`,
      timeoutMs: 5 * 60_000,
      everyMs: 2000,
      isFatal: (error) => !isLocked(error),
    },
  );
}

/** apt's option to wait for locks covers dpkg's lock but not the one of the package lists. */
function isLocked(error: unknown): boolean {
  return (
    error instanceof ProcessError &&
    /Could not get lock|Unable to (acquire|lock)/.test(error.result?.stderr ?? "")
  );
}
