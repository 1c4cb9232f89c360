import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { withLock } from "../../../bin/lock";
import { inCache, inProject } from "../../lib/paths";
import { findProgram, run } from "../../lib/process";
import { type Attempt, attempt, downloadFile, downloadText, firstServing } from "./downloads";
import { buildLanguageHost, buildPulumi, builtPulumi, pulumiVersion } from "./offline";
import type { DownloadProgress } from "./progress";

/** A Pulumi CLI with all that it needs to run a Node program. */
export interface PulumiCli {
  /** Absolute path of the program. */
  readonly bin: string;
  /** Its version, without "v". */
  readonly version: string;
  /** Where it came from. */
  readonly origin: "found" | "downloaded" | "built";
  /** Folders for PATH, the CLI's own first. */
  readonly pathDirs: readonly string[];
}

/** The first version whose `destroy` knows `--exclude`, with which `down --keep-data` keeps volumes (pulumi/pulumi#18828). */
export const oldestCli = "3.158.0";

/** Finds the Pulumi CLI; where there is none, downloads the official one; where that can't be had, builds it. */
export async function ensureCli(progress: DownloadProgress): Promise<PulumiCli> {
  const found = await findCli();
  if (found) return withHosts(found, progress);
  const downloaded = await download(progress);
  if (downloaded.ok)
    return withHosts({ bin: downloaded.value, version: pulumiVersion, origin: "downloaded" }, progress);
  if (!builtPulumi())
    progress.onStep(`the official Pulumi CLI can't be downloaded (${downloaded.why}); building it, once`);
  const bin = path.join(builtPulumi() ?? (await buildPulumi(progress)), "pulumi");
  return withHosts({ bin, version: pulumiVersion, origin: "built" }, progress);
}

type BareCli = Pick<PulumiCli, "bin" | "version" | "origin">;

async function findCli(): Promise<BareCli | undefined> {
  const places = [process.env.PULUMI_HOME, path.join(os.homedir(), ".pulumi")]
    .filter((home) => home !== undefined)
    .map((home) => path.join(home, "bin", "pulumi"));
  for (const place of ["pulumi", ...places]) {
    const bin = findProgram(place);
    // `eval "$(npx cdc env)"` puts ours on PATH: it must not pass for the user's own from then on.
    if (!bin || isInside(inCache("bin"), bin)) continue;
    const { stdout } = await run(bin, ["version"], {
      env: { PULUMI_SKIP_UPDATE_CHECK: "true" },
      timeoutMs: 20_000,
    }).catch(() => ({ stdout: "" }));
    const version = stdout.trim().replace(/^v/, "");
    if (acceptsVersion(version)) return { bin, version, origin: "found" };
  }
  return undefined;
}

function isInside(folder: string, file: string): boolean {
  return path.resolve(file).startsWith(path.resolve(folder) + path.sep);
}

/** Whether a CLI of this version can run our program: the SDK's major version, and recent enough. */
export function acceptsVersion(version: string): boolean {
  const [major, minor] = numbersOf(version);
  const [oldestMajor, oldestMinor] = numbersOf(oldestCli);
  return major === oldestMajor && minor >= oldestMinor;
}

/** Major and minor version; not a number each where the text is no version. */
function numbersOf(version: string): readonly [number, number] {
  const [, major, minor] = /^(\d+)\.(\d+)\.\d+/.exec(version) ?? [];
  return [Number(major), Number(minor)];
}

/** Official downloads; both hosts serve the same files. */
const releases = [
  `https://get.pulumi.com/releases/sdk/`,
  `https://github.com/pulumi/pulumi/releases/download/v${pulumiVersion}/`,
] as const;

