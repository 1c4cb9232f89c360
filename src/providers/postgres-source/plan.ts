import { escapeIdentifier, escapeLiteral } from "pg";
import { readProjectFile } from "../../lib/paths";
import { postgresName } from "../../tables";
import { identityWishes } from "./identity";
import type { IdentityFacts, PublicationFacts, ReaderGrant, Reality } from "./observe";
import { scramVerifier } from "./scram";
import type { PostgresSourceInputs } from "./types";
import {
  cdcSchema,
  cdcTables,
  ledgerTable,
  markOf,
  type Privilege,
  publishedTables,
  type WantedRole,
  wantedPrivileges,
  wantedRoles,
} from "./wanted";

/** One difference between what is wanted and what is there, and the statement that removes it. */
export interface Step {
  /** The difference in words; shown as drift after a refresh. */
  readonly why: string;
  readonly sql: string;
}

/** By role: whether its password is the wanted one; undefined when that cannot be tried from here. */
export type Logins = Readonly<Record<string, boolean | undefined>>;

/**
 * What is to be done in Postgres so that it holds what the inputs ask for. Empty when it does. The same plan serves to
 * create, to update and to tell drift.
 */
export function planSource(inputs: PostgresSourceInputs, reality: Reality, logins: Logins): Step[] {
  return [
    ...wantedRoles(inputs, reality.server.rds).flatMap((role) => roleSteps(inputs, role, reality, logins)),
    ...schemaSteps(inputs, reality),
    ...ownerSteps(inputs, reality),
    ...privilegeSteps(inputs, reality),
    ...publicationSteps(inputs, reality.publication),
    ...identitySteps(inputs, reality),
  ];
}

function roleSteps(
  inputs: PostgresSourceInputs,
  role: WantedRole,
  { roles, server }: Reality,
  logins: Logins,
): Step[] {
  const mark = markOf(inputs);
  const name = escapeIdentifier(role.user);
  const found = roles[role.user];
  const memberships = role.memberOf
    .filter((group) => !found?.memberOf.includes(group))
    .map((group) => ({
      why: `role ${role.user} is not a member of ${group}`,
      sql: `GRANT ${escapeIdentifier(group)} TO ${name}`,
    }));
  const attributes = `LOGIN ${role.replication ? "REPLICATION" : server.rds ? "" : "NOREPLICATION"}`.trim();
  if (found === undefined) {
    return [
      {
        why: `role ${role.user} does not exist`,
        sql:
          `CREATE ROLE ${name} ${attributes} PASSWORD ${escapeLiteral(scramVerifier(role.password))};\n` +
          `COMMENT ON ROLE ${name} IS ${escapeLiteral(mark)}`,
      },
      ...memberships,
    ];
  }
  // A role that was there before is used as it is; validation has said what it lacks.
  if (found.mark !== mark) return [];
  const steps: Step[] = [];
  if (!found.login || found.replication !== role.replication || found.elevated) {
    // Some of these attributes only a superuser may name, even to say no.
    const no = server.superuser ? " NOSUPERUSER NOCREATEROLE NOCREATEDB NOBYPASSRLS" : "";
    steps.push({
      why: `role ${role.user} has other attributes than ${attributes}`,
      sql: `ALTER ROLE ${name} ${attributes}${no}`,
    });
  }
  if (logins[role.user] === false) {
    steps.push({
      why: `role ${role.user} has another password`,
      sql: `ALTER ROLE ${name} PASSWORD ${escapeLiteral(scramVerifier(role.password))}`,
    });
  }
  return [...steps, ...memberships];
}

function schemaSteps(inputs: PostgresSourceInputs, reality: Reality): Step[] {
  const mark = escapeLiteral(markOf(inputs));
  const missing = cdcTables.filter((table) => !(table in reality.cdcTables));
  if (missing.length === 0) return [];
  const comments = missing.map((table) => `COMMENT ON TABLE ${table} IS ${mark}`);
  const schemaIsNew = !(cdcSchema in reality.schemas);
  if (schemaIsNew) comments.push(`COMMENT ON SCHEMA ${cdcSchema} IS ${mark}`);
  return [
    {
      why: schemaIsNew
        ? `schema ${cdcSchema} does not exist`
        : `${missing.join(", ")} ${missing.length > 1 ? "do" : "does"} not exist`,
      sql: [readProjectFile("sql", "postgres", "cdc.sql"), ...comments].join(";\n"),
    },
  ];
}

function ownerSteps(inputs: PostgresSourceInputs, reality: Reality): Step[] {
  const { app } = inputs;
  if (!app) return [];
  const owner = escapeIdentifier(app.user);
  return [
    ...app.schemas
      .filter((schema) => reality.schemas[schema]?.owner !== app.user)
      .map((schema) => ({
        why: `schema ${schema} does not belong to ${app.user}`,
        sql: `ALTER SCHEMA ${escapeIdentifier(schema)} OWNER TO ${owner}`,
      })),
    ...reality.appRelations.map(({ schema, name, kind }) => ({
      why: `${schema}.${name} does not belong to ${app.user}`,
      sql: `ALTER ${kind} ${escapeIdentifier(schema)}.${escapeIdentifier(name)} OWNER TO ${owner}`,
    })),
  ];
}

