import type { CapturedTable } from "../../tables";

/** Inputs with every value known. */
export interface ClickHouseSchemaInputs {
  /** HTTP interface, as the machine that runs Pulumi reaches it. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tables: readonly CapturedTable[];
  readonly brokers: string;
  readonly topicPrefix: string;
  readonly consumerGroup: string;
  readonly consumers: number;
  readonly managed: boolean;
  readonly startTimeoutSeconds: number;
  readonly revision: number;
}

/** By name of an object: a hash of its definition as ClickHouse printed it right after it was made. */
export type Fingerprints = Readonly<Record<string, string>>;

/** What the state holds: the inputs, and what was found. */
export interface ClickHouseSchemaState extends ClickHouseSchemaInputs {
  /** Of queues and views: a change of one that somebody else made is told by it. */
  readonly fingerprints: Fingerprints;
  /**
   * By captured table, when the tables in which its rows end were made. Rows that had come before are not in them, and
   * Kafka's consumer group is past their events: who sees another time has them sent again.
   */
  readonly births?: Readonly<Record<string, string>>;
  /** What was found to be otherwise than asked for, in words; the next update repairs it. */
  readonly drift: readonly string[];
}
