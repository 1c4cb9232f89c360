import * as pulumi from "@pulumi/pulumi";
import type { CapturedTable } from "../../tables";
import { remoteProvider } from "../dynamic";
import type { Relations } from "../relations";

/** What there is to be in ClickHouse for the captured tables. */
export interface ClickHouseSchemaArgs {
  /** HTTP interface, as the machine that runs Pulumi reaches it: `http://127.0.0.1:8123`. */
  readonly url: pulumi.Input<string>;
  /** May create and drop tables and views in the database, and create the database if it does not exist. */
  readonly user: pulumi.Input<string>;
  readonly password: pulumi.Input<string>;
  /** Database of the captured tables. Made if it does not exist, and then dropped at the end, unless others use it. */
  readonly database: pulumi.Input<string>;
  readonly tables: pulumi.Input<CapturedTable[]>;
  /**
   * What goes by their names in Postgres (PostgresSource's `relations`). Where that is another table than before, the rows
   * of the one before are gone as after a truncate, and those that it has now are read.
   */
  readonly relations?: pulumi.Input<Relations>;
  /** `host:port` of the brokers, as ClickHouse reaches them. */
  readonly brokers: pulumi.Input<string>;
  /** First part of the topics' names. */
  readonly topicPrefix: pulumi.Input<string>;
  readonly consumerGroup: pulumi.Input<string>;
  /** Consumers a table (default: 1); at most as many as its topic has partitions. */
  readonly consumers?: pulumi.Input<number>;
  /**
   * Whether the server lives and dies with this stack (default: false). If so, its address may change in place, and on
   * deletion a server that does not answer any more counts as gone.
   */
  readonly managed?: pulumi.Input<boolean>;
  /** How long a server that starts is waited for, in seconds; 120 by default. */
  readonly startTimeoutSeconds?: pulumi.Input<number>;
}

/** Bumped when an existing resource must be updated although none of its inputs changed. */
const revision = 1;

/**
 * The queues, change logs, current states and views of the captured tables, and of the heartbeat (sql/clickhouse/).
 * A change is applied with consumption stopped at a position from which it goes on; what would lose data is refused.
 */
export class ClickHouseSchema extends pulumi.dynamic.Resource {
  declare readonly database: pulumi.Output<string>;
  /** By captured table, when the tables in which its rows end were made. */
  declare readonly births: pulumi.Output<Record<string, string>>;
  /** What the last refresh found to be otherwise than asked for, in words; the next update repairs it. */
  declare readonly drift: pulumi.Output<string[]>;

  constructor(name: string, args: ClickHouseSchemaArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      remoteProvider("clickhouse-schema"),
      name,
      { drift: undefined, fingerprints: undefined, births: undefined, kept: undefined, ...args, revision },
      pulumi.mergeOptions({ additionalSecretOutputs: ["password"] }, opts),
      "cdc",
      "ClickHouseSchema",
    );
  }
}
