import * as path from "node:path";
import { goEnv, goInstallation, goProblem, hasProgram } from "../go";
import type { Recipe, Stage } from "./recipe";

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
  const problem = await goProblem(path.join(stage.dir, "go.mod"), { has: hasProgram, run: stage.run });
  if (problem)
    throw new Error(`${program.output}: ${problem}. ${goInstallation}, then run the command again.`);
  // Programs of the Prometheus family say in their metrics and on --version what this tells them.
  const variable = "github.com/prometheus/common/version";
  const ldflags = [
    ...["-s", "-w", "-X", `${variable}.Version=${program.version}`],
    ...["-X", `${variable}.Branch=local`, "-X", `${variable}.BuildUser=cdc-local`],
  ].join(" ");
  await stage.run("go", ["build", "-trimpath", "-ldflags", ldflags, "-o", program.output, program.package], {
    env: { ...goEnv, GOOS: "linux", GOARCH: stage.arch },
  });
}
