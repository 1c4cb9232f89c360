import type { CanonicalPair } from "./canonical";

/** One table on both sides. */
export interface TablePair {
  /** Qualified and quoted, in Postgres. */
  readonly source: string;
  /** Quoted, in ClickHouse. */
  readonly target: string;
  /** Canonical forms of the compared columns. */
  readonly columns: readonly CanonicalPair[];
  /** Canonical forms of the columns that identify a row. */
  readonly key: readonly CanonicalPair[];
}

/** What a table is boiled down to: equal on both sides where the rows are. */
export interface Digest {
  readonly rows: number;
  /** Sum of a 64-bit hash of each row: the order of rows doesn't matter. */
  readonly checksum: string;
}

export type Side = "postgres" | "clickhouse";

/** A row's values as one text, which no other row has. */
export function rowText(columns: readonly CanonicalPair[], side: Side): string {
  return side === "postgres"
    ? `concat_ws(chr(31), ${columns.map(({ postgres }) => `coalesce(${postgres}, '\\N')`).join(", ")})`
    : `concat(${columns.map(({ clickhouse }) => `ifNull(${clickhouse}, '\\\\N')`).join(", '\\x1F', ")}, '')`;
}

/** The first 64 bits of MD5, which both can compute, as a signed number. */
function hash(text: string, side: Side): string {
  return side === "postgres"
    ? `('x' || substr(md5(${text}), 1, 16))::bit(64)::bigint`
    : `reinterpretAsInt64(reverse(substring(MD5(${text}), 1, 8)))`;
}

/** Rows and checksum in one row, columns `rows` and `checksum`. */
export function digestSql({ source, target, columns }: TablePair, side: Side): string {
  const rowHash = hash(rowText(columns, side), side);
  return side === "postgres"
    ? `SELECT count(*)::text AS rows, coalesce(sum(${rowHash}), 0)::text AS checksum FROM ${source}`
    : `SELECT toString(count()) AS rows, toString(sum(toInt256(${rowHash}))) AS checksum FROM ${target}`;
}

const buckets = 256;

/** How many rows and which checksum there are in each bucket of rows, or in bucket 0 when there is one only. */
export type Buckets = ReadonlyMap<number, { readonly rows: number; readonly checksum: bigint }>;

/** A row of what `groupedDigestSql` returns. */
export interface BucketRow {
  readonly _bucket: number;
  readonly _rows: string;
  readonly _checksum: string;
}

/**
 * Rows and checksum, columns `_bucket`, `_rows` and `_checksum`: names that no column of a captured table has,
 * because ClickHouse would take the alias for it.
 * @param by `bucket`: by the 256 buckets that the key falls into; `whole`: in one.
 * @param from what to read from instead of the pair's own table, with conditions: it comes after FROM.
 */
export function groupedDigestSql(pair: TablePair, side: Side, by: "whole" | "bucket", from?: string): string {
  const { source, target, columns } = pair;
  const rowHash = hash(rowText(columns, side), side);
  const bucket = by === "whole" ? "0" : bucketOf(pair, side);
  return side === "postgres"
    ? `SELECT (${bucket})::int AS _bucket, count(*)::text AS _rows, sum(${rowHash})::text AS _checksum FROM ${from ?? source} GROUP BY 1`
    : `SELECT toInt32(${bucket}) AS _bucket, toString(count()) AS _rows, toString(sum(toInt256(${rowHash}))) AS _checksum FROM ${from ?? target} GROUP BY _bucket`;
}

export function bucketsOf(rows: readonly BucketRow[]): Buckets {
  return new Map(
    rows.map(({ _bucket, _rows, _checksum }) => [
      _bucket,
      { rows: Number(_rows), checksum: BigInt(_checksum) },
    ]),
  );
}

/** What a bucket that is not there holds. */
export const nothing = { rows: 0, checksum: 0n };

/** In which buckets two digests differ, ascending. */
export function differingBuckets(postgres: Buckets, clickhouse: Buckets): readonly number[] {
  const all = [...new Set([...postgres.keys(), ...clickhouse.keys()])].sort((a, b) => a - b);
  return all.filter((bucket) => {
    const [here, there] = [postgres.get(bucket) ?? nothing, clickhouse.get(bucket) ?? nothing];
    return here.rows !== there.rows || here.checksum !== there.checksum;
  });
}

/** Keys and hashes of the rows of one bucket, columns `key`, `hash`. */
export function rowsSql(pair: TablePair, bucket: number, side: Side): string {
  const key = rowText(pair.key, side);
  const rowHash = hash(rowText(pair.columns, side), side);
  const where = `${bucketOf(pair, side)} = ${bucket}`;
  return side === "postgres"
    ? `SELECT ${key} AS key, (${rowHash})::text AS hash FROM ${pair.source} WHERE ${where}`
    : `SELECT ${key} AS key, toString(${rowHash}) AS hash FROM ${pair.target} WHERE ${where}`;
}

function bucketOf(pair: TablePair, side: Side): string {
  const keyHash = hash(rowText(pair.key, side), side);
  return side === "postgres" ? `(${keyHash} & ${buckets - 1})` : `bitAnd(${keyHash}, ${buckets - 1})`;
}

export interface RowDifference {
  readonly key: string;
  readonly what: "only in Postgres" | "only in ClickHouse" | "different values";
}

interface HashedRow {
  readonly key: string;
  readonly hash: string;
}

/** In which rows two sets differ. A key that ClickHouse shows twice is a difference too. */
export function differences(
  postgres: readonly HashedRow[],
  clickhouse: readonly HashedRow[],
): RowDifference[] {
  const there = new Map(clickhouse.map(({ key, hash: value }) => [key, value]));
  const here = new Set(postgres.map(({ key }) => key));
  const twice = clickhouse.filter(
    ({ key }, index) => clickhouse.findIndex((row) => row.key === key) !== index,
  );
  return [
    ...postgres.flatMap(({ key, hash: value }): RowDifference[] => {
      const other = there.get(key);
      if (other === value) return [];
      return [{ key, what: other === undefined ? "only in Postgres" : "different values" }];
    }),
    ...[...clickhouse.filter(({ key }) => !here.has(key)), ...twice].map(
      ({ key }): RowDifference => ({ key, what: "only in ClickHouse" }),
    ),
  ];
}
