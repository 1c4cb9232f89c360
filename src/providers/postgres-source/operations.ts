import type { dynamic } from "@pulumi/pulumi";
import type { Client } from "pg";
import { messageOf, waitFor } from "../../lib/retry";
import { qualifiedName } from "../../tables";
import { changedProperties, driftOf } from "../drift";
import { HalfDoneError } from "../half-done";
import { keepsData } from "../keep-data";
import { type Relations, remadeTables } from "../relations";
import { driftIfUnreachable, goneIfManaged } from "../unreachable";
import { checkInputs } from "./check";
import { type ConnectOptions, canLogIn, codeOf, sqlState, withAdmin } from "./connection";
import { capturableTables, observe, type Reality, walPosition } from "./observe";
import { type Logins, planSource, type Step } from "./plan";
import { dropRoleStatements, removeSource } from "./remove";
import type { PostgresSourceInputs, PostgresSourceState } from "./types";
import { problemsOf, warningsOf } from "./validate";
import { cdcTables, markOf, wantedRoles } from "./wanted";

/** Longest wait for a server that should be there: to read, or to delete. */
const presentMs = 10_000;

const compared = [
  "host",
  "port",
  "database",
  "adminUser",
  "adminPassword",
  "ssl",
  "sslCa",
  "connector",
  "exporter",
  "agent",
  "app",
  "tables",
  "orderBy",
  "replicaIdentityFull",
  "publication",
  "slot",
  "managed",
  "startTimeoutSeconds",
  "statementTimeoutSeconds",
  "revision",
] as const;

export async function check(
  _olds: PostgresSourceInputs,
  news: PostgresSourceInputs,
): Promise<dynamic.CheckResult> {
  return checkInputs(news as unknown as Record<string, unknown>);
}

export async function diff(
  _id: string,
  olds: PostgresSourceState,
  news: PostgresSourceInputs,
): Promise<dynamic.DiffResult> {
  const changed = changedProperties({ ...olds }, { ...news }, compared);
  // A container of ours keeps its data when its address changes; another address of a server that is not ours is
  // taken for another server.
  const replaces = changed.filter(
    (name) =>
      name === "database" ||
      name === "publication" ||
      // The old slot must go, and the connector that reads from it before.
      name === "slot" ||
      (!news.managed && (name === "host" || name === "port")),
  );
  return {
    changes: changed.length > 0 || driftOf({ ...olds }).length > 0,
    replaces,
    // The new one may well be the old server under another name.
    deleteBeforeReplace: true,
  };
}

export async function create(inputs: PostgresSourceInputs): Promise<dynamic.CreateResult> {
  const id = newId(inputs);
  return { id, outs: await establish(id, inputs, undefined) };
}

export async function update(
  id: string,
  olds: PostgresSourceState,
  news: PostgresSourceInputs,
): Promise<dynamic.UpdateResult> {
  return { outs: await establish(id, news, olds) };
}

export function read(id: string, props: PostgresSourceState): Promise<dynamic.ReadResult> {
  return driftIfUnreachable(id, props, () =>
    withAdmin(props, optionsFor(props, presentMs), async (client) => {
      const reality = await observe(client, props);
      if (nothingIsLeft(props, reality)) return { id: "", props: {} };
      const logins = await tryLogins(props, reality);
      const drift = [
        ...reality.missingTables.map((table) => `table ${table} does not exist`),
        ...reality.problems,
        ...planSource(props, reality, logins).map(({ why }) => why),
      ];
      return { id, props: stateOf(props, reality, await relationsOf(client, reality, props), drift) };
    }),
  );
}

async function remove(_id: string, props: PostgresSourceState): Promise<void> {
  const what = `publication ${props.publication}, slot ${props.slot} and roles in database ${props.database}`;
  if (keepsData(what)) return;
  const removal = {
    what,
    managed: props.managed,
    gone: "Postgres does not answer any more; they go with its container and volume",
    left: `It still holds ${what}; a slot that nobody reads fills its disk`,
  };
  await goneIfManaged(removal, () =>
    withAdmin(props, optionsFor(props, presentMs), async (client) =>
      retryingLocks(client, async () => removeSource(client, props, await observe(client, props)), props),
    ),
  );
}

export { remove as delete };

/** A source that is made anew at the same place is another one: what was read from the one before is not in it. */
function newId({ host, port, database, publication, slot }: PostgresSourceInputs): string {
  return `${host}:${port}/${database}/${publication}/${slot}#${Date.now().toString(36)}`;
}

/** Makes Postgres hold what the inputs ask for, in one transaction, and drops roles that are not wanted any more. */
async function establish(
  id: string,
  inputs: PostgresSourceInputs,
  olds: PostgresSourceState | undefined,
): Promise<PostgresSourceState> {
  const changes = { begun: false };
  const leavingRoles = olds === undefined ? [] : usersThatLeave(olds, inputs);
  try {
    const options = optionsFor(inputs, inputs.startTimeoutSeconds * 1000);
    const state = await withAdmin(inputs, options, (client) =>
      retryingLocks(
        client,
        async () => {
          const reality = await observe(client, inputs);
          const logins = await tryLogins(inputs, reality);
          await refuseProblems(client, inputs, reality, logins);
          const leaving = await leavingStatements(client, inputs, leavingRoles);
          changes.begun = true;
          await inTransaction(client, [
            ...planSource(inputs, reality, logins).map(({ sql }) => sql),
            ...leaving,
          ]);
          return verified(client, inputs, olds);
        },
        inputs,
      ),
    );
    for (const warning of state.warnings) console.log(`warning: ${warning}`);
    return state;
  } catch (error) {
    if (!changes.begun) throw error;
    const drift = [`not finished: ${messageOf(error)}`];
    throw new HalfDoneError(id, { ...inputs, relations: olds?.relations, drift }, error);
  }
}

