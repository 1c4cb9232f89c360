import type { Client } from "pg";
import { waitFor } from "../../lib/retry";
import { codeOf, sqlState } from "./connection";

export interface SlotState {
  readonly active: boolean;
  readonly pid: number | null;
  /** Role of the session that reads from the slot. */
  readonly user: string | null;
  readonly client: string | null;
  /** `reserved`, `extended`, `unreserved`, or `lost` once Postgres gave the slot up (max_slot_wal_keep_size). */
  readonly walStatus: string | null;
}

/** A logical slot of the current database; undefined when there is none of the name. */
export async function readSlot(client: Client, slot: string): Promise<SlotState | undefined> {
  const { rows } = await client.query<SlotState>(
    `SELECT s.active, s.active_pid AS pid, a.usename::text AS "user", host(a.client_addr) AS client,
            s.wal_status AS "walStatus"
     FROM pg_replication_slots s LEFT JOIN pg_stat_activity a ON a.pid = s.active_pid
     WHERE s.slot_name = $1 AND s.database = current_database()`,
    [slot],
  );
  return rows[0];
}

/**
 * Drops a replication slot: a slot that nobody reads holds WAL back until the disk is full. A session of
 * `connectorUser` that still reads from it is ended; anybody else's is an error.
 */
export async function dropSlot(
  client: Client,
  slot: string,
  connectorUser: string,
  timeoutMs = 30_000,
): Promise<void> {
  await waitFor(
    async () => {
      const state = await readSlot(client, slot);
      if (state === undefined) return true;
      if (state.active && state.user !== null && state.user !== connectorUser) {
        throw new SlotInUseError(
          `replication slot ${slot} is read by process ${state.pid} of role ${state.user}` +
            `${state.client ? ` from ${state.client}` : ""}, which is not the connector's role ${connectorUser}; ` +
            `stop that client, then run this again`,
        );
      }
      if (state.active && state.pid !== null) {
        await client.query("SELECT pg_terminate_backend($1)", [state.pid]);
        return false;
      }
      try {
        await client.query("SELECT pg_drop_replication_slot($1)", [slot]);
        return true;
      } catch (error) {
        // Somebody was faster, at dropping or at reading from it: look again.
        if (codeOf(error) === sqlState.objectInUse || codeOf(error) === sqlState.noSuchObject) return false;
        throw error;
      }
    },
    {
      what: `dropping replication slot ${slot}`,
      timeoutMs,
      isFatal: (error) => error instanceof SlotInUseError || codeOf(error) === sqlState.insufficientPrivilege,
    },
  );
}

class SlotInUseError extends Error {}
