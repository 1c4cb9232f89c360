import { LocalWorkspace, type PulumiFn, Stack } from "@pulumi/pulumi/automation";
import { inProject, projectRoot } from "../../lib/paths";
import type { PulumiFacts } from "../toolchain/pulumi";
import { dropSalt } from "../toolchain/pulumi-state";
import { EngineError, engineCommand, forAutomation, type RunningEngines } from "./command";
import { parseState, type StackState } from "./state";

export interface StackOptions {
  readonly name: string;
  readonly pulumi: PulumiFacts;
  readonly logFile: string;
  readonly running: RunningEngines;
  /** The program that says what the stack is; needed where it is brought up or previewed. */
  readonly program?: PulumiFn;
}

/** A stack of this checkout. */
export interface OpenStack {
  /** As the Automation API has it. */
  readonly automation: Stack;
  /** Reads its state, secrets in clear: for this process alone, never to be printed or written. */
  readonly read: () => Promise<StackState>;
}

/** Selects the stack, and makes it where there is none yet. */
export async function openStack(options: StackOptions): Promise<OpenStack> {
  const cli = engineCommand(options.pulumi, options.logFile, options.running);
  const workspace = await LocalWorkspace.create({
    workDir: projectRoot,
    pulumiCommand: forAutomation(cli),
    ...(options.program ? { program: options.program } : {}),
  });
  const automation = await Stack.select(options.name, workspace).catch((error: unknown) => {
    if (!(error instanceof EngineError && /no stack named/.test(error.output))) throw error;
    return Stack.create(options.name, workspace);
  });
  withoutSalt(options.name);
  const exportArgs = ["stack", "export", "--show-secrets", "--stack", options.name];
  return {
    automation,
    read: async () => parseState((await cli.run(exportArgs, projectRoot, {})).stdout),
  };
}

/** To be called after each operation: the engine writes the salt anew. */
export function withoutSalt(stackName: string): void {
  dropSalt(inProject(`Pulumi.${stackName}.yaml`));
}