function privilegeSteps(inputs: PostgresSourceInputs, reality: Reality): Step[] {
  const wanted = wantedPrivileges(inputs);
  // What a role that is not ours lacks on things that are not ours is for its owner to grant; validation has said so.
  const grants = [
    ...wanted.filter(({ user }) => !(user in reality.roles)),
    ...reality.missingPrivileges.filter(
      ({ user, kind, object }) => isOurRole(inputs, reality, user) || isCdcObject(kind, object),
    ),
  ].map((privilege) => ({
    why: `role ${privilege.user} lacks ${privilege.privilege} on ${privilege.kind} ${privilege.object}`,
    sql: `GRANT ${onObject(privilege)} TO ${escapeIdentifier(privilege.user)}`,
  }));
  const isWanted = (grant: ReaderGrant) =>
    wanted.some(
      ({ kind, user, object, privilege }) =>
        kind === "table" &&
        user === grant.user &&
        object === grant.object &&
        (privilege as string) === grant.privilege,
    );
  return [
    ...grants,
    ...reality.readerGrants
      .filter((grant) => isOurRole(inputs, reality, grant.user) && !isWanted(grant))
      .map(({ user, object, privilege }) => ({
        why: `role ${user} has ${privilege} on table ${object}, which it does not need`,
        sql: `REVOKE ${privilege} ON TABLE ${postgresName(object)} FROM ${escapeIdentifier(user)}`,
      })),
  ];
}

/** Whether a role carries this stack's mark, or will, because it is yet to be made. */
export function isOurRole(inputs: PostgresSourceInputs, { roles }: Reality, user: string): boolean {
  const found = roles[user];
  return found === undefined || found.mark === markOf(inputs);
}

function isCdcObject(kind: Privilege["kind"], object: string): boolean {
  return (
    (kind === "schema" && object === cdcSchema) ||
    (kind === "table" && (cdcTables as readonly string[]).includes(object))
  );
}

/** `SELECT ON TABLE …`, the part that GRANT and REVOKE share. */
export function onObject({ kind, object, privilege }: Privilege): string {
  const name = kind === "table" ? postgresName(object) : escapeIdentifier(object);
  return `${privilege} ON ${kind.toUpperCase()} ${name}`;
}

const publishOptions = "publish = 'insert, update, delete, truncate', publish_via_partition_root = true";

function publicationSteps(inputs: PostgresSourceInputs, found: PublicationFacts | undefined): Step[] {
  const name = escapeIdentifier(inputs.publication);
  const wanted = publishedTables(inputs);
  const list = wanted.map(postgresName).join(", ");
  if (found === undefined) {
    return [
      {
        why: `publication ${inputs.publication} does not exist`,
        sql:
          `CREATE PUBLICATION ${name} FOR TABLE ${list} WITH (${publishOptions});\n` +
          `COMMENT ON PUBLICATION ${name} IS ${escapeLiteral(markOf(inputs))}`,
      },
    ];
  }
  if (found.mark !== markOf(inputs)) return [];
  const steps: Step[] = [];
  const [added, removed] = [
    wanted.filter((table) => !found.tables.includes(table)),
    found.tables.filter((table) => !wanted.includes(table)),
  ];
  if (added.length + removed.length > 0 || found.narrowed) {
    const parts = [
      ...(added.length > 0 ? [`lacks ${added.join(", ")}`] : []),
      ...(removed.length > 0 ? [`has ${removed.join(", ")} too much`] : []),
      ...(found.narrowed ? ["leaves out rows or columns"] : []),
    ];
    steps.push({
      why: `publication ${inputs.publication} ${parts.join(", ")}`,
      sql: `ALTER PUBLICATION ${name} SET TABLE ${list}`,
    });
  }
  if (!found.publishesAll || !found.viaRoot) {
    steps.push({
      why: `publication ${inputs.publication} does not publish every kind of change under the captured table's name`,
      sql: `ALTER PUBLICATION ${name} SET (${publishOptions})`,
    });
  }
  return steps;
}

function identitySteps(inputs: PostgresSourceInputs, reality: Reality): Step[] {
  const { full } = identityWishes(inputs, reality.catalog, reality.ledger);
  const set = reality.identities
    .filter(({ captured, identity }) => full.has(captured) && identity !== "full")
    .map((facts) => ({
      why: `table ${facts.table} needs REPLICA IDENTITY FULL: ${full.get(facts.captured)}`,
      sql: `${remember(facts)};\nALTER TABLE ${postgresName(facts.table)} REPLICA IDENTITY FULL`,
    }));
  const stillFull = new Set(
    reality.identities.filter(({ captured }) => full.has(captured)).map(({ table }) => table),
  );
  return [...set, ...restoreSteps(reality.ledger, (table) => !stillFull.has(table))];
}

/** Puts back the replica identity of tables that the ledger remembers. */
export function restoreSteps(
  ledger: Readonly<Record<string, string>>,
  selected: (table: string) => boolean,
): Step[] {
  return Object.entries(ledger)
    .filter(([table]) => selected(table))
    .map(([table, before]) => ({
      why: `table ${table} needs no REPLICA IDENTITY FULL any more`,
      sql: `${restore(table, before)};\nDELETE FROM ${ledgerTable} WHERE table_name = ${escapeLiteral(table)}`,
    }));
}

function remember({ table, identity, index }: IdentityFacts): string {
  const before = identity === "index" && index !== null ? `index ${index}` : identity;
  return (
    `INSERT INTO ${ledgerTable} (table_name, before) VALUES (${escapeLiteral(table)}, ${escapeLiteral(before)}) ` +
    "ON CONFLICT (table_name) DO NOTHING"
  );
}

function restore(table: string, before: string): string {
  const index = /^index (.+)$/.exec(before)?.[1];
  const identity =
    index !== undefined
      ? `USING INDEX ${escapeIdentifier(index)}`
      : before === "nothing"
        ? "NOTHING"
        : "DEFAULT";
  // Tables come and go: one that was dropped meanwhile needs nothing.
  return `ALTER TABLE IF EXISTS ${postgresName(table)} REPLICA IDENTITY ${identity}`;
}
