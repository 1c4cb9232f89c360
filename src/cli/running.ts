import type { CommandContext } from "./command";
import { factsOf, type StackFacts } from "./facts";
import { type CommonOptions, stackFor } from "./session";
import { dockerEnv } from "./toolchain/docker";
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

/** Docker for a command that starts none: from then on this one and all programs that are run use the engine of `up`. */
export async function quietDocker(): Promise<void> {
  Object.assign(process.env, await dockerEnv());
}

/**
 * What the running stack says about itself.
 * @throws Error where the stack is not up.
 */
export async function runningStack(options: CommonOptions, context: CommandContext): Promise<StackFacts> {
  const pulumi = await quietPulumi(context);
  const { steps, interruption } = context;
  const stack = stackFor(options, { steps, pulumi, interruption });
  const facts = factsOf(await stack.read());
  if (!facts) throw new Error(`the stack ${options.stack} is not up; bring it up: npm run up`);
  return facts;
}
