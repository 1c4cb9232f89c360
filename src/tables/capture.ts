import { qualifiedName } from "./catalog";
import { capturedType, constantDefault, overriddenType } from "./contract";
import type { CapturedColumn, CapturedTable, CatalogColumn, CatalogTable, TableSettings } from "./model";
import { nestedName, reservedColumns, tableObjectNames } from "./names";
import { heartbeatTable } from "./own";

/**
 * Joins what Postgres's catalog says with what the configuration asks for.
 * @throws Error that lists everything that cannot be captured as configured, with what to do about it.
 */
export function captureTables(
  catalog: readonly CatalogTable[],
  settings: readonly TableSettings[],
): CapturedTable[] {
  const problems: string[] = [];
  const captured = settings.flatMap((one) => {
    const table = catalog.find((candidate) => qualifiedName(candidate) === one.table);
    if (table) return [captureTable(table, one, (problem) => problems.push(`${one.table}: ${problem}`))];
    problems.push(`${one.table}: there is no such table in Postgres; check the spelling (schema.table)`);
    return [];
  });
  problems.push(...clashes(captured));
  if (problems.length === 0) return captured;
  throw new Error(
    `tables cannot be captured as configured:\n${problems.map((problem) => `  - ${problem}`).join("\n")}\n` +
      "Settings of a table are in cdc:tables; docs/type-contract.md has the types",
  );
}

type Report = (problem: string) => void;

function captureTable(table: CatalogTable, settings: TableSettings, report: Report): CapturedTable {
  const excluded = [
    ...(settings.exclude ?? []),
    // Postgres (before 18) does not send generated columns: they can be computed again from the others.
    ...table.columns.filter(({ generated }) => generated).map(({ name }) => name),
  ];
  const columns = table.columns
    .filter(({ name }) => !excluded.includes(name))
    .flatMap((column) => captureColumn(column, settings.columns?.[column.name], report));
  const { primaryKey } = table;
  const orderBy = settings.orderBy ?? primaryKey;
  if (primaryKey.length === 0) {
    report("it has no primary key, so its rows cannot be told apart; ALTER TABLE … ADD PRIMARY KEY (…)");
  }
  if (columns.length === 0) report("no column is left to capture");
  reportUnknown("columns", Object.keys(settings.columns ?? {}), table, excluded, report);
  reportUnknown("orderBy", orderBy, table, excluded, report);
  reportUnknown("exclude", settings.exclude ?? [], table, [], report);
  for (const name of primaryKey.filter((name) => excluded.includes(name))) {
    report(`column ${name} is of the primary key and cannot be left out`);
  }
  for (const name of orderBy.filter((name) => columns.some((one) => one.name === name && one.nullable))) {
    report(`column ${name} may be NULL and cannot order the change log; leave it out of orderBy`);
  }
  for (const name of orderBy.filter((name) =>
    columns.some((one) => one.name === name && one.rule === "array"),
  )) {
    report(`column ${name} is an array and cannot order the change log; leave it out of orderBy`);
  }
  reportNested(columns, report);
  return {
    schema: table.schema,
    name: table.name,
    target: settings.target ?? table.name,
    columns,
    excluded: [...new Set(excluded)],
    primaryKey,
    orderBy,
  };
}

function captureColumn(
  column: CatalogColumn,
  override: string | undefined,
  report: Report,
): CapturedColumn[] {
  const { name, type: sourceType, toastable } = column;
  if (reservedColumns.test(name)) {
    report(`column ${name} has a name that the pipeline's own tables use; add it to the table's exclude`);
    return [];
  }
  const own = capturedType(column);
  if ("problem" in own) {
    report(`column ${name} (${sourceType}): ${own.problem}; add it to the table's exclude`);
    return [];
  }
  const type = override === undefined ? own : overriddenType(own, override);
  if ("problem" in type) {
    report(`column ${name} (${sourceType}): ${type.problem}`);
    return [];
  }
  const constant = constantDefault(column, type);
  return [
    {
      name,
      sourceType,
      ...type,
      nullable: !column.notNull,
      toastable,
      ...(constant !== undefined && { default: constant }),
    },
  ];
}

/** A row whose parts of a Nested column differ in length would stop the consumer for good (seen in ClickHouse 26.7). */
function reportNested(columns: readonly CapturedColumn[], report: Report): void {
  const arrays = columns.filter(({ rule }) => rule === "array").map(({ name }) => name);
  for (const nested of new Set(arrays.flatMap((name) => nestedName(name) ?? []))) {
    const parts = arrays.filter((name) => name === nested || nestedName(name) === nested);
    if (parts.length > 1) {
      report(
        `columns ${parts.join(", ")} are arrays that ClickHouse takes for one Nested column "${nested}", whose parts are ` +
          "all of one length; add all but one to the table's exclude, or give them the type String in columns",
      );
    }
  }
}

function reportUnknown(
  setting: string,
  names: readonly string[],
  table: CatalogTable,
  excluded: readonly string[],
  report: Report,
): void {
  const known = table.columns.map(({ name }) => name).filter((name) => !excluded.includes(name));
  const strangers = names.filter((name) => !known.includes(name));
  if (strangers.length > 0) {
    report(`${setting}: there is no captured column ${strangers.join(", ")}; there are ${known.join(", ")}`);
  }
}

/** Tables whose objects in ClickHouse would have the same names. */
function clashes(tables: readonly CapturedTable[]): string[] {
  const owners = new Map<string, string>([
    ...["", "_queue", "_mv"].map(
      (suffix) => [`${heartbeatTable.target}${suffix}`, "the pipeline's own heartbeat"] as const,
    ),
  ]);
  return tables.flatMap((table) => {
    const own = qualifiedName(table);
    return tableObjectNames(table.target).flatMap((name) => {
      const other = owners.get(name);
      owners.set(name, own);
      return other && other !== own
        ? [`${own}: "${name}" in ClickHouse would belong to ${other} too; give the table another target`]
        : [];
    });
  });
}
