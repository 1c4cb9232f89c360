import { describe, expect, test } from "vitest";
import { checkInputs as checkConnector } from "../../src/providers/debezium-connector/check";
import { checkInputs as checkTopic } from "../../src/providers/kafka-topic/check";
import { checkInputs as checkSource } from "../../src/providers/postgres-source/check";

/** How a value that is not known yet reads during a preview. */
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

type Check = typeof checkTopic;

function failuresOf(check: Check, inputs: Record<string, unknown>): string[] {
  return check(inputs).failures.map(({ property, reason }) => `${property}: ${reason}`);
}

const topic = { bootstrapServers: "localhost:9092", topic: "p.s.t", partitions: 6, replicationFactor: 1 };

const connector = {
  url: "http://127.0.0.1:8083",
  connector: "inventory",
  settings: {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": "postgres",
    "database.dbname": "inventory",
    "database.user": "debezium",
    "topic.prefix": "postgres-server",
    "slot.name": "cdc_slot",
    "heartbeat.interval.ms": "5000",
    "heartbeat.action.query": "UPDATE …",
  },
  heartbeat: { url: "http://127.0.0.1:8123", user: "cdc", password: "p", database: "default" },
};

const source = {
  host: "127.0.0.1",
  port: 5432,
  database: "inventory",
  adminUser: "postgres",
  adminPassword: "p",
  connector: { user: "debezium", password: "p" },
  tables: ["inventory.orders"],
};

describe.each([
  ["a topic", checkTopic, topic],
  ["a connector", checkConnector, connector],
  ["a source", checkSource, source],
] as const)("%s", (_name, check: Check, inputs: Record<string, unknown>) => {
  test("is fine as it should be, with defaults for what is left out", () => {
    expect(failuresOf(check, inputs)).toEqual([]);
    expect(check(inputs).inputs).toMatchObject({ ...inputs, managed: false });
  });

  test.each(Object.keys(inputs))("may have %s unknown during a preview", (property) => {
    expect(failuresOf(check, { ...inputs, [property]: unknown })).toEqual([]);
  });

  test("takes null for left out", () => {
    expect(check({ ...inputs, managed: null }).inputs.managed).toBe(false);
  });
});

describe("a topic's inputs", () => {
  test.each([
    [{ bootstrapServers: "localhost" }, "bootstrapServers"],
    [{ bootstrapServers: "localhost:99999" }, "bootstrapServers"],
    [{ bootstrapServers: "a:1,,b:2" }, "bootstrapServers"],
    [{ topic: "with space" }, "topic"],
    [{ topic: ".." }, "topic"],
    [{ topic: "x".repeat(250) }, "topic"],
    [{ partitions: 0 }, "partitions"],
    [{ partitions: 1.5 }, "partitions"],
    [{ replicationFactor: "1" }, "replicationFactor"],
    [{ startTimeoutSeconds: -1 }, "startTimeoutSeconds"],
  ])("%j is refused", (wrong, property) => {
    expect(failuresOf(checkTopic, { ...topic, ...wrong })).toEqual([
      expect.stringMatching(`^${property}: is `),
    ]);
  });

  test.each(["a:1", "a:1, b:2", "[::1]:9092"])("%s names brokers", (bootstrapServers) => {
    expect(failuresOf(checkTopic, { ...topic, bootstrapServers })).toEqual([]);
  });

  test("a mistyped setting is refused with the right one; one of another maker's is left to the broker", () => {
    expect(failuresOf(checkTopic, { ...topic, config: { "retention.mss": "1" } })).toEqual([
      "config: retention.mss: Kafka has no such setting of a topic; did you mean retention.ms?",
    ]);
    expect(failuresOf(checkTopic, { ...topic, config: { "confluent.placement.constraints": "{}" } })).toEqual(
      [],
    );
    expect(failuresOf(checkTopic, { ...topic, config: { "retention.ms": 5 } })).toEqual([
      "config: retention.ms is 5; Kafka takes all values as text",
    ]);
  });
});

describe("a connector's inputs", () => {
  const withSetting = (name: string, value: unknown) => ({
    ...connector,
    settings: { ...connector.settings, [name]: value },
  });

  test.each([
    [
      "connector.class",
      "io.debezium.connector.mysql.MySqlConnector",
      /must be io\.debezium\.connector\.postgresql/,
    ],
    ["name", "another", /the connector is called inventory/],
    ["topic.prefix", "a b", /topics begin with it/],
    ["slot.name", "Slot", /lower-case letters/],
    ["slot.drop.on.stop", "true", /every restart would lose what changes meanwhile/],
    ["tasks.max", "2", /a replication slot has one reader/],
    ["database.hostname", undefined, /is missing/],
    ["heartbeat.interval.ms", "0", /the heartbeat that is waited for would never come/],
    ["heartbeat.action.query", undefined, /the heartbeat that is waited for would never come/],
    ["poll.interval.ms", 20, /Connect takes all values as text/],
  ])("%s = %j is refused", (name, value, reason) => {
    const failures = failuresOf(checkConnector, withSetting(name, value));
    expect(failures).toEqual([expect.stringMatching(reason)]);
    expect(failures[0]).toMatch(`settings: ${name} is `);
  });

  test("a single setting may be unknown", () => {
    expect(failuresOf(checkConnector, withSetting("slot.name", unknown))).toEqual([]);
  });

  test("without a heartbeat to wait for, no heartbeat is needed", () => {
    const { heartbeat, ...rest } = withSetting("heartbeat.interval.ms", "0");
    expect(heartbeat).toBeDefined();
    expect(failuresOf(checkConnector, rest)).toEqual([]);
  });

  test.each([
    [{ url: "127.0.0.1:8083" }, /^url: must be Kafka Connect's REST interface/],
    [{ connector: "a/b" }, /^connector: is "a\/b"/],
    [{ settings: "x" }, /^settings: must be settings by name/],
    [{ heartbeat: { url: "x", user: "", password: "p" } }, /^heartbeat: url must be/],
  ])("%j is refused", (wrong, reason) => {
    expect(failuresOf(checkConnector, { ...connector, ...wrong })[0]).toMatch(reason);
  });
});

describe("a source's inputs", () => {
  test.each([
    [{ port: 0 }, /^port: /],
    [{ slot: "With-Dash" }, /^slot: .*lower-case letters/],
    [{ tables: [] }, /^tables: must name at least one table/],
    [{ tables: ["orders"] }, /^tables: "orders": a table is named with its schema/],
    [{ tables: ["a.b", "a.b"] }, /^tables: named twice: a\.b/],
    [{ tables: ["cdc.heartbeat"] }, /^tables: cdc\.heartbeat: the schema cdc is the pipeline's own/],
    [{ orderBy: { "a.b": ["c"] } }, /^orderBy: a\.b: not among the captured tables \(inventory\.orders\)/],
    [{ replicaIdentityFull: "always" }, /^replicaIdentityFull: must be "auto" or a list/],
    [{ connector: { user: "pg_x", password: "p" } }, /^connector: user "pg_x" cannot be a role's name/],
    [{ connector: { user: "debezium", password: "ä" } }, /^connector: the password must be printable ASCII/],
    [{ exporter: { user: "debezium", password: "p" } }, /^exporter: role "debezium" is used twice/],
    [{ ssl: "on" }, /^ssl: is "on"; allowed are/],
  ])("%j is refused", (wrong, reason) => {
    expect(failuresOf(checkSource, { ...source, ...wrong })).toEqual([expect.stringMatching(reason)]);
  });
});
