import type { Terminal } from "../ui/terminal";
import { killEngines, type RunningEngines } from "./command";

/** The user has ended the command. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}

/** Exit code of a program that ended because of SIGINT, by the shells' convention. */
export const interruptedExitCode = 130;

/**
 * How long after the first signal another one is the same Ctrl-C: it comes from the terminal, and from npm, which hands
 * it on to its child, where the shell between them has replaced itself by that child (as bash does).
 */
const sameKeyMs = 1000;

export interface Interruption {
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  readonly engines: RunningEngines;
  /** Throws once the user has interrupted: called between steps, so that the next one does not begin. */
  readonly check: () => void;
  /** From now on the first Ctrl-C only aborts the signal, which this returns, also while no engine runs. */
  readonly soften: () => AbortSignal;
}

/**
 * The first Ctrl-C (or SIGTERM, or the end of the terminal) lets the engine finish what it is at; the second ends it.
 * While no engine runs nothing needs to be finished, and the first ends the command.
 */
export function onInterrupt(terminal: Terminal, now: () => number = Date.now): Interruption {
  const controller = new AbortController();
  const engines: RunningEngines = new Set();
  let soft = false;
  let abortedAt = Number.NEGATIVE_INFINITY;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(name, () => {
      if ((engines.size > 0 || soft) && !controller.signal.aborted) {
        terminal.line("interrupted: waiting for what is under way to end; once more ends it at once");
        abortedAt = now();
        controller.abort();
        return;
      }
      if (now() - abortedAt < sameKeyMs) return;
      killEngines(engines);
      terminal.line("interrupted; run the command again to complete what is half-done");
      process.exit(interruptedExitCode);
    });
  return {
    signal: controller.signal,
    engines,
    soften: () => {
      soft = true;
      return controller.signal;
    },
    check: () => {
      if (controller.signal.aborted)
        throw new InterruptedError("interrupted; run the command again to complete what is left");
    },
  };
}
