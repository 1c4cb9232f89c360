import { type Admin, ConfigResourceTypes } from "kafkajs";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { withKafkaAdmin } from "../../src/lib/kafka";
import * as operations from "../../src/providers/kafka-topic/operations";
import type { KafkaTopicInputs } from "../../src/providers/kafka-topic/types";
import { TestResource } from "../support/provider";
import { type Server, server } from "../support/servers";

let bootstrapServers: string;
let kafka: Server;
let count = 0;

beforeAll(async () => {
  kafka = await server("kafka");
  bootstrapServers = `${kafka.host}:${kafka.port}`;
});

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Arguments for a topic of a name of its own. */
function newTopic(more: Partial<KafkaTopicInputs> = {}) {
  return {
    bootstrapServers,
    topic: `test.topic-${++count}`,
    partitions: 3,
    replicationFactor: 1,
    config: { "retention.ms": "604800000", "cleanup.policy": "delete" },
    ...more,
  };
}

function asAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
  return withKafkaAdmin(bootstrapServers, 10_000, work);
}

function exists(topic: string): Promise<boolean> {
  return asAdmin(async (admin) => (await admin.listTopics()).includes(topic));
}

/** The settings that were given to the topic itself. */
function overrides(topic: string): Promise<Record<string, string>> {
  return asAdmin(async (admin) => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    });
    const entries = resources[0]?.configEntries as unknown as {
      configName: string;
      configValue: string;
      configSource: number;
    }[];
    return Object.fromEntries(
      entries
        .filter(({ configSource }) => configSource === 1)
        .map(({ configName, configValue }) => [configName, configValue]),
    );
  });
}

function setOverrides(topic: string, config: Record<string, string>): Promise<unknown> {
  return asAdmin((admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
        },
      ],
    }),
  );
}

function makeByHand(topic: string, partitions = 3, config: Record<string, string> = {}): Promise<unknown> {
  return asAdmin((admin) =>
    admin.createTopics({
      topics: [
        {
          topic,
          numPartitions: partitions,
          replicationFactor: 1,
          configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
        },
      ],
    }),
  );
}

describe("a topic", () => {
  test("is made, is left alone by the next up, and is deleted", async () => {
    const resource = new TestResource(operations);
    const args = newTopic();
    expect(await resource.up(args)).toBe("created");
    const [metadata] = await asAdmin(
      async (admin) => (await admin.fetchTopicMetadata({ topics: [args.topic] })).topics,
    );
    expect(metadata?.partitions).toHaveLength(3);
    expect(await overrides(args.topic)).toEqual(args.config);
    expect(await resource.up(args)).toBe("unchanged");
    expect(await resource.refresh()).toEqual([]);
    expect(await resource.up(args)).toBe("unchanged");
    await resource.destroy();
    expect(await exists(args.topic)).toBe(false);
  });

  test("that somebody deleted is made again; to delete it once more is no error", async () => {
    const resource = new TestResource(operations);
    const args = newTopic();
    await resource.up(args);
    await asAdmin((admin) => admin.deleteTopics({ topics: [args.topic] }));
    expect(await resource.refresh()).toBe("gone");
    expect(await resource.up(args)).toBe("created");
    await asAdmin((admin) => admin.deleteTopics({ topics: [args.topic] }));
    await resource.destroy();
    expect(await exists(args.topic)).toBe(false);
  });

  test("gets a changed setting in place, loses a dropped one, and keeps what others gave it", async () => {
    const resource = new TestResource(operations);
    const args = newTopic();
    await resource.up(args);
    await setOverrides(args.topic, { ...args.config, "max.message.bytes": "2000000" });
    const changed = { ...args, config: { "retention.ms": "3600000", "compression.type": "lz4" } };
    expect((await resource.plan(changed)).replaces).toEqual([]);
    expect(await resource.up(changed)).toBe("updated");
    expect(await overrides(args.topic)).toEqual({
      "retention.ms": "3600000",
      "compression.type": "lz4",
      "max.message.bytes": "2000000",
    });
    expect(await resource.up(changed)).toBe("unchanged");
  });

  test("whose settings somebody changed shows as drift, and the next up repairs it", async () => {
    const resource = new TestResource(operations);
    const args = newTopic();
    await resource.up(args);
    await setOverrides(args.topic, { "retention.ms": "1000" });
    expect(await resource.refresh()).toEqual([
      `topic ${args.topic} has retention.ms=1000 instead of 604800000`,
    ]);
    expect(await resource.up(args)).toBe("updated");
    expect(await overrides(args.topic)).toEqual(args.config);
    expect(await resource.refresh()).toEqual([]);
  });

  test("reads the same for a list that Kafka writes without spaces", async () => {
    const resource = new TestResource(operations);
    const args = newTopic({ config: { "cleanup.policy": "compact, delete", preallocate: "False" } });
    await resource.up(args);
    expect(await resource.refresh()).toEqual([]);
    expect(await resource.up(args)).toBe("unchanged");
  });

  test("never gets more or fewer partitions: the preview refuses it and says what to do", async () => {
    const resource = new TestResource(operations);
    const args = newTopic();
    await resource.up(args);
    for (const partitions of [2, 6]) {
      await expect(resource.plan({ ...args, partitions })).rejects.toThrow(
        /partitions: topic test\.topic-\d+ has 3, and \d cannot be made of it.*out of order.*Keep partitions at 3/s,
      );
    }
    await expect(resource.plan({ ...args, replicationFactor: 2 })).rejects.toThrow(
      /kafka-reassign-partitions/,
    );
    // Another topic may have what it likes.
    expect((await resource.plan({ ...newTopic(), partitions: 6 })).replaces).toEqual(["topic"]);
  });

  test("that got more partitions by other means is drift, which only the configuration can follow", async () => {
    const resource = new TestResource(operations);
    const args = newTopic();
    await resource.up(args);
    await asAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic: args.topic, count: 4 }] }));
    expect(await resource.refresh()).toEqual([`topic ${args.topic} has partitions 4 instead of 3`]);
    await expect(resource.up(args)).rejects.toThrow(/has partitions 4, not 3/);
    expect(await resource.up({ ...args, partitions: 4 })).toBe("updated");
    expect(await resource.refresh()).toEqual([]);
  });

  test("of another name takes the place of the first", async () => {
    const resource = new TestResource(operations);
    const [first, second] = [newTopic(), newTopic()];
    await resource.up(first);
    expect(await resource.up(second)).toBe("replaced");
    expect(await exists(first.topic)).toBe(false);
    expect(await exists(second.topic)).toBe(true);
  });
});