async function refuseProblems(
  client: Client,
  inputs: PostgresSourceInputs,
  reality: Reality,
  logins: Logins,
): Promise<void> {
  const candidates = reality.missingTables.length > 0 ? await capturableTables(client) : [];
  const problems = problemsOf(inputs, reality, logins, candidates);
  if (problems.length === 0) return;
  const where = `Postgres at ${inputs.host}:${inputs.port}, database ${inputs.database}`;
  throw new Error(`${where}, cannot be captured as configured:\n  - ${problems.join("\n  - ")}`);
}

function usersThatLeave(olds: PostgresSourceInputs, news: PostgresSourceInputs): string[] {
  const stay = new Set(wantedRoles(news, false).map(({ user }) => user));
  return wantedRoles(olds, false)
    .map(({ user }) => user)
    .filter((user) => !stay.has(user));
}

async function leavingStatements(
  client: Client,
  inputs: PostgresSourceInputs,
  users: readonly string[],
): Promise<string[]> {
  if (users.length === 0) return [];
  const asConnector = { ...inputs, exporter: undefined, agent: undefined, app: undefined };
  const statements: string[] = [];
  for (const user of users) {
    const reality = await observe(client, { ...asConnector, connector: { user, password: "" } });
    statements.push(...dropRoleStatements([user], reality, markOf(inputs)));
  }
  return statements;
}

/** Looks again after the change: what Postgres says now is what goes into the state. */
async function verified(
  client: Client,
  inputs: PostgresSourceInputs,
  olds: PostgresSourceState | undefined,
): Promise<PostgresSourceState> {
  const reality = await observe(client, inputs);
  const rest: Step[] = planSource(inputs, reality, await tryLogins(inputs, reality));
  if (rest.length > 0) {
    throw new Error(
      `Postgres took the changes, but still: ${rest.map(({ why }) => why).join("; ")}. ` +
        "Does somebody else change the same things, or does pg_hba.conf ask for another kind of password?",
    );
  }
  return stateOf(
    inputs,
    reality,
    await relationsOf(client, reality, { ...inputs, relations: olds?.relations }),
    [],
  );
}

/** Also keeps what is known of a table that is missing now, because it may be made again. */
async function relationsOf(
  client: Client,
  { catalog }: Reality,
  { tables, relations: before = {} }: Pick<PostgresSourceState, "tables" | "relations">,
): Promise<Relations> {
  const found: Relations = Object.fromEntries(
    catalog.map((table) => [
      qualifiedName(table),
      {
        oid: table.oid,
        columns: Object.fromEntries(table.columns.map(({ name, position }) => [name, position])),
      },
    ]),
  );
  const remade = remadeTables(before, found);
  const since = remade.length > 0 ? await walPosition(client) : undefined;
  return Object.fromEntries(
    tables.flatMap((table) => {
      const relation = found[table] ?? before[table];
      return relation
        ? [[table, { ...before[table], ...relation, ...(remade.includes(table) && { since }) }]]
        : [];
    }),
  );
}

function stateOf(
  inputs: PostgresSourceInputs,
  reality: Reality,
  relations: Relations,
  drift: readonly string[],
): PostgresSourceState {
  return {
    ...inputs,
    catalog: reality.catalog,
    relations,
    warnings: warningsOf(inputs, reality),
    drift,
    serverVersion: reality.server.version,
  };
}

async function tryLogins(inputs: PostgresSourceInputs, reality: Reality): Promise<Logins> {
  const roles = wantedRoles(inputs, reality.server.rds).filter(({ user }) => reality.roles[user]?.login);
  return Object.fromEntries(
    await Promise.all(roles.map(async (role) => [role.user, await canLogIn(inputs, role)] as const)),
  );
}

function nothingIsLeft(props: PostgresSourceState, reality: Reality): boolean {
  const mark = markOf(props);
  return (
    Object.values(reality.roles).every((role) => role.mark !== mark) &&
    cdcTables.every((table) => reality.cdcTables[table] !== mark) &&
    reality.publication?.mark !== mark
  );
}

async function inTransaction(client: Client, statements: readonly string[]): Promise<void> {
  if (statements.length === 0) return;
  await client.query("BEGIN");
  for (const sql of statements) await client.query(sql);
  await client.query("COMMIT");
}

/** Tries again while somebody else's transaction is in the way. */
function retryingLocks<T>(
  client: Client,
  work: () => Promise<T>,
  { host, port, statementTimeoutSeconds }: PostgresSourceInputs,
): Promise<T> {
  let last: unknown;
  return waitFor(
    async () => {
      try {
        return { value: await work() };
      } catch (error) {
        last = error;
        await client.query("ROLLBACK").catch(() => {});
        throw error;
      }
    },
    {
      what: `locks in Postgres at ${host}:${port}`,
      timeoutMs: statementTimeoutSeconds * 1000,
      isFatal: (error) => ![sqlState.lockTimeout, "40P01"].includes(codeOf(error) ?? ""),
    },
  ).then(
    ({ value }) => value,
    // Postgres's own words carry the code by which they are explained.
    () => Promise.reject(last),
  );
}

function optionsFor({ statementTimeoutSeconds }: PostgresSourceInputs, waitMs: number): ConnectOptions {
  return { waitMs, statementTimeoutMs: statementTimeoutSeconds * 1000 };
}
