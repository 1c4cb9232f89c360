import {
  type CapturedTable,
  type ClickHouseColumn,
  type ClickHouseObject,
  clickhouseObjects,
  definitionOf,
  evolutionOf,
  heartbeatTable,
  literal,
  objectMark,
  plainKey,
  qualified,
  qualifiedName,
  quotedIdentifier,
  tableObjectNames,
  widenedType,
} from "../../tables";
import type { FoundObject, Reality } from "./observe";
import { replayNames } from "./replay";
import type { ClickHouseSchemaInputs, Fingerprints } from "./types";

/** What is to be done for one table: the differences in words, and the statements that remove them. */
export interface SchemaStep {
  readonly why: readonly string[];
  readonly statements: readonly string[];
  /** Captured table whose events are to be read again, because stored rows lack what events have. */
  readonly replay?: string;
}

/** Objects that belong together: those of a captured table, or of the heartbeat. */
interface Group {
  readonly owner: string;
  readonly objects: readonly ClickHouseObject[];
}

/**
 * What is to be done so that ClickHouse holds what the inputs ask for. Empty when it does. The same plan serves to
 * create, to update and to tell drift.
 * @param fingerprints of the objects as they were made; one that has another now was changed by somebody else.
 * @param leaving tables' names in ClickHouse that are captured no longer.
 */
export function planSchema(
  inputs: ClickHouseSchemaInputs,
  reality: Reality,
  fingerprints: Fingerprints,
  leaving: readonly string[] = [],
): SchemaStep[] {
  const wanted = clickhouseObjects(inputs);
  const owners = [...new Set(wanted.map(({ owner }) => owner))];
  const groups = owners.map((owner) => ({ owner, objects: wanted.filter((one) => one.owner === owner) }));
  return [
    ...databaseSteps(inputs, reality),
    ...leaving.flatMap((target) => leavingSteps(inputs, reality, target, wanted)),
    ...groups.flatMap((group) => groupSteps(inputs, reality, fingerprints, group)),
  ];
}

/** Why ClickHouse cannot be made to hold what the inputs ask for, one sentence each. */
export function problemsOf(inputs: ClickHouseSchemaInputs, reality: Reality): string[] {
  return clickhouseObjects(inputs).flatMap((object) => {
    const found = foundOf(reality, object.name);
    if (!found) return [];
    if (!isOurs(found)) {
      return [
        `${found.engine} ${object.name} was there before, and the pipeline needs that name for itself: rename it, or ` +
          "give the captured table another target",
      ];
    }
    return object.columns.flatMap((column) => {
      const stored = found.columns.find(({ name }) => name === column.name);
      if (!stored || evolutionOf(stored.type, column.type) !== "refuse") return [];
      return [
        `column ${column.name} of ${object.name} is ${stored.type} and cannot become ${column.type} without losing ` +
          `values: set columns: {${JSON.stringify(column.name)}: ${JSON.stringify(withoutNullable(stored.type))}} for ` +
          "the table in cdc:tables to keep it, or take another target and a new snapshot to begin anew",
      ];
    });
  });
}

/**
 * Columns that a table is to have, and that were not captured until now. Events from before do not say what its rows
 * hold there: Postgres sends none for a column that is renamed, or filled with a default, nor where a column was left
 * out. That is so for some additions only, but the catalog does not tell which: a default may have gone since.
 */
export function gainedColumns(
  table: CapturedTable,
  reality: Reality,
  before: readonly CapturedTable[],
): string[] {
  const captured = before.find((one) => qualifiedName(one) === qualifiedName(table));
  // A column that is captured no longer stays in what is stored, but not in the view.
  const lists = [captured, foundOf(reality, table.target), foundOf(reality, `${table.target}_current`)]
    .filter((one) => one !== undefined)
    .map(({ columns }) => columns.map(({ name }) => name));
  return table.columns.map(({ name }) => name).filter((name) => lists.some((list) => !list.includes(name)));
}

export function isOurs({ comment }: { readonly comment: string }): boolean {
  return comment.startsWith(objectMark);
}

/** Names of all objects of ours that are there for these inputs, consumers first: the order in which they are dropped. */
export function droppable(inputs: ClickHouseSchemaInputs, reality: Reality): FoundObject[] {
  const wanted = clickhouseObjects(inputs);
  const names = [
    ...wanted.map(({ name }) => name),
    ...inputs.tables.flatMap(({ target }) => [...replayNames(target), ...nextNames(target)]),
  ];
  return inDropOrder(reality.objects.filter((found) => names.includes(found.name) && isOurs(found)));
}

export function dropStatement(database: string, { name, engine }: FoundObject): string {
  const kind = engine === "View" || engine === "MaterializedView" ? "VIEW" : "TABLE";
  // SYNC: a consumer has ended, and its last block is committed or not taken at all, before the next statement runs.
  return `DROP ${kind} IF EXISTS ${qualified(database, name)} SYNC`;
}

