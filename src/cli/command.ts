import { ConfigError } from "../config";
import { messageOf } from "../lib/retry";
import { EngineError } from "./engine/command";
import { InterruptedError, type Interruption, interruptedExitCode, onInterrupt } from "./engine/interrupt";
import { newLogFile } from "./ui/log-file";
import { createSteps, ShownError, type Steps } from "./ui/steps";
import { type Terminal, terminalOn } from "./ui/terminal";

/** What every command has at hand. */
export interface CommandContext {
  /** Where progress goes. */
  readonly terminal: Terminal;
  readonly steps: Steps;
  readonly interruption: Interruption;
}

export interface CommandSettings {
  /** Standard output carries the command's result: progress goes to standard error. */
  readonly resultOnStdout?: boolean;
}

/**
 * Runs a command to its end and sets the exit code.
 * @param work returns the exit code where it is not 0.
 */
export async function runCommand(
  name: string,
  { resultOnStdout = false }: CommandSettings,
  work: (context: CommandContext) => Promise<number | undefined>,
): Promise<void> {
  const terminal = terminalOn(resultOnStdout ? process.stderr : process.stdout);
  const steps = createSteps(terminal, newLogFile(name));
  const interruption = onInterrupt(terminal);
  try {
    process.exitCode = (await work({ terminal, steps, interruption })) ?? 0;
  } catch (error) {
    process.exitCode = interruption.signal.aborted ? interruptedExitCode : 1;
    fail(error, terminal, steps);
  } finally {
    terminal.clear();
  }
}

function fail(error: unknown, terminal: Terminal, steps: Steps): void {
  steps.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (error instanceof InterruptedError) {
    terminal.line(error.message);
    return;
  }
  if (!(error instanceof ShownError))
    console.error(`cdc: ${process.env.CDC_DEBUG ? stackOf(error) : shown(error)}`);
  // A wrong setting is all said; for everything else there may be more.
  if (!(error instanceof ConfigError)) console.error(`full log: ${steps.logFile}`);
}

/** The engine's own last words, without what it prints of its usage. */
function shown(error: unknown): string {
  if (!(error instanceof EngineError)) return messageOf(error);
  const lines = error.output.split("\n").filter((line) => /^\s*error:/.test(line));
  return lines.length > 0 ? lines.map((line) => line.trim()).join("\n") : error.message;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
