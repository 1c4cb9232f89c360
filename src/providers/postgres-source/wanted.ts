import { heartbeatTable, signalTable } from "../../tables";
import type { Credentials, PostgresSourceInputs } from "./types";

/** The schema and tables of the pipeline's own, made by `sql/postgres/cdc.sql`. */
export const cdcSchema = "cdc";
export const ledgerTable = "cdc.replica_identity";
export const cdcTables = [heartbeatTable.source, signalTable, ledgerTable] as const;

/** The comment by which a thing in Postgres is known to be this stack's: roles are shared by all databases of a server. */
export function markOf(inputs: Pick<PostgresSourceInputs, "database" | "publication">): string {
  return `managed by cdc-stack (database ${inputs.database}, publication ${inputs.publication})`;
}

/** Whether a comment is one of ours or of another stack's. */
export function isSomeMark(comment: string | null | undefined): boolean {
  return comment?.startsWith("managed by cdc-stack") ?? false;
}

export interface WantedRole extends Credentials {
  /** What the role is for, for messages. */
  readonly purpose: "connector" | "exporter" | "agent" | "app";
  readonly replication: boolean;
  /** Roles that it must be a member of. */
  readonly memberOf: readonly string[];
}

/** The roles that the pipeline needs; on Amazon RDS, replication is a membership instead of an attribute. */
export function wantedRoles(
  inputs: Pick<PostgresSourceInputs, "connector" | "exporter" | "agent" | "app">,
  rds: boolean,
): WantedRole[] {
  const { connector, exporter, agent, app } = inputs;
  return [
    {
      ...connector,
      purpose: "connector",
      replication: !rds,
      memberOf: rds ? ["rds_replication"] : [],
    },
    ...(exporter
      ? [{ ...exporter, purpose: "exporter" as const, replication: false, memberOf: ["pg_monitor"] }]
      : []),
    ...(agent ? [{ ...agent, purpose: "agent" as const, replication: false, memberOf: [] }] : []),
    ...(app
      ? [
          {
            user: app.user,
            password: app.password,
            purpose: "app" as const,
            replication: false,
            memberOf: [],
          },
        ]
      : []),
  ];
}

export interface Privilege {
  readonly user: string;
  readonly kind: "database" | "schema" | "table";
  /** Name of the database or schema, or `schema.table`. */
  readonly object: string;
  readonly privilege: "CONNECT" | "USAGE" | "SELECT" | "INSERT" | "UPDATE";
}

/** The roles that read the captured tables, and nothing else. */
export function readersOf({ connector, agent }: Pick<PostgresSourceInputs, "connector" | "agent">): string[] {
  return [connector.user, ...(agent ? [agent.user] : [])];
}

/** The least that each role needs. */
export function wantedPrivileges(inputs: PostgresSourceInputs): Privilege[] {
  const connector = inputs.connector.user;
  const schemas = new Set([...inputs.tables.map((table) => table.split(".")[0] as string), cdcSchema]);
  const readers = readersOf(inputs);
  const table = (user: string, object: string, ...privileges: Privilege["privilege"][]): Privilege[] =>
    privileges.map((privilege) => ({ user, kind: "table", object, privilege }));
  return [
    ...wantedRoles(inputs, false).map(
      ({ user }): Privilege => ({ user, kind: "database", object: inputs.database, privilege: "CONNECT" }),
    ),
    ...readers.flatMap((user) => [
      ...[...schemas].map((object): Privilege => ({ user, kind: "schema", object, privilege: "USAGE" })),
      ...inputs.tables.flatMap((name) => table(user, name, "SELECT")),
      // A heartbeat is an upsert, which reads as well.
      ...table(user, heartbeatTable.source, "SELECT", "INSERT", "UPDATE"),
    ]),
    // Debezium writes the windows of an incremental snapshot here.
    ...table(connector, signalTable, "SELECT", "INSERT"),
  ];
}

/** What the publication holds: the captured tables and the two through which the pipeline watches and steers itself. */
export function publishedTables(inputs: Pick<PostgresSourceInputs, "tables">): string[] {
  return [...inputs.tables, heartbeatTable.source, signalTable].sort();
}
