import * as fs from "node:fs";
import * as path from "node:path";
import type Docker from "dockerode";
import { describeProcess, isAlive } from "../../bin/lock";
import { inCache } from "../../src/lib/paths";
import { run } from "../../src/lib/process";
import type { Recipe, Stage } from "./recipe";

export interface BuildOptions {
  readonly docker: Docker;
  /** The reference that the image gets. */
  readonly reference: string;
  /** The reference of the image that it stands on. */
  readonly base: string | undefined;
  readonly onStep: (text: string) => void;
  /** File that gets everything that the clients and the engine print. */
  readonly logFile: string;
}

/**
 * Makes one image: prepares its build context on the host, has the engine build it. The tag appears only when
 * the image is whole: the engine sets it last.
 */
export async function buildImage(recipe: Recipe, options: BuildOptions): Promise<void> {
  removeAbandonedStages();
  const dir = path.join(stages, `${recipe.name}-${processName(process.pid)}`);
  fs.mkdirSync(dir, { recursive: true });
  try {
    fs.cpSync(recipe.folder, dir, { recursive: true });
    const stage = stageFor(recipe, dir, options);
    await recipe.prepare?.(stage);
    stage.step("assembling the image");
    await assemble(dir, options);
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

const stages = inCache("stages");

/** A build that was killed leaves its context behind; each is named after its process. */
function removeAbandonedStages(): void {
  if (!fs.existsSync(stages)) return;
  for (const name of fs.readdirSync(stages)) {
    const pid = Number(/-(\d+)-/.exec(name)?.[1]);
    const isWorkedAt = name.endsWith(`-${processName(pid)}`) && isAlive(describeProcess(pid));
    if (!isWorkedAt) fs.rmSync(path.join(stages, name), { recursive: true, force: true });
  }
}

/** A process as a part of a path that every tool takes. */
function processName(pid: number): string {
  return describeProcess(pid).replace(/\W/g, "-");
}

function stageFor(recipe: Recipe, dir: string, options: BuildOptions): Stage {
  const downloads = inCache("downloads");
  fs.mkdirSync(downloads, { recursive: true });
  return {
    dir,
    downloads,
    arch: process.arch === "arm64" ? "arm64" : "amd64",
    step: (text) => options.onStep(`${recipe.name}: ${text}`),
    run: (command, args, more) => run(command, args, { logFile: options.logFile, cwd: dir, ...more }),
  };
}

async function assemble(dir: string, options: BuildOptions): Promise<void> {
  // Version 1 of the builder is the only one that every engine has; BuildKit would need a session of its own.
  const stream = await options.docker.buildImage(
    { context: dir, src: fs.readdirSync(dir) },
    {
      t: options.reference,
      version: "1",
      forcerm: true,
      networkmode: "none",
      buildargs: options.base ? { BASE: options.base } : {},
      labels: { "cdc.image": options.reference },
    },
  );
  const failure = await follow(options.docker, stream, options.logFile);
  if (failure)
    throw new Error(
      `building ${options.reference}: ${failure}\nfull output: ${options.logFile}; run the command again to retry`,
    );
}

/** Writes the engine's output to the log; resolves with the error that it reports, if any. */
function follow(docker: Docker, stream: NodeJS.ReadableStream, logFile: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let failure: string | undefined;
    docker.modem.followProgress(
      stream,
      (error) => (error ? (failure ? resolve(failure) : reject(error)) : resolve(failure)),
      (event: { stream?: string; error?: string }) => {
        failure ??= event.error;
        fs.appendFileSync(logFile, event.stream ?? (event.error ? `${event.error}\n` : ""));
      },
    );
  });
}
