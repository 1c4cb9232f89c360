import type { Client } from "pg";
import { readProjectFile } from "../../lib/paths";
import type { CatalogTable, ReplicaIdentity } from "../../tables";
import { parseCatalog, qualifiedName } from "../../tables";
import { regclassName } from "./names";
import type { PostgresSourceInputs } from "./types";
import {
  cdcSchema,
  cdcTables,
  ledgerTable,
  type Privilege,
  readersOf,
  wantedPrivileges,
  wantedRoles,
} from "./wanted";

export interface ReaderGrant {
  readonly user: string;
  readonly object: string;
  readonly privilege: string;
}

/** What there is in Postgres of all that the pipeline cares for. */
export interface Reality {
  readonly server: ServerFacts;
  readonly slots: readonly SlotFacts[];
  readonly roles: Readonly<Record<string, RoleFacts>>;
  /** Wanted privileges that are missing on things that exist. */
  readonly missingPrivileges: readonly Privilege[];
  /** Privileges on tables of the roles that only read: Debezium's and the agent's. */
  readonly readerGrants: readonly ReaderGrant[];
  /** Captured tables that exist and can be captured. */
  readonly catalog: readonly CatalogTable[];
  /** Wanted tables that do not exist. */
  readonly missingTables: readonly string[];
  /** Why tables that exist cannot be captured, one sentence each. */
  readonly problems: readonly string[];
  /** Captured tables that the administrator may not alter. */
  readonly notOwned: readonly string[];
  /** Replica identity of captured tables and of the partitions of captured tables. */
  readonly identities: readonly IdentityFacts[];
  readonly schemas: Readonly<Record<string, { readonly mark: string | null; readonly owner: string }>>;
  /** Comments of the tables in the schema `cdc` that exist, by qualified name. */
  readonly cdcTables: Readonly<Record<string, string | null>>;
  readonly publication?: PublicationFacts;
  /** Replica identities before the pipeline changed them, by qualified name. */
  readonly ledger: Readonly<Record<string, string>>;
  /** Relations in the application's schemas that belong to somebody else. */
  readonly appRelations: readonly {
    readonly schema: string;
    readonly name: string;
    readonly kind: string;
    readonly owner: string;
  }[];
}

export interface ServerFacts {
  readonly version: string;
  readonly versionNumber: number;
  readonly walLevel: string;
  readonly maxReplicationSlots: number;
  readonly maxWalSenders: number;
  readonly walSenders: number;
  readonly inRecovery: boolean;
  readonly currentUser: string;
  readonly superuser: boolean;
  readonly createRole: boolean;
  readonly rds: boolean;
}

export interface SlotFacts {
  readonly name: string;
  readonly database: string | null;
  readonly active: boolean;
}

export interface RoleFacts {
  readonly mark: string | null;
  readonly login: boolean;
  readonly replication: boolean;
  readonly elevated: boolean;
  readonly memberOf: readonly string[];
}

export interface IdentityFacts {
  /** `schema.table` of the table or partition itself. */
  readonly table: string;
  /** The captured table that it is or belongs to. */
  readonly captured: string;
  readonly identity: ReplicaIdentity;
  /** Name of the index with `REPLICA IDENTITY USING INDEX`. */
  readonly index: string | null;
}

export interface PublicationFacts {
  readonly mark: string | null;
  readonly allTables: boolean;
  readonly viaRoot: boolean;
  readonly publishesAll: boolean;
  /** Whether it has row filters, column lists or whole schemas. */
  readonly narrowed: boolean;
  readonly tables: readonly string[];
}

/** Reads everything in a handful of queries; changes nothing. */
export async function observe(client: Client, inputs: PostgresSourceInputs): Promise<Reality> {
  const server = await readServer(client);
  const roles = await readRoles(
    client,
    wantedRoles(inputs, server.rds).map(({ user }) => user),
  );
  const { catalog, missingTables, problems } = await readCatalog(client, inputs.tables);
  const existing = catalog.map(qualifiedName);
  const cdcFound = await readCdcTables(client);
  return {
    server,
    slots: await readSlots(client),
    roles,
    missingPrivileges: await readMissingPrivileges(client, inputs, roles),
    readerGrants: await readGrants(client, readersOf(inputs)),
    catalog,
    missingTables,
    problems,
    notOwned: await readNotOwned(client, existing),
    identities: await readIdentities(client, existing),
    schemas: await readSchemas(client, [cdcSchema, ...(inputs.app?.schemas ?? [])]),
    cdcTables: cdcFound,
    publication: await readPublication(client, inputs.publication),
    ledger: ledgerTable in cdcFound ? await readLedger(client) : {},
    appRelations: await readForeignRelations(client, inputs.app?.schemas ?? [], inputs.app?.user ?? ""),
  };
}

/** All tables that could be captured, for proposals where a name is mistyped. */
export async function capturableTables(client: Client): Promise<string[]> {
  return (
    await rowsOf<{ name: string }>(
      client,
      `SELECT n.nspname || '.' || c.relname AS name
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p'
         AND n.nspname <> $1 AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
       ORDER BY 1`,
      [cdcSchema],
    )
  ).map(({ name }) => name);
}

