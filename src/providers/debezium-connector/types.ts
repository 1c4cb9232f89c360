import type { Births } from "../births";

/** The ClickHouse at the other end of the pipeline. */
export interface HeartbeatTarget {
  /** HTTP interface, as the machine that runs Pulumi reaches it. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** Database that holds the table `heartbeat`. */
  readonly database: string;
}

/** The source database, and a role that may write to `cdc.signal`. */
export interface SignalTarget {
  /** As the machine that runs Pulumi reaches it. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

/** Inputs of a connector with every value known. */
export interface DebeziumConnectorInputs {
  /** Kafka Connect's REST interface, as the machine that runs Pulumi reaches it. */
  readonly url: string;
  /** Name of the connector in Connect. */
  readonly connector: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly source?: string;
  /** Name of the setting that gets the generation. */
  readonly generationSetting?: string;
  readonly heartbeat?: HeartbeatTarget;
  readonly signals?: SignalTarget;
  /** As ClickHouseSchema has them. */
  readonly births?: Births;
  readonly managed: boolean;
  readonly startTimeoutSeconds: number;
  readonly revision: number;
}

/** What the state holds: the inputs, and what was found. */
export interface DebeziumConnectorState extends DebeziumConnectorInputs {
  /** Number of this life of the connector, which began with a snapshot: higher than that of any life before. */
  readonly generation: number;
  /** Entries of table.include.list whose rows a running connector is to read from their beginning, and has not been told to. */
  readonly unread?: readonly string[];
  /** What was found to be otherwise than asked for, in words; the next update repairs it. */
  readonly drift: readonly string[];
}