async function download(progress: DownloadProgress): Promise<Attempt<string>> {
  const folder = inCache("bin", `pulumi-${pulumiVersion}-official`);
  const bin = path.join(folder, "bin", "pulumi");
  if (fs.existsSync(bin)) return { ok: true, value: bin };
  const lock = {
    what: "downloading the Pulumi CLI",
    timeoutMs: 20 * 60_000,
    onWait: (pid: number) => progress.onStep(`process ${pid} is downloading the Pulumi CLI; waiting for it`),
  };
  return attempt(
    `pulumi ${pulumiVersion}`,
    () =>
      withLock(inCache("locks", "pulumi-download.lock"), lock, async () => {
        if (!fs.existsSync(bin)) await downloadCli(folder, releases, progress);
        return bin;
      }),
    progress,
  );
}

/**
 * Downloads the official CLI from the first of several places that serves it, checks it against the published
 * checksum, and unpacks it to `<folder>/bin`. The folder appears only when all is well.
 */
export async function downloadCli(
  folder: string,
  places: readonly string[],
  { onStep, logFile }: DownloadProgress,
): Promise<void> {
  const archive = `pulumi-v${pulumiVersion}-${platform()}.tar.gz`;
  onStep("looking for the official Pulumi CLI");
  const url = await firstServing(
    places.map((place) => place + archive),
    8000,
  );
  const wanted = await publishedChecksum(archive, places);
  const draft = `${folder}.partial`;
  fs.rmSync(draft, { recursive: true, force: true });
  fs.mkdirSync(draft, { recursive: true });
  const file = path.join(draft, archive);
  let told = -1;
  await downloadFile(url, file, {
    timeoutMs: 10 * 60_000,
    onProgress: (part) => {
      const percent = Math.floor(part * 10) * 10;
      if (percent > told) onStep(`downloading the Pulumi CLI ${pulumiVersion} (${percent} %)`);
      told = Math.max(told, percent);
    },
  });
  const found = createHash("sha256").update(fs.readFileSync(file)).digest("hex");
  if (found !== wanted)
    throw new Error(`${url}: its SHA-256 is ${found}, and the published checksum is ${wanted}; not used`);
  // The archive holds one folder, `pulumi`, with all programs in it.
  await run("tar", ["-xzf", file, "-C", draft], { logFile });
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  fs.renameSync(path.join(draft, "pulumi"), path.join(folder, "bin"));
  fs.rmSync(draft, { recursive: true, force: true });
}

/** From whichever host publishes it. */
async function publishedChecksum(archive: string, places: readonly string[]): Promise<string> {
  const name = `pulumi-${pulumiVersion}-checksums.txt`;
  const texts = await Promise.allSettled(places.map((place) => downloadText(place + name, 15_000)));
  for (const text of texts) {
    const sum = text.status === "fulfilled" ? checksumOf(archive, text.value) : undefined;
    if (sum) return sum;
  }
  throw new Error(
    `${archive}: no checksum for it in ${places.map((place) => place + name).join(" or ")}; not used`,
  );
}

/** The SHA-256 of a file in a list as `sha256sum` writes it. */
export function checksumOf(file: string, list: string): string | undefined {
  for (const line of list.split("\n")) {
    const [, sum, name] = /^([0-9a-f]{64})\s+\*?(\S+)$/.exec(line.trim()) ?? [];
    if (name === file) return sum;
  }
  return undefined;
}

/** Node's and Pulumi's names of operating systems and processors are the same where Pulumi has a release. */
function platform(): string {
  return `${process.platform}-${process.arch}`;
}

/** Finds, or builds, the helpers without which the CLI runs no Node program. */
async function withHosts(cli: BareCli, progress: DownloadProgress): Promise<PulumiCli> {
  const own = path.dirname(cli.bin);
  const beside = path.dirname(fs.realpathSync(cli.bin));
  const has = (program: string) =>
    [own, beside].some((dir) => findProgram(path.join(dir, program))) || findProgram(program) !== undefined;
  const extra: string[] = [];
  if (!has("pulumi-language-nodejs")) extra.push(await buildLanguageHost(progress));
  else if (!has("pulumi-resource-pulumi-nodejs")) extra.push(inProject("node_modules", "@pulumi", "pulumi"));
  return { ...cli, pathDirs: [own, ...extra] };
}
