import * as pulumi from "@pulumi/pulumi";
import type { CatalogTable } from "../../tables";
import { remoteProvider } from "../dynamic";
import type { Relations } from "../relations";

/** What makes a Postgres database the source of the pipeline. Durations are in seconds. */
export interface PostgresSourceArgs {
  /** Host name or address, as the machine that runs Pulumi reaches the server. */
  readonly host: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  /** The database that holds the captured tables. */
  readonly database: pulumi.Input<string>;
  /**
   * Who makes the roles, the publication and the schema `cdc`: a superuser, or a role with CREATEROLE and REPLICATION
   * that owns the captured tables and may CREATE in the database.
   */
  readonly adminUser: pulumi.Input<string>;
  readonly adminPassword: pulumi.Input<string>;
  /** `off` (default), `require` (encrypts), or `verify-full` (and checks the certificate against `sslCa`). */
  readonly ssl?: pulumi.Input<"off" | "require" | "verify-full">;
  /** Certificates (PEM) of the authorities to trust; the system's own by default. */
  readonly sslCa?: pulumi.Input<string>;
  /** Debezium's role: replication, SELECT on the captured tables, writes only to `cdc.heartbeat` and `cdc.signal`. */
  readonly connector: pulumi.Input<RoleArgs>;
  /** The metrics exporter's role: member of `pg_monitor`. Not made by default. */
  readonly exporter?: pulumi.Input<RoleArgs>;
  /** The agent's role: SELECT on the captured tables, writes only to `cdc.heartbeat`. Not made by default. */
  readonly agent?: pulumi.Input<RoleArgs>;
  /** The application's role, which becomes the owner of the given schemas and of what is in them. Not made by default. */
  readonly app?: pulumi.Input<RoleArgs & { readonly schemas: pulumi.Input<pulumi.Input<string>[]> }>;
  /** Captured tables, each with its schema: `inventory.orders`. */
  readonly tables: pulumi.Input<pulumi.Input<string>[]>;
  /** By table: columns that lead the order of its change log. A delete must carry them as well as the primary key. */
  readonly orderBy?: pulumi.Input<Record<string, pulumi.Input<pulumi.Input<string>[]>>>;
  /**
   * Tables that get REPLICA IDENTITY FULL, so that updates and deletes carry the whole old row. `auto` (default): those
   * where a key or order column, or a large value (TOAST) that an update leaves alone, would be missing otherwise. What
   * it was before is remembered in the database and restored at the end.
   */
  readonly replicaIdentityFull?: pulumi.Input<"auto" | pulumi.Input<string>[]>;
  /** Name of the publication; `cdc_publication` by default. */
  readonly publication?: pulumi.Input<string>;
  /**
   * Name of the connector's replication slot, `cdc_slot` by default. The connector makes it; deleting drops it, and
   * another name is another source.
   */
  readonly slot?: pulumi.Input<string>;
  /**
   * Whether the server lives and dies with this stack (default: false). If so, its address may change in place, and on
   * deletion a server that does not answer any more counts as gone.
   */
  readonly managed?: pulumi.Input<boolean>;
  /** How long a server that starts is waited for; 120 by default. */
  readonly startTimeoutSeconds?: pulumi.Input<number>;
  /** Longest run of a statement, and longest wait for a table's lock; 60 by default. */
  readonly statementTimeoutSeconds?: pulumi.Input<number>;
}

export interface RoleArgs {
  readonly user: pulumi.Input<string>;
  /** Printable ASCII. Only a SCRAM verifier of it is sent to the server. */
  readonly password: pulumi.Input<string>;
}

/** Bumped when an existing resource must be updated although none of its inputs changed. */
const revision = 2;

/**
 * Roles, publication, the schema `cdc` and replica identities in the source database. What was there before is used as
 * it is and survives deletion.
 */
export class PostgresSource extends pulumi.dynamic.Resource {
  /** The captured tables as Postgres's catalog describes them: columns, types, keys. */
  declare readonly catalog: pulumi.Output<CatalogTable[]>;
  /** What goes by the captured tables' names: their OIDs, and those of tables before them that were dropped. */
  declare readonly relations: pulumi.Output<Relations>;
  declare readonly publication: pulumi.Output<string>;
  declare readonly slot: pulumi.Output<string>;
  /** What works but may surprise, in words. */
  declare readonly warnings: pulumi.Output<string[]>;
  /** What the last refresh found to be otherwise than asked for, in words; the next update repairs it. */
  declare readonly drift: pulumi.Output<string[]>;
  /** The server's version, e.g. `16.14`. */
  declare readonly serverVersion: pulumi.Output<string>;

  constructor(name: string, args: PostgresSourceArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      remoteProvider("postgres-source"),
      name,
      {
        catalog: undefined,
        relations: undefined,
        warnings: undefined,
        drift: undefined,
        serverVersion: undefined,
        ...args,
        revision,
      },
      pulumi.mergeOptions(
        { additionalSecretOutputs: ["adminPassword", "connector", "exporter", "agent", "app"] },
        opts,
      ),
      "cdc",
      "PostgresSource",
    );
  }
}
