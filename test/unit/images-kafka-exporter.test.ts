import { describe, expect, test } from "vitest";
import { expose } from "../../offline/images/kafka-exporter/app/exposition";
import { parseFlags } from "../../offline/images/kafka-exporter/app/flags";
import type { Partition, Snapshot } from "../../offline/images/kafka-exporter/app/snapshot";

describe("the command line", () => {
  test("without flags is that of kafka_exporter's defaults", () => {
    const settings = parseFlags([]);
    expect(settings).toMatchObject({
      brokers: ["kafka:9092"],
      showAll: true,
      listen: { host: undefined, port: 9308 },
      metricsPath: "/metrics",
      labels: {},
    });
    expect(settings.topics("__consumer_offsets")).toBe(true);
  });

  test("takes values after = and as the next word, and servers more than once", () => {
    const { brokers } = parseFlags(["--kafka.server=a:1", "--kafka.server", "b:2"]);
    expect(brokers).toEqual(["a:1", "b:2"]);
  });

  test("filters and excludes, anywhere in the name as Go's expressions do", () => {
    const { topics, groups } = parseFlags([
      "--topic.filter=inventory",
      "--topic.exclude=^__",
      "--group.exclude=^console-",
    ]);
    expect(["postgres-server.inventory.orders", "__inventory", "other"].filter(topics)).toEqual([
      "postgres-server.inventory.orders",
    ]);
    expect(["clickhouse-group", "console-consumer-1"].filter(groups)).toEqual(["clickhouse-group"]);
  });

  test("takes switches and their opposites", () => {
    expect(parseFlags(["--no-offset.show-all", "--no-sasl.enabled"]).showAll).toBe(false);
  });

  test.each([
    ["127.0.0.1:9000", { host: "127.0.0.1", port: 9000 }],
    ["[::1]:9000", { host: "::1", port: 9000 }],
    [":9000", { host: undefined, port: 9000 }],
  ])("listens on %s", (text, listen) => {
    expect(parseFlags([`--web.listen-address=${text}`]).listen).toEqual(listen);
  });

  test("gives all metrics the labels asked for", () => {
    expect(parseFlags(["--kafka.labels=cluster=one,env=dev"]).labels).toEqual({ cluster: "one", env: "dev" });
  });

  test.each([
    [["--sasl.enabled"], "use the official image"],
    [["--no-such"], "not a flag"],
    [["--kafka.server"], "a value must follow"],
    [["--topic.filter=("], "not a regular expression"],
    [["--web.listen-address=9308"], "must be host:port"],
  ])("refuses %s", (args, why) => {
    expect(() => parseFlags(args)).toThrow(why);
  });
});

describe("the metrics", () => {
  const partition = (id: number, more: Partial<Partition> = {}): Partition => ({
    id,
    leader: 1,
    replicas: [1],
    inSync: [1],
    oldest: 0,
    newest: 10,
    ...more,
  });

  function linesOf(snapshot: Partial<Snapshot>, name: string): readonly string[] {
    const text = expose({ brokers: [], topics: [], groups: [], ...snapshot });
    return text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  }

  const topics = [{ name: "t", partitions: [partition(0), partition(1, { newest: 7 }), partition(2)] }];
  const group = { id: "g", members: 2, offsets: { t: { 0: 4, 1: 8, 2: -1 } } };

  test("count the brokers, and say that there is none when Kafka is away", () => {
    expect(linesOf({ brokers: [{ id: 1, address: "kafka:9092" }] }, "kafka_brokers")).toEqual([
      "kafka_brokers 1",
    ]);
    expect(linesOf({}, "kafka_brokers")).toEqual(["kafka_brokers 0"]);
  });

  test("tell how far a group is behind in each partition: -1 without a commit, never less than nothing", () => {
    expect(linesOf({ topics, groups: [group] }, "kafka_consumergroup_lag")).toEqual([
      'kafka_consumergroup_lag{consumergroup="g",partition="0",topic="t"} 6',
      'kafka_consumergroup_lag{consumergroup="g",partition="1",topic="t"} 0',
      'kafka_consumergroup_lag{consumergroup="g",partition="2",topic="t"} -1',
    ]);
  });

  test("add up lag and offsets by topic", () => {
    expect(linesOf({ topics, groups: [group] }, "kafka_consumergroup_lag_sum")).toEqual([
      'kafka_consumergroup_lag_sum{consumergroup="g",topic="t"} 6',
    ]);
    expect(linesOf({ topics, groups: [group] }, "kafka_consumergroup_current_offset_sum")).toEqual([
      'kafka_consumergroup_current_offset_sum{consumergroup="g",topic="t"} 11',
    ]);
  });

  test("leave out topics that a group does not consume, and keep the group", () => {
    const idle = { id: "g", members: 0, offsets: {} };
    expect(linesOf({ topics, groups: [idle] }, "kafka_consumergroup_lag")).toEqual([]);
    expect(linesOf({ topics, groups: [idle] }, "kafka_consumergroup_members")).toEqual([
      'kafka_consumergroup_members{consumergroup="g"} 0',
    ]);
  });

  test("tell partitions without a leader and with too few replicas", () => {
    const broken = [{ name: "t", partitions: [partition(0, { leader: -1, replicas: [1, 2], inSync: [2] })] }];
    const one = (metric: string) => linesOf({ topics: broken }, `kafka_topic_partition_${metric}`);
    const labels = '{partition="0",topic="t"}';
    expect(one("leader")).toEqual([]);
    expect(one("leader_is_preferred")).toEqual([`kafka_topic_partition_leader_is_preferred${labels} 0`]);
    expect(one("under_replicated_partition")).toEqual([
      `kafka_topic_partition_under_replicated_partition${labels} 1`,
    ]);
  });

  test("escape what labels may not hold as it is", () => {
    const odd = [{ name: 'a"b\\c', partitions: [] }];
    expect(linesOf({ topics: odd }, "kafka_topic_partitions")).toEqual([
      'kafka_topic_partitions{topic="a\\"b\\\\c"} 0',
    ]);
  });
});
