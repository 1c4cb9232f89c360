import { z } from "zod";
import type { CommandContext } from "./command";
import type { StackState } from "./engine/state";
import { factsOf, type StackFacts } from "./facts";
import { type CommonOptions, stackFor } from "./session";
import { dockerEnv } from "./toolchain/docker";
import { useEngine } from "./toolchain/docker-endpoints";
import { ensurePulumi, type PulumiFacts, pulumiEnv } from "./toolchain/pulumi";

/** Pulumi for a command that only looks: without a step of its own in the output, unless it takes time. */
export async function quietPulumi({ terminal, steps }: CommandContext): Promise<PulumiFacts> {
  const pulumi = await ensurePulumi({
    logFile: steps.logFile,
    onStep: (text) => terminal.line(`  ${text}`),
  });
  Object.assign(process.env, pulumiEnv(pulumi));
  return pulumi;
}

/**
 * Docker for a command that starts none: from then on this one and all programs that are run use the engine of `up`.
 * What is wrong with the way to it is said by whoever needs it.
 */
export async function quietDocker(): Promise<void> {
  try {
    useEngine({ env: await dockerEnv() });
  } catch {}
}

/** What the running stack says about itself, and what its state adds to that. */
export interface RunningStack extends StackFacts {
  /** Columns that are not captured, by captured table. */
  readonly excluded: Readonly<Record<string, readonly string[]>>;
}

/**
 * Reads the running stack's state.
 * @throws Error where the stack is not up.
 */
export async function runningStack(options: CommonOptions, context: CommandContext): Promise<RunningStack> {
  const pulumi = await quietPulumi(context);
  const { steps, interruption } = context;
  const stack = stackFor(options, { steps, pulumi, interruption });
  const state = await stack.read();
  const facts = factsOf(state);
  if (!facts) throw new Error(`the stack ${options.stack} is not up; bring it up: npm run up`);
  return { ...facts, excluded: excludedIn(state) };
}

const captured = z.object({
  tables: z.array(z.object({ schema: z.string(), name: z.string(), excluded: z.array(z.string()) })),
});

/** As the update had it that made the tables in ClickHouse: the configuration may say something else by now. */
export function excludedIn({ resources }: Pick<StackState, "resources">): RunningStack["excluded"] {
  const schema = resources.find(({ type }) => type.endsWith("cdc:ClickHouseSchema"));
  const { tables } = captured.catch({ tables: [] }).parse(schema?.inputs);
  return Object.fromEntries(tables.map(({ schema, name, excluded }) => [`${schema}.${name}`, excluded]));
}
