import { type SpawnOptions, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";

export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Text for the program's standard input. */
  readonly input?: string;
  /** Milliseconds until the program is ended; no limit by default. */
  readonly timeoutMs?: number;
  /** File to which everything that the program prints is appended. */
  readonly logFile?: string;
  /** Called with each line that the program prints, on either stream. */
  readonly onLine?: (line: string) => void;
  /** Exit codes that are no error; [0] by default. */
  readonly okCodes?: readonly number[];
}

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** A program could not be started, ran too long, or ended with a code that is not allowed. */
export class ProcessError extends Error {
  constructor(
    message: string,
    readonly result: RunResult | undefined,
  ) {
    super(message);
    this.name = "ProcessError";
  }
}

/**
 * Runs a program to its end and returns what it printed. The one way in which this project runs programs.
 * @throws ProcessError with the last lines of output.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const log = options.logFile ? openLog(options.logFile) : undefined;
  const shown = [command, ...args].join(" ");
  if (log !== undefined) fs.writeSync(log, `$ ${shown}\n`);
  try {
    const result = await collect(command, args, options, log);
    if (!(options.okCodes ?? [0]).includes(result.code)) {
      const tail = lastLines(result.stderr || result.stdout, 15);
      const where = options.logFile ? `\nfull output: ${options.logFile}` : "";
      throw new ProcessError(`${shown}: exit code ${result.code}\n${tail}${where}`, result);
    }
    return result;
  } finally {
    if (log !== undefined) fs.closeSync(log);
  }
}

/** Whether a program is on PATH (or at the given path) and can be executed. */
export function findProgram(name: string): string | undefined {
  const dirs = name.includes("/") ? [""] : (process.env.PATH ?? "").split(path.delimiter);
  return dirs.map((dir) => path.join(dir, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}

function collect(
  command: string,
  args: readonly string[],
  options: RunOptions,
  log: number | undefined,
): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const spawnOptions: SpawnOptions = {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    };
    const child = spawn(command, [...args], spawnOptions);
    const output = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      const lines = lineSplitter(options.onLine);
      child[stream]?.setEncoding("utf8").on("data", (text: string) => {
        output[stream] += text;
        if (log !== undefined) fs.writeSync(log, text);
        lines(text);
      });
    }
    let timedOut = false;
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            child.kill("SIGKILL");
          }, options.timeoutMs);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(new ProcessError(`${command}: ${error.message}`, undefined));
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const result = { ...output, code: code ?? 128 };
      if (timedOut) {
        reject(
          new ProcessError(
            `${command} ${args.join(" ")}: not finished after ${options.timeoutMs} ms`,
            result,
          ),
        );
      } else if (signal) {
        reject(new ProcessError(`${command} ${args.join(" ")}: ended by ${signal}`, result));
      } else {
        resolve(result);
      }
    });
    if (options.input !== undefined) child.stdin?.end(options.input);
  });
}

function lineSplitter(onLine: RunOptions["onLine"]): (text: string) => void {
  if (!onLine) return () => {};
  let rest = "";
  return (text) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  };
}

function openLog(file: string): number {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  return fs.openSync(file, "a");
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}