/** Where the WAL ends now, in bytes. */
export async function walPosition(client: Client): Promise<string> {
  const [found] = await rowsOf<{ position: string }>(
    client,
    "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::text AS position",
    [],
  );
  return found?.position ?? "0";
}

async function readServer(client: Client): Promise<ServerFacts> {
  const [facts] = await rowsOf<ServerFacts>(
    client,
    `SELECT split_part(current_setting('server_version'), ' ', 1) AS version,
            current_setting('server_version_num')::int AS "versionNumber",
            current_setting('wal_level') AS "walLevel",
            current_setting('max_replication_slots')::int AS "maxReplicationSlots",
            current_setting('max_wal_senders')::int AS "maxWalSenders",
            (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'walsender') AS "walSenders",
            pg_is_in_recovery() AS "inRecovery",
            rolname AS "currentUser",
            rolsuper AS superuser,
            rolcreaterole AS "createRole",
            EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_replication') AS rds
     FROM pg_roles WHERE rolname = current_user`,
  );
  return facts as ServerFacts;
}

function readSlots(client: Client): Promise<SlotFacts[]> {
  return rowsOf<SlotFacts>(
    client,
    "SELECT slot_name AS name, database, active FROM pg_replication_slots ORDER BY slot_name",
  );
}

async function readRoles(client: Client, names: readonly string[]): Promise<Record<string, RoleFacts>> {
  const rows = await rowsOf<RoleFacts & { name: string }>(
    client,
    `SELECT rolname AS name,
            shobj_description(oid, 'pg_authid') AS mark,
            rolcanlogin AS login,
            rolreplication AS replication,
            rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls AS elevated,
            ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                  WHERE m.member = r.oid ORDER BY 1) AS "memberOf"
     FROM pg_roles r WHERE rolname = ANY ($1)`,
    [names],
  );
  return Object.fromEntries(rows.map(({ name, ...facts }) => [name, facts]));
}

async function readCatalog(
  client: Client,
  tables: readonly string[],
): Promise<Pick<Reality, "catalog" | "missingTables" | "problems">> {
  const byRegclass = new Map(tables.map((table) => [regclassName(table), table]));
  const rows = await rowsOf<{ requested: string; schema: string | null }>(
    client,
    readProjectFile("sql", "postgres", "catalog.sql"),
    [[...byRegclass.keys()]],
  );
  const catalog: CatalogTable[] = [];
  const problems: string[] = [];
  // Row by row, so that one wrong table does not hide what is known of the others.
  for (const row of rows.filter(({ schema }) => schema !== null)) {
    try {
      catalog.push(...parseCatalog([row]));
    } catch (error) {
      problems.push((error as Error).message.replace(/^cannot capture\s+/, ""));
    }
  }
  return {
    catalog: catalog.sort((a, b) => (qualifiedName(a) < qualifiedName(b) ? -1 : 1)),
    missingTables: rows
      .filter(({ schema }) => schema === null)
      .map(({ requested }) => byRegclass.get(requested) ?? requested),
    problems,
  };
}

async function readNotOwned(client: Client, tables: readonly string[]): Promise<string[]> {
  const rows = await rowsOf<{ name: string }>(
    client,
    `SELECT t AS name FROM unnest($1::text[], $2::text[]) AS u (t, quoted)
     JOIN pg_class c ON c.oid = quoted::regclass
     WHERE NOT pg_has_role(current_user, c.relowner, 'USAGE')`,
    [tables, tables.map(regclassName)],
  );
  return rows.map(({ name }) => name);
}

function readIdentities(client: Client, tables: readonly string[]): Promise<IdentityFacts[]> {
  // A partitioned table has no rows of its own: what its partitions log is what their own identity says.
  return rowsOf<IdentityFacts>(
    client,
    `WITH members AS (
       SELECT t AS captured, quoted::regclass AS relid FROM unnest($1::text[], $2::text[]) AS u (t, quoted)
       UNION
       SELECT t, p.relid FROM unnest($1::text[], $2::text[]) AS u (t, quoted), pg_partition_tree(quoted::regclass) p
     )
     SELECT n.nspname || '.' || c.relname AS "table",
            m.captured,
            CASE c.relreplident WHEN 'd' THEN 'default' WHEN 'f' THEN 'full' WHEN 'i' THEN 'index' ELSE 'nothing' END
              AS identity,
            (SELECT ic.relname FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
             WHERE i.indrelid = c.oid AND i.indisreplident) AS index
     FROM members m
     JOIN pg_class c ON c.oid = m.relid
     JOIN pg_namespace n ON n.oid = c.relnamespace
     ORDER BY 1`,
    [tables, tables.map(regclassName)],
  );
}

