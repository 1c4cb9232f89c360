import { type Admin, ConfigResourceTypes } from "kafkajs";
import { messageOf, waitFor } from "../../lib/retry";
import type { KafkaTopicInputs } from "./types";

/** A topic as the broker describes it. */
export interface TopicFacts {
  readonly partitions: number;
  /** The fewest copies that any partition has. */
  readonly replicationFactor: number;
  /** Effective settings, with those that come from the broker. */
  readonly config: Readonly<Record<string, string>>;
  /** Those of the settings that were given to the topic itself. */
  readonly overrides: Readonly<Record<string, string>>;
}

/** `DescribeConfigsResponse.ConfigSource.TOPIC_CONFIG`: given to the topic itself. */
const topicConfigSource = 1;

/** What the broker says of a topic; undefined when there is none. */
export async function readTopic(admin: Admin, topic: string): Promise<TopicFacts | undefined> {
  const partitions = await partitionsOf(admin, topic);
  if (partitions === undefined) return undefined;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
  });
  const entries = resources.flatMap(({ configEntries }) => configEntries);
  const values = (chosen: typeof entries) =>
    Object.fromEntries(chosen.map(({ configName, configValue }) => [configName, configValue]));
  return {
    partitions: partitions.length,
    replicationFactor: Math.min(...partitions.map(({ replicas }) => replicas.length)),
    config: values(entries),
    // The type says `isDefault` and no more; kafkajs hands on what the broker sent.
    overrides: values(
      entries.filter((entry) => (entry as { configSource?: number }).configSource === topicConfigSource),
    ),
  };
}

async function partitionsOf(admin: Admin, topic: string) {
  try {
    // A question for a topic by name would make it, on a broker that makes topics by itself.
    const existing = await admin.listTopics();
    if (!existing.includes(topic)) return undefined;
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions;
  } catch (error) {
    if (typeOf(error) === "UNKNOWN_TOPIC_OR_PARTITION") return undefined;
    throw error;
  }
}

/** @throws Error in the user's terms for what the broker refuses. */
export async function createTopic(admin: Admin, inputs: KafkaTopicInputs): Promise<void> {
  const request = (config: KafkaTopicInputs["config"], validateOnly: boolean) =>
    admin.createTopics({
      validateOnly,
      waitForLeaders: !validateOnly,
      timeout: 15_000,
      topics: [
        {
          topic: inputs.topic,
          numPartitions: inputs.partitions,
          replicationFactor: inputs.replicationFactor,
          configEntries: entriesOf(config),
        },
      ],
    });
  try {
    await request(inputs.config, false);
  } catch (error) {
    // Taken, but a busy broker knows the topic's leaders only a moment later: whoever made it looks again.
    if (/^(UNKNOWN_TOPIC_OR_PARTITION|LEADER_NOT_AVAILABLE)$/.test(typeOf(error) ?? "")) return;
    throw await explained(error, inputs, (config) => request(config, true));
  }
}

/**
 * Gives the topic the wanted settings and takes back those in `dropped`. Others that somebody gave to the topic stay:
 * kafkajs has only the old request, which replaces all of them, so they are sent along.
 */
export async function alterTopic(
  admin: Admin,
  inputs: KafkaTopicInputs,
  facts: TopicFacts,
  dropped: readonly string[],
): Promise<void> {
  const request = (config: KafkaTopicInputs["config"], validateOnly: boolean) =>
    admin.alterConfigs({
      validateOnly,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: inputs.topic, configEntries: entriesOf(config) }],
    });
  const kept = Object.entries(facts.overrides).filter(([name]) => !dropped.includes(name));
  try {
    await request({ ...Object.fromEntries(kept), ...inputs.config }, false);
  } catch (error) {
    throw await explained(error, inputs, (config) => request(config, true));
  }
}

/** Deletes a topic and waits until the broker lists it no more. What is gone already is no error. */
export async function deleteTopic(admin: Admin, topic: string): Promise<void> {
  await waitFor(
    async () => {
      if (!(await admin.listTopics()).includes(topic)) return true;
      await admin.deleteTopics({ topics: [topic], timeout: 15_000 });
      return false;
    },
    {
      what: `deleting topic ${topic}`,
      timeoutMs: 60_000,
      isFatal: (error) => /AUTHORIZATION|DELETION_DISABLED/.test(typeOf(error) ?? ""),
    },
  );
}

/** Settings whose effective value is not the wanted one. */
export function differingSettings(wanted: KafkaTopicInputs["config"], { config }: TopicFacts): string[] {
  return Object.keys(wanted).filter((name) => normal(wanted[name]) !== normal(config[name]));
}

/** Kafka writes lists without spaces and booleans in lower case. */
function normal(value: string | undefined): string | undefined {
  const text = value?.trim().replace(/\s*,\s*/g, ",");
  return /^(true|false)$/i.test(text ?? "") ? text?.toLowerCase() : text;
}

function entriesOf(config: KafkaTopicInputs["config"]): { name: string; value: string }[] {
  return Object.entries(config).map(([name, value]) => ({ name, value }));
}

/** The broker's word for an error, also where kafkajs has wrapped it. */
function typeOf(error: unknown): string | undefined {
  const { type, errors, cause } = error as { type?: string; errors?: { type?: string }[]; cause?: unknown };
  return type ?? errors?.[0]?.type ?? (cause === undefined ? undefined : typeOf(cause));
}

/**
 * An error in the user's terms. Which setting is wrong, the broker says, but kafkajs drops it: so each is tried by
 * itself, without effect.
 */
async function explained(
  error: unknown,
  inputs: KafkaTopicInputs,
  tryOut: (config: KafkaTopicInputs["config"]) => Promise<unknown>,
): Promise<unknown> {
  const topic = `topic ${inputs.topic} at ${inputs.bootstrapServers}`;
  const as = (message: string) => new Error(`${topic}: ${message}`, { cause: error });
  switch (typeOf(error)) {
    case "INVALID_CONFIG": {
      const wrong: string[] = [];
      for (const [name, value] of Object.entries(inputs.config)) {
        await tryOut({ [name]: value }).catch(() => wrong.push(`${name}=${value}`));
      }
      return as(
        `the broker does not take ${wrong.join(", ") || "these settings together"}; the settings of a topic and their ` +
          "values are in Kafka's documentation under Topic Configs",
      );
    }
    case "INVALID_REPLICATION_FACTOR":
      return as(
        `replicationFactor ${inputs.replicationFactor} is more than there are brokers; lower it, or start more brokers`,
      );
    case "INVALID_PARTITIONS":
      return as(`the broker does not take ${inputs.partitions} partitions`);
    case "TOPIC_AUTHORIZATION_FAILED":
    case "CLUSTER_AUTHORIZATION_FAILED":
      return as("the broker does not allow it; the user needs CREATE, DESCRIBE and ALTER on the topic");
    case "POLICY_VIOLATION":
      return as("the broker's own policy forbids a topic with these settings");
    default:
      return as(reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  const { errors } = error as { errors?: unknown[] };
  return Array.isArray(errors) ? errors.map(messageOf).join("; ") : messageOf(error);
}
