import type { Container } from "dockerode";
import { messageOf, waitFor } from "../../../../src/lib/retry";
import type { Values } from "../../provider/schema";
import { logsOf } from "./logs";
import type { Inspected } from "./state";

const lastLines = 20;

/**
 * Waits until the container is healthy.
 * @throws Error with the last lines of its log and of its health check: what one would look at next.
 */
export async function waitForHealth(
  container: Container,
  inputs: Values,
  signal: AbortSignal,
): Promise<void> {
  const isHealthy = async () => {
    const found = (await container.inspect()) as Inspected;
    if (isHealthyNow(found)) return true;
    if (signal.aborted) throw new Error("interrupted");
    return false;
  };
  try {
    const timeoutMs = (inputs.waitTimeout as number) * 1000;
    await waitFor(isHealthy, { what: "waiting for its health check", timeoutMs, isFatal: () => true });
  } catch (error) {
    throw new Error(await report(container, messageOf(error)), { cause: error });
  }
}

/** @throws Error when it can no longer become healthy. */
function isHealthyNow({ State: state }: Inspected): boolean {
  if (!state.Running && !state.Restarting) {
    const why = [state.OOMKilled ? ", out of memory" : "", state.Error ? ` (${state.Error})` : ""].join("");
    throw new Error(`it ended with exit code ${state.ExitCode}${why}`);
  }
  if (state.Health === undefined) {
    throw new Error(
      "`wait` is set, but it has no health check: give it a `healthcheck`, or take `wait` away",
    );
  }
  return state.Health.Status === "healthy";
}

async function report(container: Container, why: string): Promise<string> {
  const found = (await container.inspect()) as Inspected;
  const name = found.Name.slice(1);
  const { Status: status, Log: checks = [] } = found.State.Health ?? { Status: "none" };
  const last = checks.at(-1);
  const health = last ? `, exit code ${last.ExitCode}: ${last.Output.trim() || "no output"}` : "";
  return [
    `container ${name} failed to be in healthy state: ${why}`,
    `its health check: ${status}${health}`,
    `its state: ${found.State.Status}, restarted ${found.RestartCount} times`,
    `the last lines of its log (all: docker logs ${name}):`,
    await lastLog(container, found.Config.Tty),
  ].join("\n");
}

async function lastLog(container: Container, tty: boolean): Promise<string> {
  try {
    const text = (await logsOf(container, tty, lastLines)).trimEnd();
    return text === "" ? "  (empty)" : text.replace(/^/gm, "  ");
  } catch (error) {
    return `  (cannot be read: ${messageOf(error)})`;
  }
}