async function readSchemas(
  client: Client,
  names: readonly string[],
): Promise<Record<string, { mark: string | null; owner: string }>> {
  const rows = await rowsOf<{ name: string; mark: string | null; owner: string }>(
    client,
    `SELECT nspname AS name, obj_description(oid, 'pg_namespace') AS mark, pg_get_userbyid(nspowner)::text AS owner
     FROM pg_namespace WHERE nspname = ANY ($1)`,
    [names],
  );
  return Object.fromEntries(rows.map(({ name, ...facts }) => [name, facts]));
}

async function readCdcTables(client: Client): Promise<Record<string, string | null>> {
  const rows = await rowsOf<{ name: string; mark: string | null }>(
    client,
    `SELECT t AS name, obj_description(to_regclass(t), 'pg_class') AS mark
     FROM unnest($1::text[]) AS t WHERE to_regclass(t) IS NOT NULL`,
    [cdcTables],
  );
  return Object.fromEntries(rows.map(({ name, mark }) => [name, mark]));
}

async function readPublication(client: Client, name: string): Promise<PublicationFacts | undefined> {
  // Filters came with Postgres 15: to_jsonb reads the columns where there are any.
  const [facts] = await rowsOf<PublicationFacts>(
    client,
    `SELECT obj_description(p.oid, 'pg_publication') AS mark,
            p.puballtables AS "allTables",
            p.pubviaroot AS "viaRoot",
            p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AS "publishesAll",
            EXISTS (SELECT FROM pg_publication_rel r WHERE r.prpubid = p.oid
                    AND (to_jsonb(r) ->> 'prqual' IS NOT NULL OR to_jsonb(r) ->> 'prattrs' IS NOT NULL)) AS narrowed,
            ARRAY(SELECT n.nspname || '.' || c.relname
                  FROM pg_publication_rel r
                  JOIN pg_class c ON c.oid = r.prrelid
                  JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE r.prpubid = p.oid ORDER BY 1) AS tables
     FROM pg_publication p WHERE pubname = $1`,
    [name],
  );
  return facts;
}

async function readLedger(client: Client): Promise<Record<string, string>> {
  const rows = await rowsOf<{ table_name: string; before: string }>(
    client,
    `SELECT table_name, before FROM ${ledgerTable} ORDER BY table_name`,
  );
  return Object.fromEntries(rows.map((row) => [row.table_name, row.before]));
}

async function readMissingPrivileges(
  client: Client,
  inputs: PostgresSourceInputs,
  roles: Readonly<Record<string, RoleFacts>>,
): Promise<Privilege[]> {
  const wanted = wantedPrivileges(inputs).filter(({ user }) => user in roles);
  // What PUBLIC or a group grants counts: has_…_privilege sees it.
  const rows = await rowsOf<{ position: number }>(
    client,
    `SELECT (ord - 1)::int AS position
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
       WITH ORDINALITY AS w (usr, kind, object, quoted, privilege, ord)
     WHERE NOT CASE kind
       WHEN 'database' THEN has_database_privilege(usr, object, privilege)
       WHEN 'schema' THEN CASE WHEN EXISTS (SELECT FROM pg_namespace WHERE nspname = object)
                          THEN has_schema_privilege(usr, object, privilege) ELSE false END
       ELSE CASE WHEN to_regclass(quoted) IS NOT NULL THEN has_table_privilege(usr, quoted, privilege) ELSE false END
     END`,
    [
      wanted.map(({ user }) => user),
      wanted.map(({ kind }) => kind),
      wanted.map(({ object }) => object),
      wanted.map(({ kind, object }) => (kind === "table" ? regclassName(object) : object)),
      wanted.map(({ privilege }) => privilege),
    ],
  );
  return rows.map(({ position }) => wanted[position] as Privilege);
}

function readGrants(client: Client, roles: readonly string[]): Promise<ReaderGrant[]> {
  return rowsOf<ReaderGrant>(
    client,
    `SELECT r.rolname::text AS user, n.nspname || '.' || c.relname AS object, a.privilege_type AS privilege
     FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL aclexplode(c.relacl) a
     JOIN pg_roles r ON r.oid = a.grantee
     WHERE r.rolname = ANY ($1) AND c.relowner <> r.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
     ORDER BY 1, 2, 3`,
    [roles],
  );
}

function readForeignRelations(
  client: Client,
  schemas: readonly string[],
  owner: string,
): Promise<{ schema: string; name: string; kind: string; owner: string }[]> {
  // A sequence behind an identity or serial column changes hands together with its table.
  return rowsOf(
    client,
    `SELECT n.nspname::text AS schema, c.relname::text AS name, pg_get_userbyid(c.relowner)::text AS owner,
            CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                           WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS kind
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ANY ($1) AND pg_get_userbyid(c.relowner) <> $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                       AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND c.relkind = 'S')
     ORDER BY 1, 2`,
    [schemas, owner],
  );
}

async function rowsOf<T>(client: Client, sql: string, values: readonly unknown[] = []): Promise<T[]> {
  return (await client.query(sql, [...values])).rows as T[];
}
