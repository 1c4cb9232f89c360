import * as fs from "node:fs";
import { findProgram, type RunOptions, type RunResult } from "../src/lib/process";

/** The Go that first fetches by itself the newer one that a go.mod asks for. */
const oldestGo = [1, 21] as const;

/** For `go build`: what go.mod and go.sum pin is built, whatever the user has set. */
export const goEnv = { CGO_ENABLED: "0", GOWORK: "off", GO111MODULE: "on", GOFLAGS: undefined } as const;

/** What to do about a {@link goProblem}; a clause for the user. */
export const goInstallation = "Install it (https://go.dev/dl; Debian 12's golang-go is too old)";

/** What {@link goProblem} has to know about the machine. */
export interface GoHost {
  readonly has: (program: string) => boolean;
  readonly run: (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>;
}

/** Says why the go on PATH cannot build the module of this go.mod file; a clause for the user. Undefined if it can. */
export async function goProblem(goMod: string, { has, run }: GoHost): Promise<string | undefined> {
  const wanted = /^go (\S+)$/m.exec(fs.readFileSync(goMod, "utf8"))?.[1];
  const needed = `Go ${oldestGo.join(".")} or newer (it fetches ${wanted} by itself) is needed`;
  if (!has("go")) return `there is no go on PATH; ${needed}`;
  // Its own version, not that of the one that it would fetch.
  const { stdout } = await run("go", ["env", "GOVERSION"], { env: { GOTOOLCHAIN: "local" } });
  const [major = 0, minor = 0] = (/^go(\d+)\.(\d+)/.exec(stdout.trim()) ?? []).slice(1).map(Number);
  if (major > oldestGo[0] || (major === oldestGo[0] && minor >= oldestGo[1])) return undefined;
  return `the go on PATH is ${stdout.trim()}; ${needed}`;
}

export const hasProgram: GoHost["has"] = (program) => findProgram(program) !== undefined;
