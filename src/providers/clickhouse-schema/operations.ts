import type { dynamic } from "@pulumi/pulumi";
import {
  type ClickHouse,
  type ClickHouseConnection,
  type ClickHouseOptions,
  withClickHouse,
} from "../../lib/clickhouse";
import { withoutCredentials } from "../../lib/http";
import { messageOf } from "../../lib/retry";
import { type CapturedTable, literal, qualified, qualifiedName, quotedIdentifier } from "../../tables";
import { type Births, keptBirth } from "../births";
import { changedProperties, driftOf } from "../drift";
import { HalfDoneError } from "../half-done";
import { keepsData } from "../keep-data";
import { type Relations, remadeTables } from "../relations";
import { isUnknown } from "../unknown";
import { driftIfUnreachable, goneIfManaged } from "../unreachable";
import { checkInputs } from "./check";
import { keptColumns } from "./kept";
import { observe, type Reality } from "./observe";
import { droppable, dropStatement, foundOf, gainedColumns, isOurs, planSchema, problemsOf } from "./plan";
import { replay } from "./replay";
import type { ClickHouseSchemaInputs, ClickHouseSchemaState, Fingerprints } from "./types";

/** Longest wait for a server that should be there: to read, or to delete. */
const presentMs = 10_000;

/** Longest run of a statement: a table whose key changes is copied. */
const statementMs = 6 * 3600_000;

const compared = [
  "url",
  "user",
  "password",
  "database",
  "tables",
  "relations",
  "brokers",
  "topicPrefix",
  "consumerGroup",
  "consumers",
  "managed",
  "startTimeoutSeconds",
  "revision",
] as const;

export async function check(
  _olds: ClickHouseSchemaInputs,
  news: ClickHouseSchemaInputs,
): Promise<dynamic.CheckResult> {
  return checkInputs(news as unknown as Record<string, unknown>);
}

export async function diff(
  _id: string,
  olds: ClickHouseSchemaState,
  news: ClickHouseSchemaInputs,
): Promise<dynamic.DiffResult> {
  // Not known before the tables are looked at: then they will most likely be the same.
  const relations = isUnknown(news.relations) ? olds.relations : news.relations;
  const changed = changedProperties({ ...olds }, { ...news, relations }, compared);
  return {
    changes: changed.length > 0 || driftOf({ ...olds }).length > 0,
    // A container of ours keeps its data when its address changes; another address of a server that is not ours is
    // taken for another server.
    replaces: changed.filter((name) => name === "database" || (name === "url" && !news.managed)),
    // Two would share the partitions of one consumer group.
    deleteBeforeReplace: true,
  };
}

export async function create(inputs: ClickHouseSchemaInputs): Promise<dynamic.CreateResult> {
  return { id: inputs.database, outs: await establish(inputs, undefined) };
}

export async function update(
  _id: string,
  olds: ClickHouseSchemaState,
  news: ClickHouseSchemaInputs,
): Promise<dynamic.UpdateResult> {
  return { outs: await establish(news, olds) };
}

export function read(id: string, props: ClickHouseSchemaState): Promise<dynamic.ReadResult> {
  return driftIfUnreachable(id, props, () =>
    withClickHouse(serverOf(props), optionsFor(presentMs), async (clickhouse) => {
      const reality = await observe(clickhouse, props.database);
      if (!reality.objects.some(isOurs)) return { id: "", props: {} };
      const drift = planSchema(props, reality, props.fingerprints ?? {}).flatMap(({ why }) => why);
      return { id, props: { ...props, drift: [...problemsOf(props, reality), ...drift] } };
    }),
  );
}

async function remove(_id: string, props: ClickHouseSchemaState): Promise<void> {
  const { database, url, managed } = props;
  const what = `tables and views of the pipeline in database ${database} of ClickHouse at ${withoutCredentials(url)}`;
  if (keepsData(what)) return;
  const removal = {
    what,
    managed,
    gone: "ClickHouse does not answer any more; they go with its container and volume",
    left: `It still holds the ${what}`,
  };
  await goneIfManaged(removal, () =>
    withClickHouse(serverOf(props), optionsFor(presentMs), async (clickhouse) => {
      const reality = await observe(clickhouse, database);
      for (const found of droppable(props, reality)) await clickhouse.run(dropStatement(database, found));
      await dropEmptyDatabase(clickhouse, database, reality);
    }),
  );
}

export { remove as delete };

/** Without the database: the server refuses all that is asked with one that does not exist yet. */
function serverOf({ url, user, password }: ClickHouseSchemaInputs): ClickHouseConnection {
  return { url, user, password };
}

