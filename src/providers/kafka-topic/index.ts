import * as pulumi from "@pulumi/pulumi";
import { remoteProvider } from "../dynamic";

export interface KafkaTopicArgs {
  /** `host:port` of one or more brokers, as the machine that runs Pulumi reaches them; several with commas. */
  readonly bootstrapServers: pulumi.Input<string>;
  readonly topic: pulumi.Input<string>;
  /** Fixed once the topic exists: another count would send a key's events to another partition than its earlier ones. */
  readonly partitions: pulumi.Input<number>;
  /** Copies of each partition, at most as many as there are brokers. Fixed once the topic exists. */
  readonly replicationFactor: pulumi.Input<number>;
  /** Settings that differ from the broker's, by Kafka's names, e.g. `{ "retention.ms": "604800000" }`; none by default. */
  readonly config?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Whether the Kafka lives and dies with this stack (default: false). If so, its address may change in place, every
   * topic in it is the stack's own, and on deletion a Kafka that does not answer any more counts as gone.
   */
  readonly managed?: pulumi.Input<boolean>;
  /** How long a broker that starts is waited for, in seconds; 120 by default. */
  readonly startTimeoutSeconds?: pulumi.Input<number>;
}

/** Bumped when an existing resource must be updated although none of its inputs changed. */
const revision = 1;

/**
 * A topic. One that is there already is taken over if it fits; on a Kafka that is not the stack's own, such a topic
 * survives deletion.
 */
export class KafkaTopic extends pulumi.dynamic.Resource {
  declare readonly topic: pulumi.Output<string>;
  declare readonly partitions: pulumi.Output<number>;
  /** Whether the topic was there before and will not be deleted. */
  declare readonly adopted: pulumi.Output<boolean>;
  /** What the last refresh found to be otherwise than asked for, in words; the next update repairs it. */
  declare readonly drift: pulumi.Output<string[]>;

  constructor(name: string, args: KafkaTopicArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      remoteProvider("kafka-topic"),
      name,
      { adopted: undefined, drift: undefined, ...args, revision },
      opts,
      "cdc",
      "KafkaTopic",
    );
  }
}
