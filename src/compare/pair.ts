import { identityColumns } from "../tables/catalog";
import type { CatalogTable } from "../tables/model";
import { literal, postgresName, quotedIdentifier } from "../tables/sql";
import { canonical } from "./canonical";
import type { TablePair } from "./digest";

/** Asks ClickHouse, in the pipeline's database; returns the rows. */
export type Query = <T = Record<string, unknown>>(sql: string) => Promise<readonly T[]>;

export interface ComparablePair {
  readonly pair: TablePair;
  /** Captured columns whose type has no common form. */
  readonly notCompared: readonly string[];
  /** Columns in Postgres, other than generated ones, that ClickHouse does not have: excluded, or added since. */
  readonly missing: readonly string[];
}

/**
 * How a table in Postgres is compared with a table or view in ClickHouse: by the columns that both have, in the forms
 * that both can write.
 * @param target name in ClickHouse, in `database`.
 */
export async function pairOf(
  table: CatalogTable,
  target: string,
  clickhouse: Query,
  database: string,
): Promise<ComparablePair> {
  const types = await clickhouse<{ name: string; type: string }>(
    `SELECT name, type FROM system.columns
     WHERE database = ${literal(database)} AND table = ${literal(target)}`,
  );
  const typeOf = new Map(types.map(({ name, type }) => [name, type]));
  const captured = table.columns.filter(({ name }) => typeOf.has(name));
  const forms = captured.map((column) => ({
    name: column.name,
    form: canonical(column.name, column.base, typeOf.get(column.name) as string),
  }));
  const columns = forms.flatMap(({ form }) => (form ? [form] : []));
  const key = keyOf(table).flatMap((name) => forms.find((one) => one.name === name)?.form ?? []);
  if (columns.length === 0)
    throw new Error(
      `${target}: ClickHouse has no column of ${table.schema}.${table.name} that can be compared`,
    );
  return {
    pair: {
      source: postgresName(`${table.schema}.${table.name}`),
      target: quotedIdentifier(target),
      columns,
      key: key.length > 0 ? key : columns,
    },
    notCompared: forms.filter(({ form }) => form === undefined).map(({ name }) => name),
    missing: table.columns
      .filter(({ name, generated }) => !generated && !typeOf.has(name))
      .map(({ name }) => name),
  };
}

/** The columns that identify a row, in the key's order. */
export function keyOf(table: CatalogTable): readonly string[] {
  return table.primaryKey.length > 0 ? table.primaryKey : identityColumns(table);
}
