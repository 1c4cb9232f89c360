import type { PulumiCommand, PulumiFn, Stack } from "@pulumi/pulumi/automation";
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
  /** Loads the program that says what the stack is; needed where it is brought up or previewed. */
  readonly program?: () => Promise<PulumiFn>;
}

/** A stack of this checkout. */
export interface OpenStack {
  /** As the Automation API has it. Its SDK takes a second to load, which commands that only look need not wait for. */
  readonly automation: () => Promise<Stack>;
  /** Reads its state, secrets in clear: for this process alone, never to be printed or written. */
  readonly read: () => Promise<StackState>;
}

/** Opens the stack, and makes it where there is none yet. */
export function openStack(options: StackOptions): OpenStack {
  const cli = engineCommand(options.pulumi, options.logFile, options.running);
  const loaded = once(async () => ({
    sdk: await import("@pulumi/pulumi/automation"),
    program: await options.program?.(),
  }));
  let known = false;
  const pulumi = (...args: string[]) => cli.run([...args, "--stack", options.name], projectRoot, {});
  return {
    automation: once(async () =>
      automationStack(options.name, {
        ...(await loaded()),
        command: forAutomation(cli, () => known),
      }),
    ),
    read: async () => {
      const exported = pulumi("stack", "export", "--show-secrets");
      // What an operation needs is loaded while the CLI works; whoever needs it is told why it can't be.
      if (options.program) loaded().catch(() => undefined);
      const { stdout } = await exported.catch(async (error: unknown) => {
        if (!isMissing(error)) throw error;
        await pulumi("stack", "init");
        withoutSalt(options.name);
        return { stdout: "{}" };
      });
      known = true;
      return parseState(stdout);
    },
  };
}

interface Automation {
  readonly sdk: typeof import("@pulumi/pulumi/automation");
  readonly program: PulumiFn | undefined;
  readonly command: PulumiCommand;
}

async function automationStack(name: string, { sdk, program, command }: Automation): Promise<Stack> {
  const workspace = await sdk.LocalWorkspace.create({
    workDir: projectRoot,
    pulumiCommand: command,
    ...(program ? { program } : {}),
  });
  try {
    return await sdk.Stack.select(name, workspace);
  } catch (error) {
    if (!isMissing(error)) throw error;
    return await sdk.Stack.create(name, workspace);
  } finally {
    withoutSalt(name);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof EngineError && /no stack named/.test(error.output);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** To be called after each operation: the engine writes the salt anew. */
export function withoutSalt(stackName: string): void {
  dropSalt(inProject(`Pulumi.${stackName}.yaml`));
}
