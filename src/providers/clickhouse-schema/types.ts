import type { CapturedColumn, CapturedTable } from "../../tables";
import type { Births } from "../births";
import type { Relations } from "../relations";

/** Inputs with every value known. */
export interface ClickHouseSchemaInputs {
  /** HTTP interface, as the machine that runs Pulumi reaches it. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tables: readonly CapturedTable[];
  /** As PostgresSource has them. */
  readonly relations?: Relations;
  readonly brokers: string;
  readonly topicPrefix: string;
  readonly consumerGroup: string;
  readonly consumers: number;
  readonly managed: boolean;
  readonly startTimeoutSeconds: number;
  readonly revision: number;
  /** By captured table: columns that Postgres has dropped and ClickHouse keeps. The provider finds them. */
  readonly kept?: Readonly<Record<string, readonly CapturedColumn[]>>;
}

/** By name of an object: a hash of its definition as ClickHouse printed it right after it was made. */
export type Fingerprints = Readonly<Record<string, string>>;

/** What the state holds: the inputs, and what was found. */
export interface ClickHouseSchemaState extends ClickHouseSchemaInputs {
  /** Of queues and views: a change of one that somebody else made is told by it. */
  readonly fingerprints: Fingerprints;
  readonly births?: Births;
  /** What was found to be otherwise than asked for, in words; the next update repairs it. */
  readonly drift: readonly string[];
}