function inDropOrder(found: readonly FoundObject[]): FoundObject[] {
  const rank = ({ engine }: FoundObject) =>
    engine === "Kafka" ? 0 : engine === "MaterializedView" ? 1 : engine === "View" ? 2 : 3;
  return [...found].sort((a, b) => rank(a) - rank(b));
}

function withoutNullable(type: string): string {
  return /^Nullable\((.*)\)$/.exec(type)?.[1] ?? type;
}

export function foundOf(reality: Reality, name: string): FoundObject | undefined {
  return reality.objects.find((found) => found.name === name);
}

function databaseSteps({ database }: ClickHouseSchemaInputs, reality: Reality): SchemaStep[] {
  if (reality.database !== undefined) return [];
  return [
    {
      why: [`database ${database} does not exist`],
      statements: [
        `CREATE DATABASE IF NOT EXISTS ${quotedIdentifier(database)} COMMENT ${literal(objectMark)}`,
      ],
    },
  ];
}

function leavingSteps(
  { database }: ClickHouseSchemaInputs,
  reality: Reality,
  target: string,
  wanted: readonly ClickHouseObject[],
): SchemaStep[] {
  const names = [...tableObjectNames(target), ...replayNames(target), ...nextNames(target)].filter(
    (name) => !wanted.some((object) => object.name === name),
  );
  const left = inDropOrder(reality.objects.filter((found) => names.includes(found.name) && isOurs(found)));
  if (left.length === 0) return [];
  return [
    {
      why: [`${left.map(({ name }) => name).join(", ")}: the table is captured no longer`],
      statements: left.map((found) => dropStatement(database, found)),
    },
  ];
}

function groupSteps(
  inputs: ClickHouseSchemaInputs,
  reality: Reality,
  fingerprints: Fingerprints,
  { owner, objects }: Group,
): SchemaStep[] {
  const stored = objects.filter(({ kind }) => kind === "stored");
  const flow = objects.filter(({ kind }) => kind === "flow");
  const storedChanges = stored.map((object) => storedChange(inputs.database, object, reality));
  const why = [
    ...storedChanges.flatMap((change) => change.why),
    ...flow.flatMap((object) => flowDifference(object, reality, fingerprints)),
  ];
  const unfinished = replayNames(owner).some((name) => foundOf(reality, name));
  if (why.length === 0 && !unfinished) return [];
  const isNew = stored.every(({ name }) => !foundOf(reality, name));
  const replays =
    unfinished ||
    (!isNew && storedChanges.some(({ addsValues }) => addsValues)) ||
    wasDemanded(inputs, reality, owner);
  return [
    {
      why: why.length > 0 ? why : [`events of ${owner} have not all been read again`],
      statements: why.length === 0 ? [] : rebuild(inputs.database, flow, storedChanges, reality),
      ...(replays && owner !== heartbeatTable.target && { replay: owner }),
    },
  ];
}

/** Whether Postgres has dropped a column without which events have gone to the errors until now. */
function wasDemanded({ tables, kept }: ClickHouseSchemaInputs, reality: Reality, owner: string): boolean {
  const table = tables.find(({ target }) => target === owner);
  const dropped = (table && kept?.[qualifiedName(table)]) ?? [];
  // What was dropped before is in the view no longer.
  const shown = foundOf(reality, owner)?.columns ?? [];
  return dropped.some(
    (column) =>
      !column.nullable && column.default === undefined && shown.some(({ name }) => name === column.name),
  );
}

/** Stops the consumers, alters what is stored, and makes queue and views anew: the offsets in Kafka keep the position. */
function rebuild(
  database: string,
  flow: readonly ClickHouseObject[],
  storedChanges: readonly StoredChange[],
  reality: Reality,
): string[] {
  const isPlainView = ({ create }: ClickHouseObject) => create.startsWith("CREATE VIEW");
  // A plain view is replaced in place, so that whoever reads it never finds it missing.
  const there = flow
    .filter((object) => !isPlainView(object))
    .flatMap(({ name }) => foundOf(reality, name) ?? []);
  return [
    ...inDropOrder(there).map((found) => dropStatement(database, found)),
    ...storedChanges.flatMap(({ statements }) => statements),
    ...flow.map((object) =>
      isPlainView(object) ? object.create.replace("CREATE VIEW", "CREATE OR REPLACE VIEW") : object.create,
    ),
  ];
}

function flowDifference(object: ClickHouseObject, reality: Reality, fingerprints: Fingerprints): string[] {
  const found = foundOf(reality, object.name);
  if (!found) return [`${object.name} does not exist`];
  if (!found.comment.endsWith(object.definition)) return [`${object.name} has another definition`];
  const made = fingerprints[object.name];
  return made === undefined || made === found.fingerprint
    ? []
    : [`${object.name} was altered by somebody else`];
}

