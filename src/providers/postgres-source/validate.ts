import { escapeIdentifier } from "pg";
import { qualifiedName } from "../../tables";
import { identityWishes } from "./identity";
import { nearNames, splitName } from "./names";
import type { Reality } from "./observe";
import { type Logins, onObject } from "./plan";
import type { PostgresSourceInputs } from "./types";
import {
  cdcSchema,
  cdcTables,
  isSomeMark,
  markOf,
  publishedTables,
  wantedPrivileges,
  wantedRoles,
} from "./wanted";

/**
 * Everything that stands in the way, each with what to do about it: all at once, so that one `up` tells it all.
 * @param candidates tables that exist, for proposals.
 */
export function problemsOf(
  inputs: PostgresSourceInputs,
  reality: Reality,
  logins: Logins,
  candidates: readonly string[],
): string[] {
  return [
    ...serverProblems(inputs, reality),
    ...tableProblems(inputs, reality, candidates),
    ...roleProblems(inputs, reality, logins),
    ...cdcProblems(inputs, reality),
    ...publicationProblems(inputs, reality),
    ...schemaProblems(inputs, reality),
  ];
}

/** What works but may surprise. */
export function warningsOf(inputs: PostgresSourceInputs, reality: Reality): string[] {
  const { refused } = identityWishes(inputs, reality.catalog, reality.ledger);
  return [
    ...[...refused].map(
      ([table, why]) =>
        `table ${table} has no REPLICA IDENTITY FULL, but ${why}: such values will be missing. Add the table to ` +
        'replicaIdentityFull, or set replicaIdentityFull to "auto"',
    ),
    ...reality.catalog
      .filter(({ partitioned }) => partitioned)
      .map(
        (table) =>
          `table ${qualifiedName(table)} is partitioned: Postgres sends nothing of a partition that is truncated, attached, ` +
          "detached or dropped (docs/type-contract.md, Limits)",
      ),
    ...(reality.publication && reality.publication.mark !== markOf(inputs)
      ? [`publication ${inputs.publication} was there before: it is used as it is, and not removed`]
      : []),
    ...wantedRoles(inputs, reality.server.rds)
      .filter(({ user }) => reality.roles[user] && reality.roles[user]?.mark !== markOf(inputs))
      .map(({ user }) => `role ${user} was there before: it is used as it is, and not removed`),
  ];
}

function serverProblems(inputs: PostgresSourceInputs, { server, slots }: Reality): string[] {
  const problems: string[] = [];
  if (server.versionNumber < 140000) {
    problems.push(`server version ${server.version}: version 14 or later is needed`);
  }
  if (server.inRecovery) {
    problems.push("the server is a standby; name the primary, where roles and publications can be made");
  }
  if (server.walLevel !== "logical") {
    problems.push(
      `wal_level is "${server.walLevel}", needed is "logical": ALTER SYSTEM SET wal_level = logical, then restart the ` +
        "server (on Amazon RDS set rds.logical_replication = 1 in the parameter group)",
    );
  }
  const slotExists = slots.some(({ name }) => name === inputs.slot);
  if (!slotExists && slots.length >= server.maxReplicationSlots) {
    const unused = slots.filter(({ active }) => !active).map(({ name }) => name);
    problems.push(
      `all ${server.maxReplicationSlots} replication slots are taken (${slots.map(({ name }) => name).join(", ") || "max_replication_slots is 0"}): ` +
        (unused.length > 0
          ? `drop one that nobody needs any more (not active: ${unused.join(", ")}) with SELECT pg_drop_replication_slot('…'), or raise`
          : "raise") +
        " max_replication_slots and restart the server",
    );
  }
  const slotIsActive = slots.some(({ name, active }) => name === inputs.slot && active);
  if (!slotIsActive && server.walSenders >= server.maxWalSenders) {
    problems.push(
      `all ${server.maxWalSenders} WAL senders are in use; raise max_wal_senders and restart the server`,
    );
  }
  const elsewhere = slots.find(
    ({ name, database }) => name === inputs.slot && database !== inputs.database,
  )?.database;
  if (elsewhere !== undefined) {
    problems.push(
      `replication slot ${inputs.slot} exists for ${elsewhere === null ? "physical replication" : `database ${elsewhere}`}; choose another slot name`,
    );
  }
  return problems;
}