describe("a topic that was there before", () => {
  test("is used and outlives the pipeline, where the Kafka is not the stack's own", async () => {
    const resource = new TestResource(operations);
    const args = newTopic();
    await makeByHand(args.topic, 3, args.config);
    await resource.up(args);
    expect(resource.state.adopted).toBe(true);
    await resource.up({ ...args, config: { "retention.ms": "1000" } });
    await resource.destroy();
    expect(await exists(args.topic)).toBe(true);
  });

  test("is refused when it does not fit, and is not changed", async () => {
    const resource = new TestResource(operations);
    const other = newTopic();
    await makeByHand(other.topic, 5);
    await expect(resource.up(other)).rejects.toThrow(/has partitions 5, not 3.*another topic prefix/s);
    const settings = newTopic();
    await makeByHand(settings.topic, 3, { "cleanup.policy": "compact" });
    await expect(resource.up(settings)).rejects.toThrow(
      /was there before and is not changed, but has cleanup\.policy=compact, not delete/,
    );
    expect(resource.exists).toBe(false);
    expect(await overrides(settings.topic)).toEqual({ "cleanup.policy": "compact" });
  });

  test("belongs to the stack when the Kafka does: an up that was killed is completed", async () => {
    const args = newTopic({ managed: true });
    const killed = new TestResource(operations);
    await killed.up(args);
    killed.forget();
    const resource = new TestResource(operations);
    const changed = { ...args, config: { "retention.ms": "1000" } };
    expect(await resource.up(changed)).toBe("created");
    expect(await overrides(args.topic)).toMatchObject({ "retention.ms": "1000" });
    await resource.destroy();
    expect(await exists(args.topic)).toBe(false);
  });

  test("stays with the data volumes when they are kept", async () => {
    const resource = new TestResource(operations);
    const args = newTopic({ managed: true });
    await resource.up(args);
    vi.stubEnv("CDC_KEEP_DATA", "1");
    await resource.destroy();
    expect(await exists(args.topic)).toBe(true);
  });
});

describe("what the broker refuses", () => {
  test("is said with the setting that is wrong", async () => {
    const resource = new TestResource(operations);
    const args = newTopic({ config: { "retention.ms": "a week", "cleanup.policy": "delete" } });
    await expect(resource.up(args)).rejects.toThrow(/the broker does not take retention\.ms=a week; /);
    expect(resource.exists).toBe(false);
    expect(await exists(args.topic)).toBe(false);
    const good = { ...args, config: {} };
    await resource.up(good);
    await expect(resource.up(args)).rejects.toThrow(/the broker does not take retention\.ms=a week; /);
    expect(await resource.up(good)).toBe("unchanged");
  });

  test("is said in the words of the configuration", async () => {
    const resource = new TestResource(operations);
    await expect(resource.up(newTopic({ replicationFactor: 3 }))).rejects.toThrow(
      /replicationFactor 3 is more than there are brokers/,
    );
  });
});

describe("a broker that does not answer", () => {
  const nowhere = { bootstrapServers: "127.0.0.1:1", startTimeoutSeconds: 1 };

  test("is waited for with a bound, and nothing is in the state", async () => {
    const resource = new TestResource(operations);
    await expect(resource.up(newTopic(nowhere))).rejects.toThrow(
      /Kafka at 127\.0\.0\.1:1: not ready after 1 s.*Is it running/,
    );
    expect(resource.exists).toBe(false);
  });

  test("is waited for while it starts", async () => {
    const resource = new TestResource(operations);
    await kafka.container.restart({ t: 10 });
    expect(await resource.up(newTopic())).toBe("created");
  });

  test("counts as gone at deletion only if it goes with the stack; a refresh calls it drift", async () => {
    const props = { ...newTopic(nowhere), managed: false, adopted: false, revision: 1, drift: [] };
    const [{ props: found }] = await Promise.all([
      operations.read(props.topic, props as never),
      expect(operations.delete(props.topic, props as never)).rejects.toThrow(/pulumi state delete/),
      operations.delete(props.topic, { ...props, managed: true } as never),
    ]);
    expect(found.drift).toEqual([expect.stringMatching(/Kafka at 127\.0\.0\.1:1/)]);
  });
});
