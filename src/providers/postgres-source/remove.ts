import { type Client, escapeIdentifier } from "pg";
import { codeOf, sqlState } from "./connection";
import type { Reality } from "./observe";
import { restoreSteps } from "./plan";
import { dropSlot } from "./slot";
import type { PostgresSourceInputs } from "./types";
import { cdcSchema, cdcTables, markOf, wantedRoles } from "./wanted";

/**
 * Removes what carries this stack's mark, and the slot. What was there before stays, replica identities go back to
 * what they were, and things that the roles own go to the administrator. What is gone already is no error.
 */
export async function removeSource(
  client: Client,
  inputs: PostgresSourceInputs,
  reality: Reality,
): Promise<void> {
  await dropSlot(client, inputs.slot, inputs.connector.user);
  const mark = markOf(inputs);
  await client.query("BEGIN");
  if (reality.publication?.mark === mark) {
    await client.query(`DROP PUBLICATION IF EXISTS ${escapeIdentifier(inputs.publication)}`);
  }
  const ownTables = cdcTables.filter((table) => reality.cdcTables[table] === mark);
  for (const { sql } of restoreSteps(reality.ledger, () => true)) await client.query(sql);
  for (const table of ownTables) await client.query(`DROP TABLE IF EXISTS ${table}`);
  if (reality.schemas[cdcSchema]?.mark === mark) await dropSchemaIfEmpty(client);
  const users = wantedRoles(inputs, reality.server.rds).map(({ user }) => user);
  for (const sql of dropRoleStatements(users, reality, mark)) await client.query(sql);
  await client.query("COMMIT");
}

/** Statements that drop those of the roles that carry the mark; what they own in this database goes to the administrator. */
export function dropRoleStatements(
  users: readonly string[],
  { roles, server }: Pick<Reality, "roles" | "server">,
  mark: string,
): string[] {
  return users
    .filter((user) => roles[user]?.mark === mark)
    .map(escapeIdentifier)
    .flatMap((name) => [
      // To hand over what a role owns, one must be a member of it; a superuser is one of every role.
      ...(server.superuser ? [] : [`GRANT ${name} TO CURRENT_USER`]),
      `REASSIGN OWNED BY ${name} TO CURRENT_USER`,
      // Nothing is owned any more: this takes back what was granted to the role.
      `DROP OWNED BY ${name}`,
      `DROP ROLE ${name}`,
    ]);
}

async function dropSchemaIfEmpty(client: Client): Promise<void> {
  await client.query("SAVEPOINT before_schema");
  try {
    await client.query(`DROP SCHEMA IF EXISTS ${cdcSchema} RESTRICT`);
  } catch (error) {
    if (codeOf(error) !== sqlState.dependentObjects) throw error;
    await client.query("ROLLBACK TO SAVEPOINT before_schema");
    console.log(`schema ${cdcSchema} holds tables that are not the pipeline's; it stays`);
  }
}
