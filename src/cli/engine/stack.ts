import type { PulumiCommand, PulumiFn, Stack } from "@pulumi/pulumi/automation";
import { inProject, projectRoot } from "../../lib/paths";
import type { PulumiFacts } from "../toolchain/pulumi";
import { dropSalt, hasGeneratedPassphrase } from "../toolchain/pulumi-state";
import {
  type EngineCommand,
  EngineError,
  engineCommand,
  forAutomation,
  type RunningEngines,
} from "./command";
import { parseState, type StackState } from "./state";

/** The stack of a command that names none. */
export const defaultStack = "dev";

export interface StackOptions {
  readonly name: string;
  readonly pulumi: PulumiFacts;
  readonly logFile: string;
  readonly running: RunningEngines;
  /** Loads the program that says what the stack is; needed where it is brought up or previewed. */
  readonly program?: () => Promise<PulumiFn>;
  /** Whether the stack is made where there is none; by default where there is a program to fill it. */
  readonly makes?: boolean;
}

/** A stack of this checkout. */
export interface OpenStack {
  /** As the Automation API has it. Its SDK takes a second to load, which commands that only look need not wait for. */
  readonly automation: () => Promise<Stack>;
  /**
   * Reads its state, secrets in clear: for this process alone, never to be printed or written.
   * @throws Error that names the stacks there are, where this one is not there and is not to be made.
   */
  readonly read: () => Promise<StackState>;
}

export function openStack(options: StackOptions): OpenStack {
  const { name, makes = options.program !== undefined } = options;
  const cli = saltless(engineCommand(options.pulumi, options.logFile, options.running), options);
  const loaded = once(async () => ({
    sdk: await import("@pulumi/pulumi/automation"),
    program: await options.program?.(),
  }));
  let known = false;
  const pulumi = (...args: string[]) => cli.run(args, projectRoot, {});
  const whenMissing = async () => {
    if (makes) {
      await pulumi("stack", "init", "--stack", name);
      known = true;
    } else if (name !== defaultStack) {
      const { stdout } = await pulumi("stack", "ls", "--json");
      throw new Error(noSuchStack(options, namesIn(stdout)));
    }
    // The default one has simply never been brought up.
  };
  return {
    automation: once(async () =>
      automationStack(name, {
        ...(await loaded()),
        command: forAutomation(cli, () => known),
        makes,
      }),
    ),
    read: async () => {
      const exported = pulumi("stack", "export", "--show-secrets", "--stack", name);
      // What an operation needs is loaded while the CLI works; whoever needs it is told why it can't be.
      if (options.program) loaded().catch(() => undefined);
      try {
        const { stdout } = await exported;
        known = true;
        return parseState(stdout);
      } catch (error) {
        if (!isMissing(error)) throw error;
        await whenMissing();
        return parseState("{}");
      }
    },
  };
}

function namesIn(list: string): readonly string[] {
  return (JSON.parse(list) as readonly { readonly name: string }[]).map(({ name }) => name);
}

function noSuchStack({ name, pulumi }: StackOptions, others: readonly string[]): string {
  const place = `there is no stack "${name}" in ${pulumi.state.where}`;
  const up = `npm run up -- --stack ${name}`;
  return others.length > 0
    ? `${place}; there are: ${others.join(", ")}.\nName one of them, as in --stack ${others[0]}, or bring this one up: ${up}`
    : `${place}, nor any other.\nBring one up: npm run up (the stack ${defaultStack}), or ${up}`;
}

interface Automation {
  readonly sdk: typeof import("@pulumi/pulumi/automation");
  readonly program: PulumiFn | undefined;
  readonly command: PulumiCommand;
  readonly makes: boolean;
}

async function automationStack(name: string, { sdk, program, command, makes }: Automation): Promise<Stack> {
  const workspace = await sdk.LocalWorkspace.create({
    workDir: projectRoot,
    pulumiCommand: command,
    ...(program ? { program } : {}),
  });
  try {
    return await sdk.Stack.select(name, workspace);
  } catch (error) {
    if (!makes || !isMissing(error)) throw error;
    return await sdk.Stack.create(name, workspace);
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

/** The CLI without what it writes anew each time that it uses the generated passphrase. The user's own salt stays. */
function saltless(command: EngineCommand, { name, pulumi }: StackOptions): EngineCommand {
  if (!hasGeneratedPassphrase(pulumi.state)) return command;
  return {
    ...command,
    run: async (...args) => {
      try {
        return await command.run(...args);
      } finally {
        dropSalt(inProject(`Pulumi.${name}.yaml`));
      }
    },
  };
}
