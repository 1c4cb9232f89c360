import * as fs from "node:fs";
import * as path from "node:path";
import type { Recipe, Stage } from "./recipe";

/** The Go that first fetches by itself the newer one that a go.mod asks for. */
const oldestGo = [1, 21] as const;

/** An image of programs that are compiled from one Go module; go.mod and go.sum in the folder pin all they are made of. */
export interface GoImage extends Pick<Recipe, "name" | "folder"> {
  /** What the user is told that is being built. */
  readonly title: string;
  /** The module's version without the v, which is also what the programs are told to be, e.g. `1.12.1`. */
  readonly version: string;
  /** File name in the build context → the package of its `main` function, which a `tool` line of go.mod names. */
  readonly programs: Readonly<Record<string, string>>;
}

/** The recipe of an image that holds nothing but the base and its programs. */
export function goRecipe({ name, folder, title, version, programs }: GoImage): Recipe {
  return {
    name,
    from: "base",
    folder,
    versions: { [name]: version },
    tools: ["go"],
    prepare: async (stage) => {
      stage.step(`${title} ${version} from Go modules`);
      for (const [output, main] of Object.entries(programs))
        await buildGoProgram(stage, { package: main, version, output });
    },
  };
}

interface GoProgram {
  readonly package: string;
  readonly version: string;
  readonly output: string;
}

/** Compiles a program into the build context, as one file that needs no library. */
async function buildGoProgram(stage: Stage, program: GoProgram): Promise<void> {
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
