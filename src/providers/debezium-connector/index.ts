import * as pulumi from "@pulumi/pulumi";
import { remoteProvider } from "../dynamic";

export interface DebeziumConnectorArgs {
  /** Kafka Connect's REST interface, as the machine that runs Pulumi reaches it: `http://127.0.0.1:8083`. */
  readonly url: pulumi.Input<string>;
  /** Name of the connector in Connect. Its offsets are kept under it: another name is another connector. */
  readonly connector: pulumi.Input<string>;
  /**
   * The connector's settings by Debezium's names, all as text. Passwords are referred to (`${file:…:password}`), not
   * written. Another `topic.prefix`, `slot.name` or `database.dbname` is another connector, with a snapshot of its own.
   */
  readonly settings: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Id of the `PostgresSource` that it reads from. When that is made anew, its slot is too: the connector is then
   * deleted before it and made after it, because a connector does not go on at a slot that is gone.
   */
  readonly source?: pulumi.Input<string>;
  /**
   * Name of a setting whose value becomes the connector's generation: a number that rises whenever a connector begins
   * without offsets, and so with a snapshot. Whoever reads the topics tells by it what a snapshot has superseded.
   */
  readonly generationSetting?: pulumi.Input<string>;
  /**
   * Where a heartbeat must have come out before `create` and `update` end: that a connector is RUNNING proves nothing.
   * Without it, RUNNING is enough.
   */
  readonly heartbeat?: pulumi.Input<{
    /** ClickHouse's HTTP interface, as the machine that runs Pulumi reaches it. */
    readonly url: pulumi.Input<string>;
    readonly user: pulumi.Input<string>;
    readonly password: pulumi.Input<string>;
    /** Database that holds the table `heartbeat`. */
    readonly database: pulumi.Input<string>;
  }>;
  /**
   * The source database, as the machine that runs Pulumi reaches it, and a role that may insert into `cdc.signal`: a
   * table that is added to a running connector has rows already, and Debezium reads them when it is told to there.
   * Without it, only new changes of such a table come.
   */
  readonly signals?: pulumi.Input<{
    readonly host: pulumi.Input<string>;
    readonly port: pulumi.Input<number>;
    readonly database: pulumi.Input<string>;
    readonly user: pulumi.Input<string>;
    readonly password: pulumi.Input<string>;
  }>;
  /**
   * By captured table, when the tables in which its rows end were made (ClickHouseSchema's `births`). Where that changes,
   * Debezium is told to read the rows that are in Postgres, as for a table that was added.
   */
  readonly births?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Whether Connect lives and dies with this stack (default: false). If so, its address may change in place, and on
   * deletion a Connect that does not answer any more counts as gone.
   */
  readonly managed?: pulumi.Input<boolean>;
  /**
   * How long a Connect that starts is waited for, and then again the connector, its snapshot included; in seconds, 180
   * by default.
   */
  readonly startTimeoutSeconds?: pulumi.Input<number>;
}

/** Bumped when an existing resource must be updated although none of its inputs changed. */
const revision = 1;

/** A Debezium connector in Kafka Connect, with its offsets. */
export class DebeziumConnector extends pulumi.dynamic.Resource {
  declare readonly connector: pulumi.Output<string>;
  declare readonly generation: pulumi.Output<number>;
  /** What the last refresh found to be otherwise than asked for, in words; the next update repairs it. */
  declare readonly drift: pulumi.Output<string[]>;

  constructor(name: string, args: DebeziumConnectorArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      remoteProvider("debezium-connector"),
      name,
      { generation: undefined, unread: undefined, drift: undefined, ...args, revision },
      pulumi.mergeOptions({ additionalSecretOutputs: ["heartbeat", "signals"] }, opts),
      "cdc",
      "DebeziumConnector",
    );
  }
}
