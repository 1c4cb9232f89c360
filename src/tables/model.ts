/** Kinds of Postgres types, after `pg_type.typtype`; arrays are told apart from base types. */
export type CatalogTypeKind =
  | "base"
  | "array"
  | "enum"
  | "domain"
  | "composite"
  | "range"
  | "multirange"
  | "pseudo";

/** A Postgres type as a column uses it. Domains never appear here: they are replaced by what they stand for. */
export interface CatalogType {
  /** Schema of the type, `pg_catalog` for the built-in ones. */
  readonly schema: string;
  /** `pg_type.typname`, e.g. `int4`, `timestamptz`, `order_status`. */
  readonly name: string;
  readonly kind: Exclude<CatalogTypeKind, "domain">;
  /** numeric: digits in all. Left out where the declaration has none. */
  readonly precision?: number;
  /** numeric: digits after the point, may be negative; time, timestamp and interval: digits of the second. */
  readonly scale?: number;
  /** char, varchar, bit, varbit: declared length. */
  readonly length?: number;
  /** enum: the labels in their order. */
  readonly labels?: readonly string[];
  /** array: the type of the elements. */
  readonly element?: CatalogType;
}

/** A column as Postgres's catalog describes it. */
export interface CatalogColumn {
  readonly name: string;
  /** `pg_attribute.attnum`; rises in the order of declaration, with gaps where columns were dropped. */
  readonly position: number;
  /** The declared type as Postgres prints it (`format_type`), e.g. `numeric(10,2)`, `inventory.email[]`. */
  readonly type: string;
  /** What the declared type stands for once domains are followed. */
  readonly base: CatalogType;
  /** Names of the domains that were followed, outermost first. Left out for a type without one. */
  readonly domains?: readonly string[];
  /** Whether Postgres refuses NULL, by the column or by its domain. */
  readonly notNull: boolean;
  /** Whether Postgres may store the value out of line (TOAST): an update that leaves it alone may not send it. */
  readonly toastable: boolean;
  readonly identity?: "always" | "by default";
  /** `GENERATED ALWAYS AS … STORED`: logical replication (before Postgres 18) does not send it. */
  readonly generated: boolean;
  /** The default's expression in SQL. */
  readonly default?: string;
}

export type ReplicaIdentity = "default" | "full" | "index" | "nothing";

/**
 * A table as Postgres's catalog describes it: what `sql/postgres/catalog.sql` returns, parsed by `parseCatalog`.
 * Plain JSON, and the same for the same definition of the table: it passes through Pulumi's state.
 */
export interface CatalogTable {
  /** `pg_class.oid`: a table that was dropped and made again has another one. */
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** Partitioned tables are captured under their root's name. */
  readonly partitioned: boolean;
  /** Tables that inherit from it (`INHERITS`), each with its schema; partitions are none. */
  readonly heirs: readonly string[];
  /** In the order of declaration. */
  readonly columns: readonly CatalogColumn[];
  /** Columns of the primary key in the key's order; empty without one. */
  readonly primaryKey: readonly string[];
  /** Whether the primary key can be the replica identity: one that is DEFERRABLE cannot. */
  readonly primaryKeyIdentifies: boolean;
  /** Which old values Postgres sends with an update or a delete. */
  readonly replicaIdentity: ReplicaIdentity;
  /** Columns of the index behind `REPLICA IDENTITY USING INDEX`; empty otherwise. */
  readonly identityIndex: readonly string[];
}

/** What the configuration may say about one captured table. */
export interface TableSettings {
  /** Qualified name in Postgres, e.g. `inventory.orders`. */
  readonly table: string;
  /** Name in ClickHouse, from which `<name>_queue`, `<name>_final` and so on follow. Default: the table's own. */
  readonly target?: string;
  /**
   * ClickHouse types that replace the contract's own, by column, e.g. `{ quantity: "UInt16" }`. A value that does
   * not fit goes to the table of errors; it never wraps around.
   */
  readonly columns?: Readonly<Record<string, string>>;
  /** Columns that are not captured. */
  readonly exclude?: readonly string[];
  /** Order of the change log; default: the primary key. */
  readonly orderBy?: readonly string[];
}

/** Names of the rules of the type contract (docs/type-contract.md): how a value is written in an event, and how it is read. */
export type RuleName =
  | "integer"
  | "decimal"
  | "float"
  | "boolean"
  | "text"
  | "bytes"
  | "uuid"
  | "date"
  | "time"
  | "timestamp"
  | "timestamptz"
  | "bits"
  | "array";

/** How a value becomes one of ClickHouse's. */
export interface CapturedType {
  readonly rule: RuleName;
  /** Type in ClickHouse, `Nullable(…)` left out. */
  readonly type: string;
  /** `decimal`: digits after the point in Postgres, left out where it sets none; times: 3 (milliseconds) or 6; `bits`: length. */
  readonly scale?: number;
  /** `array`: the type of the elements. */
  readonly element?: CapturedType;
}

/** A column as events carry it and ClickHouse keeps it. */
export interface CapturedColumn extends CapturedType {
  readonly name: string;
  /** The declared type in Postgres, for people to read. */
  readonly sourceType: string;
  /** Whether Postgres allows NULL. */
  readonly nullable: boolean;
  /** Whether an update may leave the value out (TOAST). */
  readonly toastable: boolean;
  /** The default as a literal of ClickHouse's SQL, where Postgres's is a constant: rows from before the column hold it. */
  readonly default?: string;
  /** Set where Postgres has the column no longer: only events from before carry it. */
  readonly dropped?: true;
}

/** One captured table: what the DDL in ClickHouse and the connector's settings follow from. Plain JSON. */
export interface CapturedTable {
  readonly schema: string;
  readonly name: string;
  /** Name in ClickHouse. */
  readonly target: string;
  /** Captured columns in Postgres's order. */
  readonly columns: readonly CapturedColumn[];
  /** Columns that stay behind: left out by the configuration, or generated and so never sent. */
  readonly excluded: readonly string[];
  /** Columns that identify a row; never empty. */
  readonly primaryKey: readonly string[];
  /** Order of the change log, ahead of version and position. */
  readonly orderBy: readonly string[];
}
