import type { CatalogColumn, CatalogTable, CatalogType, CatalogTypeKind, ReplicaIdentity } from "./model";

/**
 * Turns the rows of `sql/postgres/catalog.sql` into tables, in the order of their names.
 * @param rows as the pg client returns them (JSON columns already parsed).
 * @throws Error that names every table that cannot be captured, and why.
 */
export function parseCatalog(rows: readonly unknown[]): CatalogTable[] {
  const problems: string[] = [];
  const tables: CatalogTable[] = [];
  for (const row of rows as readonly CatalogRow[]) {
    const problem = problemOf(row);
    if (problem) problems.push(`${row.requested}: ${problem}`);
    else tables.push(tableOf(row));
  }
  if (problems.length > 0) throw new Error(`cannot capture\n  ${problems.join("\n  ")}`);
  return tables.sort((a, b) => compare(qualifiedName(a), qualifiedName(b)));
}

/** `schema.table`, as in the configuration and in topic names. */
export function qualifiedName(table: { readonly schema: string; readonly name: string }): string {
  return `${table.schema}.${table.name}`;
}

/** The columns of a captured table that an update or delete sends with their old values. */
export function identityColumns(table: CatalogTable): readonly string[] {
  switch (table.replicaIdentity) {
    case "full":
      return table.columns.map((column) => column.name);
    case "index":
      return table.identityIndex;
    case "default":
      return table.primaryKeyIdentifies ? table.primaryKey : [];
    case "nothing":
      return [];
  }
}

interface CatalogRow {
  readonly requested: string;
  readonly oid: number;
  readonly schema: string | null;
  readonly name: string;
  readonly kind: string;
  readonly logged: boolean;
  readonly isPartition: boolean;
  readonly heirs: readonly string[];
  readonly replicaIdentity: ReplicaIdentity;
  readonly columns: readonly ColumnRow[] | null;
  readonly primaryKey: readonly string[];
  readonly primaryKeyIdentifies: boolean;
  readonly identityIndex: readonly string[];
}

interface ColumnRow {
  readonly name: string;
  readonly position: number;
  readonly types: readonly TypeStep[];
  readonly notNull: boolean;
  readonly toastable: boolean;
  readonly identity: "always" | "by default" | null;
  readonly generated: boolean;
  readonly default: string | null;
}

interface TypeStep {
  readonly schema: string;
  readonly name: string;
  readonly text: string;
  readonly kind: CatalogTypeKind;
  readonly typmod: number;
  readonly notNull: boolean;
  readonly labels: readonly string[] | null;
}

function problemOf(row: CatalogRow): string | undefined {
  if (row.schema === null) {
    return "there is no such table in Postgres; check the spelling (schema.table) or create it first";
  }
  if (row.kind !== "table" && row.kind !== "partitioned table") {
    return `it is a ${row.kind}; only tables and partitioned tables can be captured`;
  }
  if (row.isPartition) return "it is a partition; name the partitioned table instead";
  if (!row.logged) {
    return "it is unlogged or temporary, so its changes are not in the WAL; ALTER TABLE … SET LOGGED";
  }
  if (!row.columns?.length) return "it has no columns";
  return undefined;
}

function tableOf(row: CatalogRow): CatalogTable {
  return {
    oid: row.oid,
    schema: row.schema as string,
    name: row.name,
    partitioned: row.kind === "partitioned table",
    heirs: row.heirs,
    columns: (row.columns ?? []).map(columnOf),
    primaryKey: row.primaryKey,
    primaryKeyIdentifies: row.primaryKeyIdentifies,
    replicaIdentity: row.replicaIdentity,
    identityIndex: row.identityIndex,
  };
}

function columnOf(row: ColumnRow): CatalogColumn {
  const domains = row.types.filter((step) => step.kind === "domain").map((step) => step.text);
  const [declared] = row.types;
  return {
    name: row.name,
    position: row.position,
    type: declared?.text ?? "",
    base: typeOf(row.types),
    ...(domains.length > 0 && { domains }),
    notNull: row.notNull || (declared?.kind === "domain" && domainRefusesNull(row.types)),
    toastable: row.toastable,
    ...(row.identity && { identity: row.identity }),
    generated: row.generated,
    ...(row.default !== null && { default: row.default }),
  };
}

function domainRefusesNull(steps: readonly TypeStep[]): boolean {
  const end = steps.findIndex((step) => step.kind !== "domain");
  return steps.slice(0, end).some((step) => step.notNull);
}

function typeOf(steps: readonly TypeStep[]): CatalogType {
  const [step, ...rest] = steps;
  if (!step) throw new Error("Postgres's catalog returned a column without a type");
  if (step.kind === "domain") return typeOf(rest);
  return {
    schema: step.schema,
    name: step.name,
    kind: step.kind,
    ...modifiersOf(step),
    ...(step.labels && { labels: step.labels }),
    ...(step.kind === "array" && { element: typeOf(rest) }),
  };
}

/** What the type modifier says; encodings as in Postgres's own typmodin functions, e.g. numerictypmodin. */
function modifiersOf({
  schema,
  name,
  typmod,
}: TypeStep): Pick<CatalogType, "precision" | "scale" | "length"> {
  if (typmod < 0 || schema !== "pg_catalog") return {};
  switch (name) {
    case "numeric": {
      const packed = typmod - 4;
      // Eleven bits of scale, signed since Postgres 15.
      return { precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 1024) - 1024 };
    }
    case "varchar":
    case "bpchar":
      return { length: typmod - 4 };
    case "bit":
    case "varbit":
      return { length: typmod };
    case "time":
    case "timetz":
    case "timestamp":
    case "timestamptz":
      return { scale: typmod };
    case "interval":
      return (typmod & 0xffff) === 0xffff ? {} : { scale: typmod & 0xffff };
    default:
      return {};
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
