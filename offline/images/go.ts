import * as fs from "node:fs";
import * as path from "node:path";
import type { Stage } from "./recipe";

/** The Go that first fetches by itself the newer one that a go.mod asks for. */
const oldestGo = [1, 21] as const;

/** A program that is compiled from a Go module, by the go.mod and go.sum in the recipe's folder. */
export interface GoProgram {
  /** The package of its `main` function; a `tool` line of go.mod names it. */
  readonly package: string;
  /** What it is told to be, e.g. `1.12.1`; its module's version without the v. */
  readonly version: string;
  /** File name of the result in the build context. */
  readonly output: string;
}

/** Compiles a program into the build context, as one file that needs no library. */
export async function buildGoProgram(stage: Stage, program: GoProgram): Promise<void> {
  await checkGo(stage, program);
  // Programs of the Prometheus family say in their metrics and on --version what this tells them.
  const variable = "github.com/prometheus/common/version";
  const ldflags = [
    ...["-s", "-w", "-X", `${variable}.Version=${program.version}`],
    ...["-X", `${variable}.Branch=local`, "-X", `${variable}.BuildUser=cdc-local`],
  ].join(" ");
  await stage.run("go", ["build", "-trimpath", "-ldflags", ldflags, "-o", program.output, program.package], {
    env: {
      CGO_ENABLED: "0",
      GOWORK: "off",
      GO111MODULE: "on",
      GOFLAGS: undefined,
      GOOS: "linux",
      GOARCH: stage.arch,
    },
  });
}

async function checkGo(stage: Stage, program: GoProgram): Promise<void> {
  const { stdout } = await stage.run("go", ["env", "GOVERSION"], { env: { GOTOOLCHAIN: "local" } });
  const [major = 0, minor = 0] = (/^go(\d+)\.(\d+)/.exec(stdout.trim()) ?? []).slice(1).map(Number);
  if (major > oldestGo[0] || (major === oldestGo[0] && minor >= oldestGo[1])) return;
  const wanted = /^go (\S+)$/m.exec(fs.readFileSync(path.join(stage.dir, "go.mod"), "utf8"))?.[1];
  throw new Error(
    `${program.output}: the go on PATH is ${stdout.trim()}; Go ${oldestGo.join(".")} or newer is needed ` +
      `(it fetches ${wanted} by itself). Install it (https://go.dev/dl; Debian 12's golang-go is too old), ` +
      "then run the command again.",
  );
}
