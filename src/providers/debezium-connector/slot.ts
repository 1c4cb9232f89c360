import { messageOf } from "../../lib/retry";
import { dropSlot, readSlot } from "../postgres-source/slot";
import { withSource } from "./source";
import type { DebeziumConnectorInputs } from "./types";

/**
 * Why the connector's replication slot cannot be read from any more, in words; undefined when it can, or when there is
 * no way to see it. Debezium does not start with offsets for which Postgres has no WAL.
 */
export async function slotProblem({
  signals,
  settings,
}: DebeziumConnectorInputs): Promise<string | undefined> {
  const slot = slotOf(settings);
  if (signals === undefined) return undefined;
  const found = await withSource(signals, `replication slot ${slot} could not be looked at`, (client) =>
    readSlot(client, slot),
  );
  if (found === undefined) return `replication slot ${slot} does not exist`;
  return found.walStatus === "lost"
    ? `replication slot ${slot} is lost: Postgres has removed WAL that it was to keep`
    : undefined;
}

/** The same for a refresh, to which a Postgres that does not answer is drift as well. */
export async function slotDrift(inputs: DebeziumConnectorInputs): Promise<string[]> {
  const problem = await slotProblem(inputs).catch(messageOf);
  return problem === undefined ? [] : [problem];
}

/** Drops the slot, so that the connector makes a new one. */
export async function removeSlot({ signals, settings }: DebeziumConnectorInputs): Promise<void> {
  const slot = slotOf(settings);
  if (signals === undefined) return;
  await withSource(signals, `replication slot ${slot} could not be dropped`, (client) =>
    dropSlot(client, slot, signals.user),
  );
}

function slotOf(settings: DebeziumConnectorInputs["settings"]): string {
  return settings["slot.name"] ?? "";
}
