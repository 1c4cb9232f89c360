/** The state of the whole stack, as `cdc status --json` prints it. */
export interface Status {
  readonly healthy: boolean;
  /** Everything that is not as it should be, a sentence each. */
  readonly problems: readonly string[];
  /** What is less than it could be, and no problem: a sentence each. */
  readonly notes: readonly string[];
  readonly services: readonly ServiceStatus[];
  readonly connector: ConnectorStatus | undefined;
  readonly slot: SlotStatus | undefined;
  readonly consumers: readonly ConsumerStatus[];
  readonly tables: readonly TableStatus[];
  readonly toolchain: ToolchainStatus;
}

export interface ServiceStatus {
  readonly service: string;
  /** Docker's word: running, exited, restarting …; "missing" without a container. */
  readonly state: string;
  /** Docker's word: healthy, unhealthy, starting; "none" without a check. */
  readonly health: string;
  readonly restarts: number;
  readonly url: string;
  readonly image: string;
}

export interface ConnectorStatus {
  readonly name: string;
  readonly state: string;
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly error?: string }[];
}

export interface SlotStatus {
  readonly name: string;
  readonly active: boolean;
  /** Bytes of WAL that are written but not yet confirmed by the connector. */
  readonly lagBytes: number;
  /** `pg_replication_slots.wal_status`: reserved, extended, unreserved, lost. */
  readonly walStatus: string;
}

export interface ConsumerStatus {
  readonly topic: string;
  /**
   * Offsets in Kafka that ClickHouse has not yet taken: events, and the end marks of transactions, of which the last of
   * each partition is taken only with the next event.
   */
  readonly lag: number;
}

export interface TableStatus {
  readonly source: string;
  readonly target: string;
  readonly postgresRows: number;
  readonly clickhouseRows: number;
}

export interface ToolchainStatus {
  readonly pulumi: string;
  readonly plugins: Readonly<Record<string, string>>;
  /** Why stand-ins are used. */
  readonly pluginsWhy?: string;
  /** Official images from registries, or local ones. */
  readonly images: string;
  readonly imagesWhy?: string;
  readonly missing: readonly string[];
  readonly state: string;
}
