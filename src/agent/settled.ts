import {
  type Buckets,
  differingBuckets,
  groupedDigestSql,
  nothing,
  rowText,
  type TablePair,
} from "../compare/digest";
import type { CatalogColumn, CatalogTable } from "../tables/model";
import { postgresIdentifier } from "../tables/sql";

// The mathematics of a comparison while rows change.
//
// A digest of a table is additive: the rows, and the sum of a hash of each. So rows can be left out of one side after
// the fact, by subtracting their digest. What is compared is the rows that have not changed since a position P in
// Postgres's log; what has changed since, on its way or not, is left out of both sides, by key.
//
// In ClickHouse, "since P" must be read from a row's version. Its upper half H is where the transaction before the
// row's own ended (Postgres sends transactions in the order of their commits); the position of the change itself says
// nothing about when it was committed. Where H < P, the row's transaction is one that was committed before P, or the
// first one after P, of those that Postgres sends to Debezium. So that this first one, too, is known to be before a
// snapshot, the comparison lets a canary, which is such a transaction, be committed after it has read P:
//
//   1. P: what Postgres has flushed of its log.
//   2. A canary is sent and committed. The first transaction after P is this canary or an earlier one.
//   3. A second goes by: a commit is in the log a moment before other sessions see it.
//   4. A snapshot S of Postgres. All transactions of versions with H < P are in it, by 1 to 3.
//      In S: the digest of all rows.
//   5. In ClickHouse, at any time after, the digest of the rows whose latest version has H < P and is no delete, and
//      the keys of all versions with H ≥ P, deletes included. Both see the same rows, as far as one query does; a block
//      that comes in between makes a difference that is gone at the next look.
//   6. In S: the digest of the rows of those keys, to be subtracted.
//
// Take a key that is not among the keys of 5, and suppose that ClickHouse has got all that S holds. All of its
// versions have H < P, so all of its changes are in S (4); and S holds no others, since they would have come, with
// H ≥ P. So the row in S is ClickHouse's latest version. A key that is among them is left out on both sides: in
// ClickHouse its latest version has H ≥ P.
//
// Left is the supposition. Until ClickHouse has got everything, there are differences, and they change as it comes. A
// canary from after S that has come through says that Debezium has sent to Kafka all that S holds. It says nothing
// about the table's own consumers in ClickHouse, since the heartbeat has another: they may wait for a thread, or for
// partitions that Kafka gives them only when the session of a server that was killed has ended. So a difference is one
// of rows when it remains the same while the canary has come through, and the table's consumers hold the partitions,
// none of which changes hands, and keep asking Kafka for events. Whether a row of S is still to come, say from a
// broker that answers late, cannot be told from a row that is missing otherwise than by waiting; so the whole comparison
// is done a second time before rows are said to differ.
//
// Rows of a snapshot have H = 0, as have changes before the first commit of a generation H = 1: they count as old, which
// they are, unless the generation began after P. Then the generation changes between 1 and 5, and nothing is said. A
// truncate with H ≥ P names no keys: nothing is said either. Rows of an incremental snapshot carry the position at which
// Debezium put them into the stream, where the same holds for them as for changes.

/** The part of `T_current` that the view T shows. */
export interface Bounds {
  readonly generation: number;
  /** Version of the last truncate. */
  readonly truncated: bigint;
  /** Version of the end of the first snapshot. */
  readonly loaded: bigint;
}

/** The smallest version of a transaction that came after one that ended at this position, or later. */
export function versionAt(position: bigint): bigint {
  return position << 64n;
}

/** More keys than this are not asked for: the agent holds them all, some 40 MB where they are of several texts. */
export const maxChangedKeys = 50_000;

/** A row of `settledSql`: a bucket, or (`_bucket` -1) a key that has changed. */
export interface SettledRow {
  readonly _bucket: number;
  readonly _rows: string;
  readonly _checksum: string;
  readonly _key: readonly string[];
}

/**
 * What ClickHouse holds of versions before `since`, and the keys of the others. To be run with
 * do_not_merge_across_partitions_select_final.
 */
export function settledSql(pair: TablePair, by: "whole" | "bucket", bounds: Bounds, since: bigint): string {
  const version = (value: bigint) => `toUInt128('${value}')`;
  const settled =
    `${pair.target} FINAL WHERE _generation = ${bounds.generation} AND _version > ${version(bounds.truncated)} ` +
    `AND _version >= ${version(bounds.loaded)} AND _version < ${version(since)}`;
  const key = pair.key.map(({ clickhouse }) => `CAST(ifNull(${clickhouse}, ''), 'String')`).join(", ");
  return `
    SELECT _bucket, _rows, _checksum, CAST([], 'Array(String)') AS _key
    FROM (${groupedDigestSql(pair, "clickhouse", by, settled)})
    UNION ALL
    SELECT toInt32(-1) AS _bucket, '' AS _rows, '' AS _checksum, _changed AS _key
    FROM (
      SELECT DISTINCT [${key}] AS _changed FROM ${pair.target}
      WHERE _generation = ${bounds.generation} AND _version >= ${version(since)}
      LIMIT ${maxChangedKeys + 1})`;
}