function tableProblems(
  inputs: PostgresSourceInputs,
  reality: Reality,
  candidates: readonly string[],
): string[] {
  const missing = reality.missingTables.map((table) => {
    const near = nearNames(table, candidates);
    const sameSchema = candidates.filter((name) => splitName(name).schema === splitName(table).schema);
    const proposal =
      near.length > 0
        ? `did you mean ${near.join(" or ")}?`
        : sameSchema.length > 0
          ? `schema ${splitName(table).schema} has: ${sameSchema.slice(0, 20).join(", ")}`
          : `database ${inputs.database} has: ${candidates.slice(0, 20).join(", ") || "no tables"}`;
    return `table ${table} does not exist; ${proposal}`;
  });
  const keyless = reality.catalog
    .filter(({ primaryKey }) => primaryKey.length === 0)
    .map(
      (table) =>
        `table ${qualifiedName(table)} has no primary key, so its rows cannot be told apart: ` +
        "ALTER TABLE … ADD PRIMARY KEY (…)",
    );
  const inherited = reality.catalog
    .filter(({ heirs }) => heirs.length > 0)
    .map(
      (table) =>
        `table ${qualifiedName(table)} is inherited by ${table.heirs.join(", ")}: Postgres publishes and reads them with it, ` +
        "and their rows cannot be told from its own. Tables without heirs and partitioned tables can be captured: name " +
        "the heirs instead, or run ALTER TABLE … NO INHERIT … for each",
    );
  const unknownColumns = Object.entries(inputs.orderBy ?? {}).flatMap(([name, columns]) => {
    const table = reality.catalog.find((one) => qualifiedName(one) === name);
    const known = table?.columns.map((column) => column.name) ?? columns;
    return columns
      .filter((column) => !known.includes(column))
      .map((column) => `table ${name} has no column ${column} to order by; it has: ${known.join(", ")}`);
  });
  const notOwned = reality.notOwned
    .filter((table) => needsOwnership(inputs, reality, table))
    .map(
      (table) =>
        `table ${table} belongs to another role, so ${reality.server.currentUser} cannot publish it: ` +
        `GRANT its owner's role TO ${escapeIdentifier(reality.server.currentUser)}, or give an administrator that owns it`,
    );
  return [...missing, ...reality.problems, ...keyless, ...inherited, ...unknownColumns, ...notOwned];
}

/** Publishing a table and changing its replica identity is for its owner; what is done already needs nobody. */
function needsOwnership(inputs: PostgresSourceInputs, reality: Reality, table: string): boolean {
  if (reality.server.superuser) return false;
  const { full } = identityWishes(inputs, reality.catalog, reality.ledger);
  return (
    !reality.publication?.tables.includes(table) ||
    reality.identities.some(
      ({ captured, identity }) => captured === table && full.has(captured) && identity !== "full",
    )
  );
}

