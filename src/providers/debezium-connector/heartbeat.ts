import { createClient } from "@clickhouse/client";
import type { HeartbeatTarget } from "./types";

/** The table to which heartbeats come, beside the captured tables. */
export const heartbeatTable = "heartbeat";

/**
 * When the latest heartbeat that has come out in ClickHouse was written in Postgres, in microseconds since 1970 by
 * Postgres's clock; 0 when none has.
 */
export async function latestHeartbeat({ url, user, password, database }: HeartbeatTarget): Promise<number> {
  const client = createClient({ url, username: user, password, database, request_timeout: 10_000 });
  try {
    const result = await client.query({
      query: `SELECT toString(toUnixTimestamp64Micro(max(beat_at))) AS beat FROM ${heartbeatTable}`,
      format: "JSONEachRow",
    });
    const [row] = await result.json<{ beat: string }>();
    return Number(row?.beat ?? 0);
  } finally {
    await client.close();
  }
}
