/** Parts of the names of a table's objects in ClickHouse; what each is for is said in sql/clickhouse/table.sql. */
const suffixes = [
  "queue",
  "events",
  "events_mv",
  "final",
  "mv",
  "current",
  "current_mv",
  "bounds",
  "bounds_mv",
  "errors",
  "errors_mv",
] as const;

/** The names of all objects that a captured table has in ClickHouse: the view `T`, and `T_…`. */
export function tableObjectNames(target: string): string[] {
  return [target, ...suffixes.map((suffix) => `${target}_${suffix}`)];
}

/** Names of columns that the pipeline's own columns and expressions use. */
export const reservedColumns =
  /^(operation|_synced_at|_committed_at|_committed|_version|_generation|_partition|_offset|_deleted|_snapshot|_problem|_raw|_message|_parse_error|_topic_partition|_event|_row|_v\d+)$/;

/** The Nested column of which ClickHouse takes an array with such a name for a part: `a` for `a.b` and `a.b.c`. */
export function nestedName(column: string): string | undefined {
  return /^([^.]+)\../.exec(column)?.[1];
}

/**
 * The topic of a table.
 * @param qualifiedTable e.g. `inventory.orders`.
 */
export function topicOf(prefix: string, qualifiedTable: string): string {
  // As Debezium does it (SchemaTopicNamingStrategy): what Kafka does not allow becomes an underscore.
  return `${prefix}.${qualifiedTable}`.replace(/[^a-zA-Z0-9._-]/g, "_");
}
