import { withClickHouse } from "../../lib/clickhouse";
import { heartbeatTable } from "../../tables";
import type { HeartbeatTarget } from "./types";

/**
 * When the latest heartbeat that has come out in ClickHouse was written in Postgres, in microseconds since 1970 by
 * Postgres's clock; 0 when none has.
 * @param waitMs how long a ClickHouse that does not answer yet is waited for.
 */
export async function latestHeartbeat(target: HeartbeatTarget, waitMs = 0): Promise<number> {
  const options = { waitMs, statementTimeoutMs: 10_000 };
  const rows = await withClickHouse(target, options, (clickhouse) =>
    clickhouse.rows<{ beat: string }>(
      `SELECT toString(toUnixTimestamp64Micro(max(beat_at))) AS beat FROM ${heartbeatTable.target}`,
    ),
  );
  return Number(rows[0]?.beat ?? 0);
}
