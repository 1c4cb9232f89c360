import { withoutCredentials } from "../../lib/http";
import { messageOf, waitFor } from "../../lib/retry";
import { heartbeatTable } from "../../tables";
import type { Connect, InstanceStatus, ReportedStatus } from "./connect";
import { latestHeartbeat } from "./heartbeat";
import { redact } from "./secrets";
import type { DebeziumConnectorInputs, HeartbeatTarget } from "./types";

/** How it was before a change, to tell what is new. */
export interface Before {
  readonly status: ReportedStatus | undefined;
  /** As `latestHeartbeat` counts. */
  readonly heartbeat: number;
}

/** How long the state of before a change may still be shown after it. */
const staleMs = 10_000;

/** Looks how it is, and makes sure that the heartbeats can be read: else nothing of it would ever be known. */
export async function lookBefore(connect: Connect, inputs: DebeziumConnectorInputs): Promise<Before> {
  const { heartbeat } = inputs;
  return {
    status: await connect.status(inputs.connector),
    heartbeat: heartbeat === undefined ? 0 : await firstLook(heartbeat, inputs.startTimeoutSeconds * 1000),
  };
}

async function firstLook(target: HeartbeatTarget, waitMs: number): Promise<number> {
  try {
    return await latestHeartbeat(target, waitMs);
  } catch (error) {
    throw new Error(`heartbeats in ${placeOf(target)} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Waits until the connector and its task are RUNNING and, where there is a place to look for it, a heartbeat that was
 * written after `startedAt` has come out at the other end.
 * @throws Error at once, with the reason, when one of them has FAILED.
 */
export async function waitUntilFlowing(
  connect: Connect,
  inputs: DebeziumConnectorInputs,
  before: Before,
  startedAt: number,
): Promise<void> {
  const { connector, heartbeat, startTimeoutSeconds } = inputs;
  const newer = Math.max(before.heartbeat, startedAt * 1000);
  let running = false;
  try {
    await waitFor(
      async () => {
        const status = await connect.status(connector);
        const failure = failureOf(status, before, startedAt);
        if (failure) throw new FailedError(explainFailure(failure, inputs));
        running = isRunning(status);
        if (!running) throw new Error(stateOf(status));
        return heartbeat === undefined || (await latestHeartbeat(heartbeat)) > newer;
      },
      {
        what: `connector ${connector}`,
        timeoutMs: startTimeoutSeconds * 1000,
        isFatal: (error) => error instanceof FailedError,
      },
    );
  } catch (error) {
    if (!running || heartbeat === undefined || error instanceof FailedError) throw error;
    throw new Error(
      `${messageOf(error)}: it is RUNNING, but no new heartbeat has come out in ${placeOf(heartbeat)}. While a first ` +
        "snapshot of large tables runs there is none: then raise startTimeoutSeconds and run this again, nothing is " +
        "lost. Otherwise look into the connector's log, and into system.kafka_consumers in ClickHouse",
      { cause: error },
    );
  }
}

class FailedError extends Error {}

/** What is otherwise than it should be with a connector's state, in words. */
export function stateDrift(connector: string, status: ReportedStatus | undefined): string[] {
  if (status === undefined) return [`connector ${connector} has no state`];
  if (status.connector.state !== "RUNNING") return [`connector ${connector} is ${status.connector.state}`];
  if (status.tasks.length === 0) return [`connector ${connector} has no task`];
  return status.tasks
    .filter(({ state }) => state !== "RUNNING")
    .map(
      ({ state, trace }) =>
        `the task of connector ${connector} is ${state}${trace ? `: ${firstLine(trace)}` : ""}`,
    );
}

/** Whether a state is about to change by itself. */
export function isPassing(status: ReportedStatus | undefined): boolean {
  return status === undefined || parts(status).some(({ state }) => /^(UNASSIGNED|RESTARTING)$/.test(state));
}

export function isRunning(status: ReportedStatus | undefined): boolean {
  return (
    status !== undefined && status.tasks.length > 0 && parts(status).every(({ state }) => state === "RUNNING")
  );
}

export function failed(status: ReportedStatus | undefined): InstanceStatus | undefined {
  return status && parts(status).find(({ state }) => state === "FAILED");
}

/** A failure, unless it is the one of before, which is shown for a moment after a restart. */
function failureOf(status: ReportedStatus | undefined, before: Before, startedAt: number) {
  const failure = failed(status);
  const isOld = failure !== undefined && failure.trace === failed(before.status)?.trace;
  return isOld && Date.now() - startedAt < staleMs ? undefined : failure;
}

function parts({ connector, tasks }: ReportedStatus): readonly InstanceStatus[] {
  return [connector, ...tasks];
}

function stateOf(status: ReportedStatus | undefined): string {
  if (status === undefined) return "it has no state yet";
  const tasks = status.tasks.map(({ state }) => state).join(", ") || "not there";
  return `it is ${status.connector.state}, its task ${tasks}`;
}

/** The trace's own words: what failed, and what that was caused by; where in the code is for Connect's log. */
function explainFailure(
  { trace = "no reason given" }: InstanceStatus,
  inputs: DebeziumConnectorInputs,
): string {
  const lines = trace.split("\n").map((line) => line.trim());
  const reasons = [lines[0] ?? "", ...lines.filter((line) => line.startsWith("Caused by: "))];
  return redact(
    `connector ${inputs.connector} has FAILED: ${reasons.slice(0, 4).join("\n  ")}`,
    inputs.settings,
  );
}

function firstLine(text: string): string {
  return text.split("\n")[0]?.trim() ?? "";
}

function placeOf({ url, database }: HeartbeatTarget): string {
  return `ClickHouse at ${withoutCredentials(url)}, table ${database}.${heartbeatTable.target}`;
}
