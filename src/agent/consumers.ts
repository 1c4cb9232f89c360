import type { Query } from "../compare/pair";
import { literal } from "../tables/sql";

/** What a table's consumers in ClickHouse do. */
export interface Consumers {
  /** Whether they ask Kafka for the table's events, as far as ClickHouse tells. */
  readonly areReading: boolean;
  /** The same text as long as they are the same, and hold the same partitions. */
  readonly mark: string;
}

/** A row of `consumersSql`. */
export interface ConsumerRow {
  readonly id: string;
  readonly partitions: string;
  /** How often partitions were given to it or taken away. */
  readonly changes: string;
  /** Seconds since it last asked Kafka. */
  readonly idle: string;
}

/**
 * One with nothing to do asks several times a second; one that asks no more inserts what it has read, or waits for a
 * thread. Seconds, which is how exactly ClickHouse tells the time: well below `lastingMs`, so that what was read before
 * a difference began to last is in the table before it has lasted.
 */
export const restSeconds = 4;

export function consumersSql(database: string, target: string): string {
  return `
    SELECT consumer_id AS id, toString(length(assignments.partition_id)) AS partitions,
           toString(num_rebalance_assignments + num_rebalance_revocations) AS changes,
           toString(dateDiff('second', last_poll_time, now())) AS idle
    FROM system.kafka_consumers
    WHERE database = ${literal(database)} AND table = ${literal(`${target}_queue`)}
    ORDER BY consumer_id`;
}

/** While a group shares out its partitions none of them is read: afterwards, all are held by somebody. */
export function consumersOf(rows: readonly ConsumerRow[]): Consumers {
  if (rows.length === 0) return untold;
  // Where there are more consumers than partitions, some have nothing to read.
  const holding = rows.filter(({ partitions }) => Number(partitions) > 0);
  return {
    areReading: holding.length > 0 && holding.every(({ idle }) => Number(idle) <= restSeconds),
    mark: rows.map(({ id, partitions, changes }) => `${id}:${partitions}:${changes}`).join(" "),
  };
}

/** Where ClickHouse does not tell (another replica reads, or the user may not ask), they count as reading. */
export const untold: Consumers = { areReading: true, mark: "" };

export async function readConsumers(ask: Query, database: string, target: string): Promise<Consumers> {
  try {
    return consumersOf(await ask<ConsumerRow>(consumersSql(database, target)));
  } catch {
    return untold;
  }
}
