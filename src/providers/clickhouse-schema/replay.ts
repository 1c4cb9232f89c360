import type { ClickHouse } from "../../lib/clickhouse";
import { waitFor } from "../../lib/retry";
import { clickhouseObjects, qualified } from "../../tables";
import type { ClickHouseSchemaInputs } from "./types";

/**
 * Reading a topic again from its beginning, beside the ordinary consumer: events that were written before ClickHouse
 * had a column carry its values, and what went to the errors for its type may fit now. Every table collapses what it
 * has already, so the rows come out once, with all their columns.
 */

/** The objects of a replay: they exist while it runs. */
export function replayNames(target: string): [queue: string, view: string] {
  return [`${target}_replay_queue`, `${target}_replay_mv`];
}

/** Longest wait for a replay before `up` ends; it goes on, and the next `up` waits again. */
const longestMs = 15 * 60_000;

/** A broker that is there assigns partitions within seconds; after a crash, when the old session has ended. */
const assignmentMs = 90_000;

/** A consumer that has had nothing to read for so long has read all that Kafka still holds. */
const idleMs = 10_000;

/** Reads the topic of a table again, to where the ordinary consumer was when this began. */
export async function replay(
  clickhouse: ClickHouse,
  inputs: ClickHouseSchemaInputs,
  target: string,
): Promise<void> {
  const table = (name: string) => qualified(inputs.database, name);
  const [queue, view] = replayNames(target);
  const ends = await positions(clickhouse, table(`${target}_final`));
  for (const sql of startStatements(inputs, target)) await clickhouse.run(sql);
  console.log(`${target}: reading the events that Kafka still holds once more, to fill in what was added`);
  await untilRead(clickhouse, inputs, target, ends);
  await clickhouse.run(`DROP TABLE IF EXISTS ${table(queue)} SYNC`);
  await clickhouse.run(`DROP VIEW IF EXISTS ${table(view)} SYNC`);
  await forgetSolvedErrors(clickhouse, table(`${target}_errors`), table(`${target}_final`));
}

/** A group of its own leaves the ordinary consumer's position alone, and begins at the topic's beginning. */
function startStatements(inputs: ClickHouseSchemaInputs, target: string): string[] {
  const consumerGroup = `${inputs.consumerGroup}-replay-${Math.floor(Date.now() / 1000)}`;
  const objects = clickhouseObjects({ ...inputs, consumerGroup, consumers: 1 });
  const [queue, view] = replayNames(target);
  const renames = [
    [`${target}_queue`, queue],
    [`${target}_events_mv`, view],
  ] as const;
  return renames.map(([name]) => {
    const object = objects.find((one) => one.name === name);
    if (!object) throw new Error(`table ${target} has no ${name} in ClickHouse's schema`);
    return renames
      .reduce(
        (sql, [from, to]) => sql.replaceAll(qualified(inputs.database, from), qualified(inputs.database, to)),
        object.create,
      )
      .replace(/^CREATE (TABLE|MATERIALIZED VIEW)/, "CREATE $1 IF NOT EXISTS");
  });
}

type Positions = ReadonlyMap<number, bigint>;

/** By partition: the last offset that the change log has of the present generation. */
async function positions(clickhouse: ClickHouse, final: string): Promise<Positions> {
  const rows = await clickhouse.rows<{ partition: number; last: string }>(
    `SELECT _partition AS partition, toString(max(_offset)) AS last FROM ${final}
     WHERE _generation = (SELECT max(_generation) FROM ${final}) GROUP BY _partition`,
  );
  return new Map(rows.map(({ partition, last }) => [partition, BigInt(last)]));
}

interface Progress {
  readonly read: string;
  readonly partitions: readonly number[];
  readonly offsets: readonly string[];
}

async function untilRead(
  clickhouse: ClickHouse,
  { database }: ClickHouseSchemaInputs,
  target: string,
  ends: Positions,
): Promise<void> {
  const [queue] = replayNames(target);
  const startedAt = Date.now();
  const seen = { read: "", since: startedAt, reached: 0 };
  await waitFor(
    async () => {
      const [progress] = await clickhouse.rows<Progress>(
        `SELECT toString(num_messages_read) AS read, assignments.partition_id AS partitions,
                arrayMap(offset -> toString(offset), assignments.current_offset) AS offsets
         FROM system.kafka_consumers WHERE database = {database: String} AND table = {queue: String}`,
        { database, queue },
      );
      if (!progress || progress.partitions.length === 0) {
        if (Date.now() - startedAt > assignmentMs)
          throw new NothingAssigned(
            `${target}: its topic cannot be read again: no partition was assigned in ${assignmentMs / 1000} s. ` +
              "Does the topic exist, and do the brokers answer ClickHouse? Run up again then",
          );
        return undefined;
      }
      if (progress.read !== seen.read) Object.assign(seen, { read: progress.read, since: Date.now() });
      // Read is not yet taken: the block is flushed within a fraction of a second.
      seen.reached = isReached(progress, ends) ? seen.reached + 1 : 0;
      return seen.reached > 2 || Date.now() - seen.since > idleMs;
    },
    {
      what: `${target}: reading its events again (it goes on; run up again to wait for it)`,
      timeoutMs: longestMs,
      everyMs: 500,
      isFatal: (error) => error instanceof NothingAssigned,
    },
  );
}

class NothingAssigned extends Error {}

function isReached({ partitions, offsets }: Progress, ends: Positions): boolean {
  const current = new Map(
    partitions.map((partition, index) => [Number(partition), BigInt(offsets[index] ?? 0)]),
  );
  return [...ends].every(([partition, last]) => (current.get(partition) ?? -1n) > last);
}

/** What has come into the change log is no error any more. */
function forgetSolvedErrors(clickhouse: ClickHouse, errors: string, final: string): Promise<void> {
  return clickhouse.run(
    `DELETE FROM ${errors} WHERE (_partition, _offset) IN (
       SELECT _partition, _offset FROM ${final}
       WHERE (_partition, _offset) IN (SELECT _partition, _offset FROM ${errors}))`,
  );
}