interface StoredChange {
  readonly why: readonly string[];
  readonly statements: readonly string[];
  /** Whether rows that are stored may lack values that their events have. */
  readonly addsValues: boolean;
}

function storedChange(database: string, object: ClickHouseObject, reality: Reality): StoredChange {
  const found = foundOf(reality, object.name);
  if (!found)
    return { why: [`${object.name} does not exist`], statements: [object.create], addsValues: true };
  const differences = layoutDifferences(object, found);
  const added = object.columns.filter((column) => !columnOf(found, column.name));
  const widened = object.columns.filter((column) => {
    const stored = columnOf(found, column.name);
    return stored !== undefined && evolutionOf(stored.type, column.type) === "widen";
  });
  const inKey = widened.filter((column) => keyColumns(object).includes(column.name));
  const why = [
    ...differences,
    ...added.map(({ name }) => `${object.name} has no column ${name}`),
    ...widened.map(
      ({ name, type }) =>
        `column ${name} of ${object.name} is ${columnOf(found, name)?.type} instead of ${type}`,
    ),
  ];
  if (why.length === 0) return { why, statements: [], addsValues: false };
  const statements =
    differences.length > 0 || inKey.length > 0
      ? copyStatements(database, object, found)
      : alterStatements(database, object, found, added, widened);
  return { why, statements, addsValues: added.length + widened.length > 0 };
}

function columnOf(found: FoundObject, name: string): ClickHouseColumn | undefined {
  return found.columns.find((column) => column.name === name);
}

function keyColumns({ layout }: ClickHouseObject): string[] {
  return [...(layout?.sortingKey ?? "").split(","), ...(layout?.partitionKey ?? "").split(",")];
}

function layoutDifferences({ name, layout }: ClickHouseObject, found: FoundObject): string[] {
  if (!layout) return [];
  const differences: string[] = [];
  // A cluster's Replicated… engine, or a cloud's Shared… one, is the same to us.
  if (found.engine.replace(/^(Replicated|Shared)/, "") !== layout.engine)
    differences.push(`${name} has engine ${found.engine} instead of ${layout.engine}`);
  if (plainKey(found.sortingKey) !== layout.sortingKey)
    differences.push(`${name} is ordered by ${found.sortingKey} instead of ${layout.sortingKey}`);
  if (plainKey(found.partitionKey) !== layout.partitionKey)
    differences.push(
      `${name} is partitioned by ${found.partitionKey || "nothing"} instead of ${layout.partitionKey || "nothing"}`,
    );
  return differences;
}

function alterStatements(
  database: string,
  object: ClickHouseObject,
  found: FoundObject,
  added: readonly ClickHouseColumn[],
  widened: readonly ClickHouseColumn[],
): string[] {
  const alter = `ALTER TABLE ${qualified(database, object.name)}`;
  return [
    ...added.map((column) => {
      const index = object.columns.indexOf(column);
      const place =
        index === 0 ? "FIRST" : `AFTER ${quotedIdentifier(object.columns[index - 1]?.name ?? "")}`;
      return `${alter} ADD COLUMN IF NOT EXISTS ${definitionOf(column)} ${place}`;
    }),
    ...widened.map((column) => {
      const type = widenedType(columnOf(found, column.name)?.type ?? "", column.type);
      // Without a default: rows from before the column have the one that was true then.
      return `${alter} MODIFY COLUMN ${definitionOf({ name: column.name, type, ...(column.codec && { codec: column.codec }) })}`;
    }),
    `${alter} MODIFY COMMENT ${literal(`${objectMark}, definition ${object.definition}`)}`,
  ];
}

const nextSuffix = "__next";

function nextNames(target: string): string[] {
  return tableObjectNames(target).map((name) => `${name}${nextSuffix}`);
}

/** What a key holds cannot be altered: the table is copied, and takes the old one's place in one step. */
function copyStatements(database: string, object: ClickHouseObject, found: FoundObject): string[] {
  const next = `${object.name}${nextSuffix}`;
  const [table, copy] = [qualified(database, object.name), qualified(database, next)];
  const kept = found.columns.filter(({ name }) => !object.columns.some((column) => column.name === name));
  const common = found.columns.map(({ name }) => quotedIdentifier(name)).join(", ");
  return [
    `DROP TABLE IF EXISTS ${copy} SYNC`,
    object.create.replace(table, copy),
    ...kept.map((column) => `ALTER TABLE ${copy} ADD COLUMN ${definitionOf(column)}`),
    `INSERT INTO ${copy} (${common}) SELECT ${common} FROM ${table}`,
    `EXCHANGE TABLES ${table} AND ${copy}`,
    `DROP TABLE ${copy} SYNC`,
  ];
}
