import type { PulumiCommand } from "@pulumi/pulumi/automation";
import { ProcessError, run } from "../../lib/process";
import type { PulumiFacts } from "../toolchain/pulumi";

/** The engines that run now, by process id. */
export type RunningEngines = Set<number>;

/** The CLI ended with an error. */
export class EngineError extends Error {
  override readonly name = "EngineError";

  constructor(
    message: string,
    readonly output: string,
  ) {
    super(message);
  }
}

/** Operations whose whole output belongs in the log. The others may print secrets (`stack export`, say). */
const logged = new Set(["up", "preview", "refresh", "destroy", "cancel"]);

/** What the Automation API (3.248) calls of its PulumiCommand. */
export interface EngineCommand {
  readonly command: string;
  readonly version: { toString(): string };
  run(
    args: readonly string[],
    cwd: string,
    env: Readonly<Record<string, string>>,
    onOutput?: (text: string) => void,
    onError?: (text: string) => void,
    signal?: AbortSignal,
  ): Promise<{ readonly stdout: string; readonly stderr: string; readonly code: number }>;
}

/**
 * The CLI as the Automation API runs it, in a process group of its own: a Ctrl-C on the terminal then reaches this
 * process alone, which tells the engine once. The API's own way would have the engine interrupted twice, by the
 * terminal and by the API, and to the engine a second interrupt means: stop at once, leave everything half-done.
 */
export function engineCommand(facts: PulumiFacts, logFile: string, running: RunningEngines): EngineCommand {
  return {
    command: facts.cli.bin,
    version: { toString: () => facts.cli.version },
    run: async (args, cwd, env, onOutput, _onError, signal) => {
      // An engine that is started after the Ctrl-C would not be told of it.
      signal?.throwIfAborted();
      let pid = 0;
      const stop = () => interrupt(pid);
      try {
        return await run(facts.cli.bin, [...args, "--non-interactive"], {
          cwd,
          env: { ...env, PULUMI_AUTOMATION_API: "true" },
          group: true,
          ...(logged.has(args[0] ?? "") ? { logFile } : {}),
          onLine: (line) => onOutput?.(`${line}\n`),
          onSpawn: (id) => {
            pid = id;
            running.add(id);
            signal?.addEventListener("abort", stop, { once: true });
          },
        });
      } catch (error) {
        throw error instanceof ProcessError ? asEngineError(error, args) : error;
      } finally {
        running.delete(pid);
        signal?.removeEventListener("abort", stop);
      }
    },
  };
}

/** Answers to what the API asks for around each operation and nobody here uses: each would start the CLI once more. */
const unused: Readonly<Record<string, string>> = { "stack output": "{}", "stack history": "[]" };

/**
 * The command for the Automation API. Its own class has a private constructor and an internal `run`, and nothing else
 * that is used.
 * @param known whether the stack is known to be there: then it needs no `stack select`.
 */
export function forAutomation(command: EngineCommand, known: () => boolean): PulumiCommand {
  const forApi: EngineCommand = {
    ...command,
    run: async (args, ...rest) => {
      const operation = args.slice(0, 2).join(" ");
      const stdout = unused[operation] ?? (operation === "stack select" && known() ? "" : undefined);
      return stdout === undefined ? command.run(args, ...rest) : { stdout, stderr: "", code: 0 };
    },
  };
  return forApi as unknown as PulumiCommand;
}

function asEngineError({ message, result }: ProcessError, args: readonly string[]): EngineError {
  const output = result ? `${result.stdout}\n${result.stderr}` : message;
  return new EngineError(`pulumi ${args[0]} ${args[1] ?? ""}: ${message}`, output);
}

/** Only the CLI itself: its plugins end with it, and a provider that is told by itself stops amid its work. */
function interrupt(pid: number): void {
  try {
    process.kill(pid, "SIGINT");
  } catch {
    // It has ended.
  }
}

/** Ends the engines at once; what they were doing stays half-done, and the next `up` completes it. */
export function killEngines(running: RunningEngines): void {
  for (const pid of running) {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}
