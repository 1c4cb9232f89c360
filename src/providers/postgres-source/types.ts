import type { CatalogTable } from "../../tables";
import type { Relations } from "../relations";

/** How to reach a Postgres server as its administrator. */
export interface PostgresConnection {
  /** Host name or address, as the machine that runs Pulumi reaches it. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** A superuser, or a role that may create roles, owns the captured tables and may create in the database. */
  readonly adminUser: string;
  readonly adminPassword: string;
  /** `off` by default; `require` encrypts without checking who answers; `verify-full` checks against `sslCa`. */
  readonly ssl?: "off" | "require" | "verify-full";
  /** Certificates (PEM) of the authorities to trust; the system's own by default. */
  readonly sslCa?: string;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Inputs of the Postgres source with every value known. */
export interface PostgresSourceInputs extends PostgresConnection {
  readonly connector: Credentials;
  readonly exporter?: Credentials;
  readonly agent?: Credentials;
  readonly app?: Credentials & { readonly schemas: readonly string[] };
  readonly tables: readonly string[];
  readonly orderBy?: Readonly<Record<string, readonly string[]>>;
  readonly replicaIdentityFull: "auto" | readonly string[];
  readonly publication: string;
  readonly slot: string;
  readonly managed: boolean;
  readonly startTimeoutSeconds: number;
  readonly statementTimeoutSeconds: number;
  readonly revision: number;
}

/** What the state holds: the inputs, and what was found. */
export interface PostgresSourceState extends PostgresSourceInputs {
  /** The captured tables as Postgres's catalog describes them. */
  readonly catalog: readonly CatalogTable[];
  /** What went by the captured tables' names when last seen. */
  readonly relations?: Relations;
  /** What is allowed but may surprise, in words. */
  readonly warnings: readonly string[];
  /** What was found to be otherwise than asked for, in words; the next update repairs it. */
  readonly drift: readonly string[];
  /** Of the server, e.g. `16.14`. */
  readonly serverVersion: string;
}
