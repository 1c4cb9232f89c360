import type { AgentMetrics } from "./metrics";
import type { Postgres } from "./postgres";

/** Any role may read these views. max_slot_wal_keep_size is in MiB, -1 for none. */
const slotSql = `
  SELECT active, wal_status = 'lost' AS lost,
         pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::text AS lag,
         pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::text AS retained,
         (SELECT setting FROM pg_settings WHERE name = 'max_slot_wal_keep_size') AS limit_mib
  FROM pg_replication_slots WHERE slot_name = $1`;

interface SlotRow {
  readonly active: boolean;
  readonly lost: boolean | null;
  readonly lag: string | null;
  readonly retained: string | null;
  readonly limit_mib: string | null;
}

/**
 * Asks Postgres once for the connector's replication slot.
 * @throws Error when it does not answer: then nothing is known, and the metrics are absent.
 */
export async function lookAtSlot(
  postgres: Pick<Postgres, "query">,
  slot: string,
  metrics: AgentMetrics,
  signal: AbortSignal,
): Promise<undefined> {
  const { slotPresent, slotActive, slotLost, slotLag, slotRetained, slotLimit } = metrics;
  let row: SlotRow | undefined;
  try {
    [row] = await postgres.query<SlotRow>(slotSql, [slot], signal);
  } catch (error) {
    for (const gauge of [slotPresent, slotActive, slotLost, slotLag, slotRetained, slotLimit]) gauge.reset();
    throw error;
  }
  slotPresent.set({ slot }, row ? 1 : 0);
  slotActive.set({ slot }, row?.active ? 1 : 0);
  slotLost.set({ slot }, row?.lost ? 1 : 0);
  const sizes = [
    { gauge: slotLag, bytes: numberOf(row?.lag) },
    { gauge: slotRetained, bytes: numberOf(row?.retained) },
    { gauge: slotLimit, bytes: limitOf(row?.limit_mib) },
  ];
  for (const { gauge, bytes } of sizes) {
    if (bytes === undefined) gauge.remove({ slot });
    // What was confirmed may be a little ahead of what is written.
    else gauge.set({ slot }, Math.max(0, bytes));
  }
}

function numberOf(text: string | null | undefined): number | undefined {
  return text === null || text === undefined ? undefined : Number(text);
}

function limitOf(mib: string | null | undefined): number | undefined {
  const size = numberOf(mib);
  return size === undefined || size < 0 ? undefined : size * 1024 * 1024;
}
