import type { EngineEvent } from "@pulumi/pulumi/automation";
import type { CommandContext } from "./command";
import { type Changes, followChanges, inWords } from "./engine/changes";
import { EngineError } from "./engine/command";
import { InterruptedError } from "./engine/interrupt";
import { duration } from "./ui/format";
import { ShownError } from "./ui/steps";
import { silent } from "./ui/terminal";

/** The part of the Automation API's options that every operation takes. */
export interface OperationOptions {
  readonly onEvent: (event: EngineEvent) => void;
  readonly onOutput: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface Operation {
  /** Prints all that the engine prints. */
  readonly verbose?: boolean;
  /** It only finds out what would be done. */
  readonly planned?: boolean;
}

/**
 * Runs an operation of the engine with its progress on the terminal.
 * @throws ShownError after it has shown which resource failed and why.
 */
export async function operate(
  title: string,
  { terminal, steps, interruption }: CommandContext,
  { verbose = false, planned = false }: Operation,
  work: (options: OperationOptions) => Promise<unknown>,
): Promise<Changes> {
  const started = Date.now();
  const view = followChanges(planned ? silent : terminal);
  try {
    await work({
      onEvent: view.onEvent,
      onOutput: (text) => verbose && process.stderr.write(text),
      signal: interruption.signal,
    });
  } catch (error) {
    steps.log(String(error));
    if (interruption.signal.aborted)
      throw new InterruptedError(
        `✗ ${title}: interrupted (${duration(Date.now() - started)}); run the command again to complete it`,
      );
    throw shownFailure(error, view.result());
  }
  const changes = view.result();
  terminal.line(`✓ ${title}: ${inWords(changes.counts, { planned })} (${duration(Date.now() - started)})`);
  return changes;

  function shownFailure(error: unknown, { errors }: Changes): unknown {
    if (!(error instanceof EngineError) || errors.length === 0) return error;
    terminal.line(`✗ ${title} (${duration(Date.now() - started)})`);
    for (const { resource, message } of errors)
      console.error(`cdc: ${resource ? `${resource}: ` : ""}${message}`);
    return new ShownError(error.message);
  }
}
