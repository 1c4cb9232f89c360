import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
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
  /** Called with each line that the program prints, on either stream, also with a last one that has no end. */
  readonly onLine?: (line: string) => void;
  /** Exit codes that are no error; [0] by default. */
  readonly okCodes?: readonly number[];
  /**
   * The program gets a process group of its own: Ctrl-C on the terminal does not reach it, and when it is ended, by
   * `timeoutMs` or `signal`, all that it has started ends too.
   */
  readonly group?: boolean;
  /** Ends the program when it is aborted: first asked to (SIGTERM), 10 s later killed. */
  readonly signal?: AbortSignal;
  /** Called with the process's id once it runs. */
  readonly onSpawn?: (pid: number) => void;
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
      detached: options.group ?? false,
    };
    const child = spawn(command, [...args], spawnOptions);
    if (child.pid !== undefined) options.onSpawn?.(child.pid);
    const output = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      const lines = lineSplitter(options.onLine);
      child[stream]?.setEncoding("utf8").on("data", (text: string) => {
        output[stream] += text;
        if (log !== undefined) fs.writeSync(log, text);
        lines.push(text);
      });
      child[stream]?.on("end", lines.end);
    }
    let timedOut = false;
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            kill(child, "SIGKILL", options);
          }, options.timeoutMs);
    const stopListening = endOnAbort(child, options);
    child.on("error", (error) => {
      clearTimeout(timer);
      stopListening();
      reject(new ProcessError(`${command}: ${error.message}`, undefined));
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      stopListening();
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
    // It may end, or close its input, before it has read all: its exit code says whether that is an error.
    child.stdin?.on("error", () => {});
    if (options.input !== undefined) child.stdin?.end(options.input);
  });
}

const gracePeriodMs = 10_000;

/** Returns what takes the listener away again. */
function endOnAbort(child: ChildProcess, options: RunOptions): () => void {
  const { signal } = options;
  if (!signal) return () => {};
  let killer: NodeJS.Timeout | undefined;
  const end = () => {
    kill(child, "SIGTERM", options);
    killer = setTimeout(() => kill(child, "SIGKILL", options), gracePeriodMs);
  };
  if (signal.aborted) end();
  else signal.addEventListener("abort", end, { once: true });
  return () => {
    clearTimeout(killer);
    signal.removeEventListener("abort", end);
  };
}

function kill(child: ChildProcess, how: NodeJS.Signals, { group }: RunOptions): void {
  if (child.pid === undefined) return;
  try {
    process.kill(group ? -child.pid : child.pid, how);
  } catch {
    // It has ended by itself.
  }
}

interface LineSplitter {
  readonly push: (text: string) => void;
  /** Hands on what came after the last end of a line. */
  readonly end: () => void;
}

function lineSplitter(onLine: RunOptions["onLine"]): LineSplitter {
  if (!onLine) return { push: () => {}, end: () => {} };
  let rest = "";
  return {
    push: (text) => {
      const lines = (rest + text).split(/\r?\n/);
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line);
    },
    end: () => {
      if (rest !== "") onLine(rest);
    },
  };
}

function openLog(file: string): number {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  return fs.openSync(file, "a");
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}
