/** Inputs of a topic with every value known. */
export interface KafkaTopicInputs {
  /** `host:port` of one or more brokers, as the machine that runs Pulumi reaches them; several with commas. */
  readonly bootstrapServers: string;
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Settings of the topic that differ from the broker's, by Kafka's names. */
  readonly config: Readonly<Record<string, string>>;
  readonly managed: boolean;
  readonly startTimeoutSeconds: number;
  readonly revision: number;
}

/** What the state holds: the inputs, and what was found. */
export interface KafkaTopicState extends KafkaTopicInputs {
  /** Whether the topic was there before, on a Kafka that is not ours: then it outlives this resource. */
  readonly adopted: boolean;
  /** What was found to be otherwise than asked for, in words; the next update repairs it. */
  readonly drift: readonly string[];
}
