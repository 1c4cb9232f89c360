import type { Client } from "pg";
import { waitFor } from "../lib/retry";
import { heartbeatTable } from "../tables";
import { quantile } from "./ui/format";

/** How long a row takes from its commit in Postgres until a query in ClickHouse sees it, milliseconds. */
export interface Latency {
  /** The first row, which finds everything cold. */
  readonly first: number;
  readonly p50: number;
  readonly max: number;
  readonly samples: number;
}

export interface LatencyProbe {
  /** A connection that may write to cdc.heartbeat. */
  readonly postgres: Client;
  /** Whether the heartbeat of that time can be seen in ClickHouse. */
  readonly hasArrived: (beatAt: string) => Promise<boolean>;
  readonly samples: number;
  readonly timeoutMs: number;
}

/** Sends heartbeats through the pipeline, one after the other. */
export async function measureLatency({
  postgres,
  hasArrived,
  samples,
  timeoutMs,
}: LatencyProbe): Promise<Latency> {
  const times: number[] = [];
  for (let sample = 0; sample < samples; sample += 1) {
    const beatAt = await beat(postgres);
    const committed = performance.now();
    await waitFor(() => hasArrived(beatAt), {
      what: "a heartbeat row from Postgres in ClickHouse",
      timeoutMs,
      everyMs: 2,
    });
    times.push(performance.now() - committed);
  }
  return {
    first: times[0] ?? Number.NaN,
    p50: quantile(times, 0.5),
    max: Math.max(...times),
    samples,
  };
}

/** Returns the time that it has written, to the microsecond, as ClickHouse prints it. */
async function beat(postgres: Client): Promise<string> {
  const { rows } = await postgres.query<{ beat: string }>(
    `UPDATE ${heartbeatTable.source} SET beat_at = clock_timestamp() WHERE id = 1
     RETURNING to_char(beat_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') AS beat`,
  );
  const beatAt = rows[0]?.beat;
  if (beatAt === undefined)
    throw new Error(
      `${heartbeatTable.source} has no row; "npx cdc up" after "pulumi refresh" puts one there`,
    );
  return beatAt;
}

export function describeLatency({ first, p50, max, samples }: Latency): string {
  const ms = (value: number) => `${Math.round(value)} ms`;
  return `first ${ms(first)}; of ${samples}: p50 ${ms(p50)}, max ${ms(max)}`;
}
