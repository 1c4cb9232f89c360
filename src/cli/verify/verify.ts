import type { Client } from "pg";
import {
  type BucketRow,
  bucketsOf,
  type Digest,
  differences,
  differingBuckets,
  digestSql,
  groupedDigestSql,
  type RowDifference,
  rowsSql,
  type TablePair,
} from "../../compare/digest";
import { type ComparablePair, pairOf, type Query } from "../../compare/pair";
import { readProjectFile } from "../../lib/paths";
import { messageOf, sleep } from "../../lib/retry";
import { parseCatalog } from "../../tables/catalog";
import type { CatalogTable } from "../../tables/model";
import { postgresName } from "../../tables/sql";
import { withClickHouse, withPostgres } from "../connections";
import type { StackFacts } from "../facts";
import type { RunningStack } from "../running";

export interface Verification {
  readonly source: string;
  readonly target: string;
  readonly equal: boolean;
  readonly postgres: Digest;
  readonly clickhouse: Digest;
  /**
   * Columns that were not compared, although they are not excluded: their type has no common form, or ClickHouse does
   * not have them, and then with what to do about it.
   */
  readonly notCompared: readonly string[];
  /** Some of the rows that differ. */
  readonly differences: readonly RowDifference[];
}

export interface VerificationOptions {
  /** How long the two sides may take to become equal, milliseconds. */
  readonly waitMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Compares each captured table with what ClickHouse shows of it, by number of rows and a checksum over all values.
 * While rows are on their way the two differ: it looks again until they are equal, or time is up.
 */
export async function verify(
  facts: RunningStack,
  options: VerificationOptions,
): Promise<readonly Verification[]> {
  return withPostgres(facts, "postgres-admin", (postgres) =>
    withClickHouse(facts, async (clickhouse) => {
      const catalog = await readCatalog(postgres, facts);
      const results: Verification[] = [];
      const deadline = Date.now() + options.waitMs;
      for (const { source, target } of facts.pipeline.tables) {
        const table = catalog.find(({ schema, name }) => `${schema}.${name}` === source);
        if (!table)
          throw new Error(`${source}: captured, but no longer in Postgres; run: npx cdc preview --refresh`);
        const database = facts.pipeline.clickhouseDatabase;
        const pair = await pairOf(table, target, clickhouse, database);
        const notCompared = notComparedOf(pair, facts.excluded[source] ?? []);
        const sides = { postgres, clickhouse, pair: pair.pair, notCompared };
        results.push({ source, target, ...(await compare(sides, deadline, options.signal)) });
      }
      return results;
    }),
  );
}

/** A column is captured from the `up` on that finds it in Postgres's catalog, which it reads with --refresh. */
export function notComparedOf(
  { notCompared, missing }: Pick<ComparablePair, "notCompared" | "missing">,
  excluded: readonly string[],
): readonly string[] {
  const added = missing.filter((name) => !excluded.includes(name));
  return [
    ...notCompared,
    ...added.map(
      (name) => `${name} (not in ClickHouse; run: npx cdc preview --refresh, then npx cdc up --refresh)`,
    ),
  ];
}

async function readCatalog(client: Client, { pipeline }: StackFacts): Promise<readonly CatalogTable[]> {
  const names = pipeline.tables.map(({ source }) => postgresName(source));
  const { rows } = await client.query(readProjectFile("sql", "postgres", "catalog.sql"), [names]);
  return parseCatalog(rows);
}

interface Sides {
  readonly postgres: Client;
  readonly clickhouse: Query;
  readonly pair: TablePair;
  readonly notCompared: readonly string[];
}

type Comparison = Omit<Verification, "source" | "target">;

async function compare(sides: Sides, deadline: number, signal?: AbortSignal): Promise<Comparison> {
  const { notCompared } = sides;
  for (;;) {
    const [postgres, clickhouse] = await Promise.all([
      digest(sides, "postgres"),
      digest(sides, "clickhouse"),
    ]);
    const equal = postgres.rows === clickhouse.rows && postgres.checksum === clickhouse.checksum;
    if (equal) return { equal, postgres, clickhouse, notCompared, differences: [] };
    if (Date.now() >= deadline || signal?.aborted)
      return { equal, postgres, clickhouse, notCompared, differences: await findDifferences(sides) };
    await sleep(300);
  }
}

async function digest(
  { pair, postgres, clickhouse }: Sides,
  side: "postgres" | "clickhouse",
): Promise<Digest> {
  const sql = digestSql(pair, side);
  const [row] =
    side === "postgres"
      ? (await postgres.query<{ rows: string; checksum: string }>(sql)).rows
      : await clickhouse<{ rows: string; checksum: string }>(sql);
  if (!row) throw new Error(`no answer to ${sql}`);
  return { rows: Number(row.rows), checksum: row.checksum };
}

const shownBuckets = 4;

async function findDifferences({ pair, postgres, clickhouse }: Sides): Promise<readonly RowDifference[]> {
  type Row = { key: string; hash: string };
  try {
    const here = (await postgres.query<BucketRow>(groupedDigestSql(pair, "postgres", "bucket"))).rows;
    const there = await clickhouse<BucketRow>(groupedDigestSql(pair, "clickhouse", "bucket"));
    const differing = differingBuckets(bucketsOf(here), bucketsOf(there));
    const found: RowDifference[] = [];
    for (const bucket of differing.slice(0, shownBuckets)) {
      const ours = (await postgres.query<Row>(rowsSql(pair, bucket, "postgres"))).rows;
      found.push(...differences(ours, await clickhouse<Row>(rowsSql(pair, bucket, "clickhouse"))));
    }
    return found;
  } catch (error) {
    // That they differ is known; not to know where is no reason to say less.
    return [{ key: `(${messageOf(error)})`, what: "different values" }];
  }
}
