import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { onInterrupt } from "../../src/cli/engine/interrupt";
import { silent } from "../../src/cli/ui/terminal";

describe("Ctrl-C", () => {
  const exit = vi.fn();
  let send: (signal: string) => void;
  let time: number;

  beforeEach(() => {
    const handlers = new Map<string, () => void>();
    vi.spyOn(process, "on").mockImplementation(((name: string, handler: () => void) =>
      handlers.set(name, handler)) as never);
    vi.spyOn(process, "exit").mockImplementation(exit as never);
    send = (signal) => handlers.get(signal)?.();
    time = 1e12;
  });

  afterEach(() => {
    vi.restoreAllMocks();
    exit.mockReset();
  });

  const started = (engines: readonly number[]) => {
    const interruption = onInterrupt(silent, () => time);
    for (const pid of engines) interruption.engines.add(pid);
    return interruption;
  };

  /** No process has it: what is told to end has ended. */
  const engine = 2 ** 30;

  test("that npm hands on to us, who have it from the terminal already, is one", () => {
    const { signal } = started([engine]);
    send("SIGINT");
    expect(signal.aborted).toBe(true);
    for (const later of [0, 3, 900]) {
      time = 1e12 + later;
      send("SIGINT");
    }
    expect(exit).not.toHaveBeenCalled();
  });

  test("once more, a while later, ends the engine at once", () => {
    started([engine]);
    send("SIGINT");
    time += 1500;
    send("SIGINT");
    expect(exit).toHaveBeenCalledExactlyOnceWith(130);
  });

  test("ends a command at once that has no engine at work", () => {
    const { signal } = started([]);
    send("SIGINT");
    expect(exit).toHaveBeenCalledExactlyOnceWith(130);
    expect(signal.aborted).toBe(false);
  });
});