/** Makes ClickHouse hold what the inputs ask for, and looks at the result. */
async function establish(
  inputs: ClickHouseSchemaInputs,
  olds: ClickHouseSchemaState | undefined,
): Promise<ClickHouseSchemaState> {
  const changes = { begun: false, births: olds?.births ?? {}, kept: olds?.kept ?? {} };
  const stay = new Set(inputs.tables.map(({ target }) => target));
  const leaving = (olds?.tables ?? []).map(({ target }) => target).filter((target) => !stay.has(target));
  try {
    return await withClickHouse(
      serverOf(inputs),
      optionsFor(inputs.startTimeoutSeconds * 1000),
      async (clickhouse) => {
        const reality = await observe(clickhouse, inputs.database);
        changes.kept = keptColumns(inputs, olds, reality);
        const wanted = { ...inputs, kept: changes.kept };
        refuseProblems(wanted, reality);
        changes.births = birthsOf(inputs, reality, olds);
        const steps = planSchema(wanted, reality, olds?.fingerprints ?? {}, leaving);
        for (const { statements, replay: target } of steps) {
          changes.begun = true;
          for (const sql of statements) await clickhouse.run(sql);
          if (target !== undefined) await replay(clickhouse, wanted, target);
        }
        changes.begun ||= remadeTables(olds?.relations, inputs.relations).length > 0;
        await truncateRemade(clickhouse, inputs, olds);
        return { ...(await verified(clickhouse, wanted)), births: changes.births };
      },
    );
  } catch (error) {
    if (!changes.begun) throw error;
    throw new HalfDoneError(
      inputs.database,
      {
        ...inputs,
        // What leaves is still to be dropped by the next update.
        tables: [...inputs.tables, ...(olds?.tables ?? []).filter(({ target }) => leaving.includes(target))],
        fingerprints: {},
        // And a table that was made again is still to be truncated.
        relations: olds?.relations,
        births: changes.births,
        kept: changes.kept,
        drift: [`not finished: ${messageOf(error)}`],
      },
      error,
    );
  }
}

/**
 * Before anything is made: what is not there yet will have been made now, and what lacks rows or values counts as made
 * now, so that they are sent.
 */
function birthsOf(
  { tables, relations }: ClickHouseSchemaInputs,
  reality: Reality,
  olds: ClickHouseSchemaState | undefined,
): Births {
  const now = new Date().toISOString();
  return Object.fromEntries(
    tables.map((table) => {
      const name = qualifiedName(table);
      const isWhole =
        foundOf(reality, `${table.target}_current`) !== undefined &&
        gainedColumns(table, reality, olds?.tables ?? []).length === 0 &&
        !isAnother(table, relations, olds?.relations);
      return [name, isWhole ? (olds?.births?.[name] ?? keptBirth) : now];
    }),
  );
}

/** Whether rows and columns of before may have other values in Postgres, of which it has sent no event. */
function isAnother(table: CapturedTable, now: Relations = {}, before: Relations = {}): boolean {
  const name = qualifiedName(table);
  const [columns, known] = [now[name]?.columns ?? {}, before[name]?.columns ?? {}];
  return (
    remadeTables(before, now).includes(name) ||
    table.columns.some((column) => (known[column.name] ?? columns[column.name]) !== columns[column.name])
  );
}

/** Postgres sends no truncate for a table that is dropped and made again: its rows go from the current state by this one. */
async function truncateRemade(
  clickhouse: ClickHouse,
  { database, tables, relations }: ClickHouseSchemaInputs,
  olds: ClickHouseSchemaState | undefined,
): Promise<void> {
  const remade = remadeTables(olds?.relations, relations);
  for (const table of tables.filter((one) => remade.includes(qualifiedName(one)))) {
    const { since } = relations?.[qualifiedName(table)] ?? {};
    if (since === undefined) continue;
    console.log(`${qualifiedName(table)} was dropped in Postgres and made again: its rows are read anew`);
    // All versions of the table before are lower, also of events that are still on their way.
    await clickhouse.run(
      `INSERT INTO ${qualified(database, `${table.target}_bounds`)}
         (operation, _committed_at, _version, _generation, _partition, _offset)
       SELECT 't', now64(6), bitShiftLeft(toUInt128(${literal(since)}), 64), max(_generation), 0, 0
       FROM ${qualified(database, `${table.target}_current`)} HAVING count() > 0`,
    );
  }
}

function refuseProblems(inputs: ClickHouseSchemaInputs, reality: Reality): void {
  const problems = problemsOf(inputs, reality);
  if (problems.length === 0) return;
  throw new Error(
    `ClickHouse at ${withoutCredentials(inputs.url)}, database ${inputs.database}, cannot take the tables as configured:\n` +
      problems.map((problem) => `  - ${problem}`).join("\n"),
  );
}

/** Looks again after the change: what ClickHouse says now is what goes into the state. */
async function verified(
  clickhouse: ClickHouse,
  inputs: ClickHouseSchemaInputs,
): Promise<ClickHouseSchemaState> {
  const reality = await observe(clickhouse, inputs.database);
  const fingerprints = fingerprintsOf(reality);
  const rest = planSchema(inputs, reality, fingerprints).flatMap(({ why }) => why);
  if (rest.length > 0) {
    throw new Error(
      `ClickHouse took the changes, but still: ${rest.join("; ")}. Does somebody else change the same tables?`,
    );
  }
  return { ...inputs, fingerprints, drift: [] };
}

function fingerprintsOf({ objects }: Reality): Fingerprints {
  return Object.fromEntries(
    objects
      .filter((found) => isOurs(found) && !found.engine.endsWith("MergeTree"))
      .map(({ name, fingerprint }) => [name, fingerprint]),
  );
}

/** The database goes with its last table, if the pipeline made it. */
async function dropEmptyDatabase(clickhouse: ClickHouse, database: string, reality: Reality): Promise<void> {
  if (reality.database === undefined || !isOurs(reality.database)) return;
  const { objects } = await observe(clickhouse, database);
  if (objects.length === 0)
    await clickhouse.run(`DROP DATABASE IF EXISTS ${quotedIdentifier(database)} SYNC`);
}

function optionsFor(waitMs: number): ClickHouseOptions {
  return { waitMs, statementTimeoutMs: statementMs };
}
