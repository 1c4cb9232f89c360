import * as fs from "node:fs";
import type { Progress } from "../toolchain/progress";
import { duration } from "./format";
import type { Terminal } from "./terminal";

/** A failure that has been shown already, with what can be done about it: nothing is to be added but the exit code. */
export class ShownError extends Error {
  override readonly name = "ShownError";
}

export interface Steps {
  readonly terminal: Terminal;
  readonly logFile: string;
  /**
   * Does a part of the command's work and shows it with its time.
   * @param work gets the means to say what it is doing; returns what it found or made, for the line, and its value.
   */
  readonly step: <T>(title: string, work: (progress: Progress) => Promise<StepResult<T>>) => Promise<T>;
  /** Adds a line to the log alone. */
  readonly log: (text: string) => void;
}

export interface StepResult<T> {
  readonly value: T;
  /** What the line says after the title. */
  readonly detail?: string;
}

/** @param now the clock, milliseconds; for tests. */
export function createSteps(terminal: Terminal, logFile: string, now: () => number = Date.now): Steps {
  const log = (text: string) =>
    fs.appendFileSync(logFile, `${new Date().toISOString()} ${text}\n`, { mode: 0o600 });
  return {
    terminal,
    logFile,
    log,
    step: async (title, work) => {
      const started = now();
      let doing = "";
      const draw = () => terminal.status(`… ${title}${doing && `: ${doing}`}  ${duration(now() - started)}`);
      draw();
      const timer = terminal.interactive ? setInterval(draw, 500) : undefined;
      try {
        const { value, detail } = await work({
          logFile,
          onStep: (text) => {
            doing = text;
            log(`${title}: ${text}`);
            if (terminal.interactive) draw();
            else terminal.line(`  ${title}: ${text}`);
          },
        });
        const line = `✓ ${title}${detail ? `: ${detail}` : ""} (${duration(now() - started)})`;
        terminal.line(line);
        log(line);
        return value;
      } catch (error) {
        const line = `✗ ${title} (${duration(now() - started)})`;
        terminal.line(line);
        log(line);
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
  };
}
