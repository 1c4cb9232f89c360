import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { withLock } from "../../bin/lock";
import { inCache, inProject } from "../../src/lib/paths";
import { run } from "../../src/lib/process";
import { goEnv, goInstallation, goProblem, hasProgram } from "../go";

export interface GoBuildOptions {
  /** Called with what is being done, a short text for the user. */
  readonly onStep: (text: string) => void;
  /** File that gets the whole output of the Go compiler. */
  readonly logFile: string;
}

/** A program that is compiled from a Go module. */
interface GoTool {
  /** Its name, and that of its folder here, whose go.mod names it in a `tool` line and pins all versions. */
  readonly name: string;
  /** The package of its `main` function. */
  readonly package: string;
  /** The version that it is told to be; it says v0 otherwise, which the Automation API refuses. */
  readonly version: string;
}

const cli: GoTool = {
  name: "pulumi",
  package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
  version: "3.259.0",
};

/**
 * The last version of the SDK's module that holds the Node language host: later ones live in a module of their own,
 * which module proxies do not serve. The CLI of today understands it, and it runs the SDK of today.
 */
const languageHost: GoTool = {
  name: "pulumi-language-nodejs",
  package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
  version: "3.50.0",
};

/** The version of the Pulumi CLI that is built, and downloaded where it can be. */
export const pulumiVersion = cli.version;

/** The folder of a Pulumi CLI that was built before, by the recipe of today. */
export function builtPulumi(): string | undefined {
  const folder = folderOf(cliName, [languageHost, cli]);
  return fs.existsSync(folder) ? folder : undefined;
}

/** Builds the Pulumi CLI and, beside it, the language host and the dynamic-provider host; returns their folder. */
export function buildPulumi(options: GoBuildOptions): Promise<string> {
  return build(cliName, [languageHost, cli], options);
}

const cliName = `pulumi-${cli.version}-built`;

/** Builds the Node language host alone, for a Pulumi CLI that came without; returns its folder. */
export function buildLanguageHost(options: GoBuildOptions): Promise<string> {
  return build(`pulumi-language-nodejs-${languageHost.version}`, [languageHost], options);
}

/** Compiles tools into one folder of the cache, named after all that shapes them, unless it is there already. */
async function build(name: string, tools: readonly GoTool[], options: GoBuildOptions): Promise<string> {
  const target = folderOf(name, tools);
  if (fs.existsSync(target)) return target;
  const lock = {
    what: `building ${tools.map((tool) => tool.name).join(" and ")}`,
    timeoutMs: 30 * 60_000,
    onWait: (pid: number) => options.onStep(`process ${pid} is building the Pulumi CLI; waiting for it`),
  };
  await withLock(inCache("locks", `${name}.lock`), lock, async () => {
    if (fs.existsSync(target)) return;
    await checkGo();
    // Under the lock nobody else works here: what is left is of a build that was killed.
    const draft = inCache("bin", `${name}.partial`);
    fs.rmSync(draft, { recursive: true, force: true });
    fs.mkdirSync(path.join(draft, "bin"), { recursive: true });
    for (const tool of tools) await compile(tool, path.join(draft, "bin"), options);
    // The CLI takes this host from the folder that it is in itself, and from elsewhere only under protest.
    fs.copyFileSync(dynamicProviderHost, path.join(draft, "bin", path.basename(dynamicProviderHost)));
    fs.rmSync(path.dirname(target), { recursive: true, force: true });
    fs.renameSync(draft, path.dirname(target));
  });
  return target;
}

function folderOf(name: string, tools: readonly GoTool[]): string {
  return inCache("bin", `${name}-${hashOf(tools)}`, "bin");
}

const dynamicProviderHost = inProject("node_modules", "@pulumi", "pulumi", "pulumi-resource-pulumi-nodejs");

async function compile(tool: GoTool, into: string, { onStep, logFile }: GoBuildOptions): Promise<void> {
  const started = Date.now();
  let packages = 0;
  const tell = () => onStep(`building ${tool.name} ${tool.version} from Go modules (${packages} packages)`);
  tell();
  let told = started;
  await run("go", ["build", "-v", "-trimpath", "-ldflags", ldflags(tool), "-o", into, tool.package], {
    cwd: inProject("offline", "toolchain", tool.name),
    env: { ...goEnv, GOOS: undefined, GOARCH: undefined },
    logFile,
    onLine: (line) => {
      if (/^[\w.-]+(\/[\w.~-]+)*$/.test(line)) packages += 1;
      if (Date.now() - told < 5000) return;
      told = Date.now();
      tell();
    },
  });
}

function ldflags(tool: GoTool): string {
  return `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${tool.version}`;
}

async function checkGo(): Promise<void> {
  const problem = await goProblem(inProject("offline", "toolchain", cli.name, "go.mod"), {
    has: hasProgram,
    // Outside of this folder, so that no go.mod has a say.
    run: (command, args, more) => run(command, args, { cwd: inProject("offline"), ...more }),
  });
  if (problem)
    throw new Error(
      `Pulumi: no whole CLI was found, none could be downloaded, and ${problem} to build it.\n${goInstallation} or ` +
        "install the Pulumi CLI itself (https://www.pulumi.com/docs/iac/download-install), then run the command again.",
    );
}

/** 12 hex digits over all that shapes the result. */
function hashOf(tools: readonly GoTool[]): string {
  const hash = createHash("sha256").update(JSON.stringify([process.platform, process.arch, tools]));
  for (const tool of tools)
    for (const file of ["go.mod", "go.sum"])
      hash.update(fs.readFileSync(inProject("offline", "toolchain", tool.name, file)));
  return hash.update(fs.readFileSync(dynamicProviderHost)).digest("hex").slice(0, 12);
}
