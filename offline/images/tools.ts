import { aptInstall, hasApt } from "../../src/lib/apt";
import { findProgram, type RunOptions, type RunResult } from "../../src/lib/process";
import type { HostTool } from "./recipe";

/** The Debian and Ubuntu packages that bring a tool. */
const packagesOf: Readonly<Record<HostTool, readonly string[]>> = {
  "apt-get": ["apt"],
  debootstrap: ["debootstrap", "debian-archive-keyring"],
  dpkg: ["dpkg"],
  go: ["golang-go"],
  java: ["default-jre-headless"],
  mvn: ["maven"],
  npm: ["npm"],
  python3: ["python3", "python3-pip"],
};

/** What {@link ensureTools} has to know about the machine. */
export interface Host {
  readonly has: (program: string) => boolean;
  readonly isRoot: boolean;
  readonly hasApt: boolean;
  readonly run: (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;
}

export function thisHost(run: Host["run"]): Host {
  return {
    has: (program) => findProgram(program) !== undefined,
    isRoot: process.getuid?.() === 0,
    hasApt: hasApt(),
    run,
  };
}

/**
 * Makes sure that the tools with which images are built are there: installs what is missing where that can be
 * done without asking (root on Debian or Ubuntu).
 * @throws Error that names every missing tool and the command that installs them.
 */
export async function ensureTools(
  tools: Iterable<HostTool>,
  host: Host,
  onStep: (text: string) => void,
): Promise<void> {
  const wanted = [...new Set(tools)].sort();
  const lacking = lackingTools(wanted, host);
  if (lacking) throw new Error(`building local images: ${lacking}`);
  const packages = packagesFor(missingOf(wanted, host));
  if (packages.length > 0) await aptInstall(packages, { onStep, run: host.run });
  if (wanted.includes("debootstrap") && !host.isRoot)
    throw new Error(
      "building local images: debootstrap needs root to make the base image; " +
        "run `sudo npx cdc images build` once (later runs need no root), " +
        "or set images to registry where an image registry is reachable",
    );
}

/**
 * Says which tools are missing that {@link ensureTools} may not install, and the command that installs them; a clause
 * for the user. Undefined where there are none.
 */
export function lackingTools(tools: readonly HostTool[], host: Host): string | undefined {
  const missing = missingOf(tools, host);
  if (missing.length === 0 || (host.isRoot && host.hasApt)) return undefined;
  const command = `${host.isRoot ? "" : "sudo "}apt-get install ${packagesFor(missing).join(" ")}`;
  const how = host.hasApt ? `run: ${command}` : `install them (on Debian or Ubuntu: ${command})`;
  return `not found on this machine: ${missing.join(", ")}; ${how}`;
}

function missingOf(tools: readonly HostTool[], host: Host): readonly HostTool[] {
  return tools.filter((tool) => !host.has(tool));
}

function packagesFor(tools: readonly HostTool[]): readonly string[] {
  return [...new Set(tools.flatMap((tool) => packagesOf[tool]))];
}