function roleProblems(inputs: PostgresSourceInputs, reality: Reality, logins: Logins): string[] {
  const mark = markOf(inputs);
  return wantedRoles(inputs, reality.server.rds).flatMap((role) => {
    const found = reality.roles[role.user];
    const name = escapeIdentifier(role.user);
    if (found === undefined) {
      return reality.server.superuser || reality.server.createRole
        ? []
        : [
            `role ${role.user} does not exist, and ${reality.server.currentUser} may not create it: ` +
              `ALTER ROLE ${escapeIdentifier(reality.server.currentUser)} CREATEROLE, or create the role`,
          ];
    }
    if (found.mark === mark) return [];
    if (isSomeMark(found.mark)) {
      return [`role ${role.user} is another stack's (${found.mark}); choose another name`];
    }
    const lacks = [
      ...(found.login ? [] : [`ALTER ROLE ${name} LOGIN`]),
      ...(role.replication && !found.replication ? [`ALTER ROLE ${name} REPLICATION`] : []),
      ...role.memberOf
        .filter((group) => !found.memberOf.includes(group))
        .map((group) => `GRANT ${group} TO ${name}`),
      ...missingGrants(inputs, reality, role.user),
    ];
    const problems: string[] = [];
    if (lacks.length > 0) {
      problems.push(
        `role ${role.user} was there before and is not changed, but lacks what the ${role.purpose} needs; run: ${lacks.join("; ")}`,
      );
    }
    if (logins[role.user] === false) {
      problems.push(
        `role ${role.user} was there before and does not have the password given for the ${role.purpose}; ` +
          "give the right one, or choose another role name to have one made",
      );
    }
    return problems;
  });
}

function missingGrants(inputs: PostgresSourceInputs, reality: Reality, user: string): string[] {
  const ownSchema = (object: string) => splitName(object).schema === cdcSchema;
  const onOthers = wantedPrivileges(inputs).filter((one) => one.user === user && !ownSchema(one.object));
  return onOthers
    .filter((one) =>
      reality.missingPrivileges.some(
        (missing) =>
          missing.user === user && missing.object === one.object && missing.privilege === one.privilege,
      ),
    )
    .filter((one) => one.kind !== "table" || !reality.missingTables.includes(one.object))
    .map((one) => `GRANT ${onObject(one)} TO ${escapeIdentifier(user)}`);
}

function cdcProblems(inputs: PostgresSourceInputs, reality: Reality): string[] {
  const mark = markOf(inputs);
  return cdcTables
    .filter((table) => table in reality.cdcTables && reality.cdcTables[table] !== mark)
    .map((table) => {
      const comment = reality.cdcTables[table];
      return isSomeMark(comment)
        ? `table ${table} is another stack's (${comment}): a database can be the source of one stack`
        : `table ${table} was there before, and the pipeline needs one of that name for itself: rename it`;
    });
}

function publicationProblems(inputs: PostgresSourceInputs, { publication }: Reality): string[] {
  if (publication === undefined || publication.mark === markOf(inputs)) return [];
  const name = inputs.publication;
  if (isSomeMark(publication.mark)) {
    return [`publication ${name} is another stack's (${publication.mark}); choose another name`];
  }
  const missing = publication.allTables
    ? []
    : publishedTables(inputs).filter((table) => !publication.tables.includes(table));
  const wrong = [
    ...(missing.length > 0 ? [`lacks ${missing.join(", ")}`] : []),
    ...(publication.narrowed ? ["leaves out rows or columns"] : []),
    ...(publication.publishesAll ? [] : ["does not publish every kind of change"]),
  ];
  return wrong.length === 0
    ? []
    : [
        `publication ${name} was there before and is not changed, but ${wrong.join(", ")}: ` +
          "choose another name to have one made, or alter it",
      ];
}

function schemaProblems(inputs: PostgresSourceInputs, reality: Reality): string[] {
  const { app } = inputs;
  if (!app) return [];
  const administrator = reality.server.currentUser;
  const foreign = new Set([
    ...app.schemas.flatMap((schema) => reality.schemas[schema]?.owner ?? []),
    ...reality.appRelations.map(({ owner }) => owner),
  ]);
  foreign.delete(administrator);
  foreign.delete(app.user);
  return [
    ...app.schemas
      .filter((schema) => !(schema in reality.schemas))
      .map((schema) => `schema ${schema}, which the application's role shall own, does not exist`),
    ...(foreign.size > 0
      ? [
          `schemas ${app.schemas.join(", ")} hold things of ${[...foreign].join(", ")}: only what belongs to ${administrator} ` +
            "is handed to the application's role; leave out `app`, or change the owner",
        ]
      : []),
  ];
}
