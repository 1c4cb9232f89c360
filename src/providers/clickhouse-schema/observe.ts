import { createHash } from "node:crypto";
import type { ClickHouse } from "../../lib/clickhouse";
import type { ClickHouseColumn } from "../../tables";

/** A table or view that is there. */
export interface FoundObject {
  readonly name: string;
  readonly engine: string;
  readonly comment: string;
  readonly sortingKey: string;
  readonly partitionKey: string;
  readonly columns: readonly ClickHouseColumn[];
  /** Hash of its definition as ClickHouse prints it. */
  readonly fingerprint: string;
}

/** What there is in ClickHouse of all that the pipeline cares for. */
export interface Reality {
  /** The database's comment; undefined without a database. */
  readonly database?: { readonly comment: string };
  readonly objects: readonly FoundObject[];
}

/** Reads everything in a few queries; changes nothing. */
export async function observe(clickhouse: ClickHouse, database: string): Promise<Reality> {
  const [found] = await clickhouse.rows<{ comment: string }>(
    "SELECT comment FROM system.databases WHERE name = {database: String}",
    { database },
  );
  if (found === undefined) return { objects: [] };
  const tables = await clickhouse.rows<TableRow>(
    `SELECT name, engine, comment, sorting_key, partition_key, create_table_query
     FROM system.tables WHERE database = {database: String} ORDER BY name`,
    { database },
  );
  const columns = await clickhouse.rows<ColumnRow>(
    `SELECT table, name, type, default_kind, default_expression
     FROM system.columns WHERE database = {database: String} ORDER BY table, position`,
    { database },
  );
  return { database: found, objects: tables.map((table) => objectOf(table, columns)) };
}

interface TableRow {
  readonly name: string;
  readonly engine: string;
  readonly comment: string;
  readonly sorting_key: string;
  readonly partition_key: string;
  readonly create_table_query: string;
}

interface ColumnRow {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly default_kind: string;
  readonly default_expression: string;
}

function objectOf(table: TableRow, columns: readonly ColumnRow[]): FoundObject {
  return {
    name: table.name,
    engine: table.engine,
    comment: table.comment,
    sortingKey: table.sorting_key,
    partitionKey: table.partition_key,
    columns: columns
      .filter((column) => column.table === table.name)
      .map((column) => ({
        name: column.name,
        type: column.type,
        ...(column.default_kind !== "" && { default: column.default_expression }),
      })),
    fingerprint: createHash("sha256").update(table.create_table_query).digest("hex").slice(0, 16),
  };
}