/** The digest of the rows of some keys in Postgres. */
export interface KeysQuery {
  readonly sql: string;
  /** Values of its parameters. */
  readonly values: (keys: readonly (readonly string[])[]) => unknown[];
}

/**
 * Takes the keys as ClickHouse writes them. Where Postgres can read all of their types back, it finds the rows by its
 * index on them; otherwise it reads the whole table once more.
 */
export function keysQuery(
  pair: TablePair,
  by: "whole" | "bucket",
  columns: readonly CatalogColumn[],
): KeysQuery {
  const parts = columns.map((column, index) => fromText(column, `k.c${index}`));
  if (parts.every((part) => part !== undefined)) {
    const names = columns.map(({ name }) => postgresIdentifier(name)).join(", ");
    const parameters = columns.map((_, index) => `$${index + 1}::text[]`).join(", ");
    const aliases = columns.map((_, index) => `c${index}`).join(", ");
    const where = `(${names}) IN (SELECT ${parts.join(", ")} FROM unnest(${parameters}) AS k (${aliases}))`;
    return {
      sql: groupedDigestSql(pair, "postgres", by, `${pair.source} WHERE ${where}`),
      values: (keys) => columns.map((_, index) => keys.map((key) => key[index] ?? "")),
    };
  }
  const where = `${rowText(pair.key, "postgres")} IN (SELECT unnest($1::text[]))`;
  return {
    sql: groupedDigestSql(pair, "postgres", by, `${pair.source} WHERE ${where}`),
    values: (keys) => [keys.map((key) => key.join("\x1f"))],
  };
}

const readAsWritten = new Set([
  ...["int2", "int4", "int8", "oid", "numeric", "bool", "text", "varchar", "bpchar", "citext", "uuid"],
]);

/** A value in Postgres from its canonical form (src/compare/canonical.ts); undefined where there is no such way. */
function fromText({ type, base }: CatalogColumn, text: string): string | undefined {
  if (base.kind === "enum" || (base.kind === "base" && readAsWritten.has(base.name)))
    return `${text}::${type}`;
  if (base.kind !== "base") return undefined;
  switch (base.name) {
    case "date":
      return `date '1970-01-01' + ${text}::int`;
    case "timestamp":
      return `timestamp '1970-01-01' + ${text}::bigint * interval '1 microsecond'`;
    case "timestamptz":
      return `timestamptz '1970-01-01 00:00:00Z' + ${text}::bigint * interval '1 microsecond'`;
    default:
      return undefined;
  }
}

/** The columns of a key, in its order; undefined when a form that both sides can write is missing for one of them. */
export function keyColumns(
  table: CatalogTable,
  key: readonly string[],
  pair: TablePair,
): readonly CatalogColumn[] | undefined {
  const columns = key.flatMap((name) => table.columns.find((column) => column.name === name) ?? []);
  return columns.length > 0 && columns.length === key.length && pair.key.length === key.length
    ? columns
    : undefined;
}

/** What is left of a digest when that of some of its rows is taken away. */
export function subtract(all: Buckets, some: Buckets): Buckets {
  return new Map(
    [...all].map(([bucket, { rows, checksum }]) => {
      const less = some.get(bucket) ?? nothing;
      return [bucket, { rows: rows - less.rows, checksum: checksum - less.checksum }];
    }),
  );
}

export interface Difference {
  /** At least how many rows differ. */
  readonly rows: number;
  /** The same text for the same difference. */
  readonly mark: string;
}

/** In what two digests differ. In each bucket that does, one row does, or as many as there are more on one side. */
export function differenceOf(postgres: Buckets, clickhouse: Buckets): Difference {
  let rows = 0;
  const marks: string[] = [];
  for (const bucket of differingBuckets(postgres, clickhouse)) {
    const here = postgres.get(bucket) ?? nothing;
    const there = clickhouse.get(bucket) ?? nothing;
    rows += Math.max(1, Math.abs(here.rows - there.rows));
    marks.push(`${bucket}:${here.rows - there.rows}:${here.checksum - there.checksum}`);
  }
  return { rows, mark: marks.join(" ") };
}

export function rowsIn(buckets: Buckets): number {
  return [...buckets.values()].reduce((sum, { rows }) => sum + rows, 0);
}

/** How long a difference must have stayed the same, milliseconds. */
export const lastingMs = 10_000;
/** How often it must have been read meanwhile. */
export const readingsThatLast = 3;

/** Tells a difference of rows from one of rows that are on their way, by how it goes on. */
export class Lasting {
  private mark: string | undefined;
  private since = 0;
  private readings = 0;

  /**
   * @param at when it was read, milliseconds.
   * @param arrived whether everything that the snapshot holds is in Kafka, and is read from there.
   * @returns whether it is one of rows.
   */
  note(mark: string, at: number, arrived: boolean): boolean {
    if (mark !== this.mark || !arrived) {
      this.mark = mark;
      this.since = at;
      this.readings = 0;
    }
    this.readings += 1;
    return arrived && this.readings >= readingsThatLast && at - this.since >= lastingMs;
  }
}
