import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { inProject, projectRoot } from "../../src/lib/paths";
import { type RunOptions, type RunResult, run } from "../../src/lib/process";

/** A copy of this checkout, uncommitted changes included, in which nothing has been brought up yet. */
export interface Checkout {
  readonly folder: string;
  /** Runs `npx cdc …` there; any exit code is an answer. */
  readonly cdc: (args: readonly string[], options?: RunOptions) => Promise<RunResult>;
}

const anyCode = Array.from({ length: 256 }, (_, code) => code);

export function checkoutIn(folder: string): Checkout {
  return {
    folder,
    cdc: (args, options = {}) =>
      run(process.execPath, [path.join(folder, "bin", "cdc.js"), ...args], {
        okCodes: anyCode,
        timeoutMs: 8 * 60_000,
        group: true,
        ...options,
        cwd: folder,
        env: { ...cleanEnv(), ...options.env },
      }),
  };
}

/** The user's own environment: without what the tests' runner, or an `eval "$(npx cdc env)"`, has put into it. */
export function cleanEnv(): Record<string, string | undefined> {
  const ours = Object.keys(process.env).filter((name) =>
    /^(PULUMI_|PG|CLICKHOUSE_|CDC_HOME$|VITEST|NODE_ENV$)/.test(name),
  );
  return Object.fromEntries(ours.map((name) => [name, undefined]));
}

/** Copies the files that are in Git, or would be, and links the installed packages: `npm ci` has its own tests. */
export async function copyCheckout(folder: string): Promise<void> {
  const { stdout } = await run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: projectRoot,
  });
  for (const file of stdout.split("\0").filter(Boolean)) {
    const [from, to] = [inProject(file), path.join(folder, file)];
    // A file that was deleted but not yet committed is still listed.
    if (!fs.existsSync(from)) continue;
    fs.mkdirSync(path.dirname(to), { recursive: true });
    fs.copyFileSync(from, to);
  }
  const packages = path.join(folder, "node_modules");
  if (fs.existsSync(packages)) return;
  // Hard links where both are on one disk; a copy elsewhere.
  await run("cp", ["-al", inProject("node_modules"), packages]).catch(async () => {
    fs.rmSync(packages, { recursive: true, force: true });
    await run("cp", ["-a", inProject("node_modules"), packages]);
  });
}

export function newFolder(): string {
  return fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "cdc-e2e-"));
}
