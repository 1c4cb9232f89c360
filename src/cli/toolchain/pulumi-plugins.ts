import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { withLock } from "../../../bin/lock";
import { inProject, inState } from "../../lib/paths";
import { run } from "../../lib/process";
import { attempt, firstServing } from "./downloads";
import { installStandIns, isStandIn } from "./offline";
import type { DownloadProgress } from "./progress";
import type { PulumiCli } from "./pulumi-cli";

export const pluginNames = ["docker", "random"] as const;

export type PluginName = (typeof pluginNames)[number];

export type PluginOrigin = "official" | "stand-in";

/** Where the engine finds the plugins, and which ones they are. */
export interface PulumiPlugins {
  /** The PULUMI_HOME to use: the user's own, or one of this checkout where a stand-in is needed. */
  readonly home: string;
  readonly origins: Readonly<Record<PluginName, PluginOrigin>>;
  readonly versions: Readonly<Record<PluginName, string>>;
  /** Why stand-ins are used. */
  readonly why?: string;
}

/** Finds the official plugins; downloads what is missing; puts stand-ins where that can't be done. */
export async function ensurePlugins(cli: PulumiCli, progress: DownloadProgress): Promise<PulumiPlugins> {
  const home = userHome();
  const versions = { docker: pinnedVersion("docker"), random: pinnedVersion("random") };
  const missing = pluginNames.filter((name) => !hasOfficial(home, name, versions[name]));
  const failures = await downloadPlugins(missing, { home, versions, cli, progress });
  const origins = originsOf(failures);
  if (failures.size === 0) return { home, origins, versions };
  const why = [...new Set(failures.values())].join("; ");
  return { home: await localHome({ official: home, origins, versions }), origins, versions, why };
}

function originsOf(failures: ReadonlyMap<PluginName, string>): PulumiPlugins["origins"] {
  const origin = (name: PluginName) => (failures.has(name) ? "stand-in" : "official");
  return { docker: origin("docker"), random: origin("random") };
}

/** Pulumi's folder of this user. A home with stand-ins in it is one of ours, set by `eval "$(npx cdc env)"`. */
export function userHome(): string {
  const set = process.env.PULUMI_HOME;
  const ours = set && pluginNames.some((name) => isStandIn(set, name));
  return set && !ours ? path.resolve(set) : path.join(os.homedir(), ".pulumi");
}

/** The version of the plugin that the installed SDK asks the engine for. */
export function pinnedVersion(name: PluginName): string {
  const manifest = inProject("node_modules", "@pulumi", name, "package.json");
  const { version, pulumi } = JSON.parse(fs.readFileSync(manifest, "utf8"));
  return pulumi?.version ?? version;
}

/** Whether Pulumi's cache in that home holds the official plugin, whole. */
export function hasOfficial(home: string, name: PluginName, version: string): boolean {
  const folder = pluginFolder(home, name, version);
  // The engine puts the marker beside the folder while it unpacks, and takes it away at the end.
  return (
    fs.existsSync(path.join(folder, `pulumi-resource-${name}`)) &&
    !fs.existsSync(`${folder}.partial`) &&
    !isStandIn(home, name)
  );
}

function pluginFolder(home: string, name: PluginName, version: string): string {
  return path.join(home, "plugins", `resource-${name}-v${version}`);
}

interface PluginDownload {
  readonly home: string;
  readonly versions: Readonly<Record<PluginName, string>>;
  readonly cli: PulumiCli;
  readonly progress: DownloadProgress;
}

/** Installs official plugins into the user's home; returns why not for each that could not be had. */
async function downloadPlugins(
  names: readonly PluginName[],
  { home, versions, cli, progress }: PluginDownload,
): Promise<ReadonlyMap<PluginName, string>> {
  const failures = new Map<PluginName, string>();
  for (const name of names) {
    const version = versions[name];
    const result = await attempt(
      `plugin ${name} ${version}`,
      async () => {
        progress.onStep(`looking for the official Pulumi plugin ${name} ${version}`);
        await firstServing(downloadsOf(name, version), 8000);
        progress.onStep(`downloading the Pulumi plugin ${name} ${version}`);
        await run(cli.bin, ["plugin", "install", "resource", name, `v${version}`, "--non-interactive"], {
          env: { PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true" },
          logFile: progress.logFile,
          timeoutMs: 5 * 60_000,
        });
      },
      progress,
    );
    if (!result.ok) failures.set(name, result.why);
  }
  return failures;
}

/** From where the CLI takes Pulumi's own plugins; it knows by itself, this is to see whether it would get there. */
function downloadsOf(name: PluginName, version: string): readonly string[] {
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  const archive = `pulumi-resource-${name}-v${version}-${process.platform}-${arch}.tar.gz`;
  return [
    `https://github.com/pulumi/pulumi-${name}/releases/download/v${version}/${archive}`,
    `https://get.pulumi.com/releases/plugins/${archive}`,
  ];
}

interface LocalHome {
  /** The home that holds the official plugins that there are. */
  readonly official: string;
  readonly origins: PulumiPlugins["origins"];
  readonly versions: PulumiPlugins["versions"];
}

/** A PULUMI_HOME of this checkout, with stand-ins and, linked, the official plugins that there are. */
async function localHome({ official, origins, versions }: LocalHome): Promise<string> {
  const home = path.resolve(inState("pulumi-home"));
  const lock = { what: "installing Pulumi plugin stand-ins", timeoutMs: 60_000 };
  await withLock(path.resolve(inState("pulumi-home.lock")), lock, async () => {
    for (const name of pluginNames) unlinkPlugin(pluginFolder(home, name, versions[name]));
    await installStandIns(home);
    for (const name of pluginNames.filter((one) => origins[one] === "official"))
      linkPlugin(pluginFolder(official, name, versions[name]), pluginFolder(home, name, versions[name]));
  });
  return home;
}

/** A stand-in that was written through a link of an earlier run would overwrite the official plugin. */
function unlinkPlugin(folder: string): void {
  if (!fs.existsSync(folder)) return;
  const entries = fs.readdirSync(folder, { withFileTypes: true });
  if (entries.some((entry) => entry.isSymbolicLink())) fs.rmSync(folder, { recursive: true });
}

/** The engine takes only real folders for plugins, so it is the files that are linked. */
function linkPlugin(from: string, to: string): void {
  fs.rmSync(to, { recursive: true, force: true });
  fs.mkdirSync(to, { recursive: true });
  for (const name of fs.readdirSync(from)) fs.symlinkSync(path.join(from, name), path.join(to, name));
}
