import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { HttpClient } from "../../src/lib/http";
import { kafka, withKafkaAdmin } from "../../src/lib/kafka";
import { waitFor } from "../../src/lib/retry";
import { keptBirth } from "../../src/providers/births";
import * as operations from "../../src/providers/debezium-connector/operations";
import * as source from "../../src/providers/postgres-source/operations";
import { connectorSettings, generationSetting } from "../../src/tables";
import { newDatabase, sourceArgs, type TestDatabase } from "../support/databases";
import { TestResource } from "../support/provider";
import { connectorRole, type Server, server } from "../support/servers";

let connect: Server;
let broker: Server;
let url: string;
let database: TestDatabase;
let postgres: TestResource;
let resource: TestResource;
let count = 0;

beforeAll(async () => {
  [connect, broker] = await Promise.all([server("connect"), server("kafka"), server("postgres")]);
  url = `http://${connect.host}:${connect.port}`;
  database = await newDatabase("connector");
  await database.query("TRUNCATE inventory.orders; DELETE FROM inventory.customers WHERE id > 10");
  postgres = new TestResource(source);
  await postgres.up(sourceArgs(database));
});

beforeEach(() => {
  resource = new TestResource(operations);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await resource.destroy();
});

afterAll(async () => {
  await postgres.destroy();
  await database.drop();
});

/** Arguments for a connector with a name, a slot and topics of its own. */
function newConnector(overrides: Record<string, string> = {}) {
  const name = `connector-${++count}`;
  return {
    url,
    connector: name,
    generationSetting,
    startTimeoutSeconds: 120,
    settings: connectorSettings({
      name,
      topicPrefix: `test-${count}`,
      database: database.name,
      host: "postgres",
      port: 5432,
      tables: ["inventory.customers", "inventory.orders"],
      publication: "cdc_publication",
      slot: `slot_${count}`,
      credentialsFile: "/etc/cdc/connect/postgres.properties",
      heapMb: 512,
      overrides: { ...topicDefaults, ...overrides },
    }),
  };
}

/** The broker of the tests makes no topics by itself: Connect does. */
const topicDefaults = {
  "topic.creation.default.partitions": "1",
  "topic.creation.default.replication.factor": "1",
  // The tests read with kafkajs, which has no lz4.
  "producer.override.compression.type": "gzip",
};

/** The source database, by which the connector is told to read rows that are there. */
function signals() {
  return { host: database.host, port: database.port, database: database.name, ...connectorRole };
}

function withSettings<T extends { settings: Record<string, string> }>(
  args: T,
  settings: Record<string, string>,
): T {
  return { ...args, settings: { ...args.settings, ...settings } };
}

async function rest(method: "GET" | "PUT" | "POST" | "DELETE", path: string, body?: unknown) {
  return waitFor(
    async () => {
      const answer = await new HttpClient(url).send(method, path, body);
      return answer.status !== 409 && answer;
    },
    { what: `${method} ${path}`, timeoutMs: 30_000 },
  );
}

async function stateOf(connector: string): Promise<unknown> {
  const { data } = await rest("GET", `/connectors/${connector}/status`);
  const { connector: one, tasks } = data as {
    connector: { state: string };
    tasks: { state: string }[];
  };
  return [one.state, ...tasks.map(({ state }) => state)];
}

async function slotsOf(args: { settings: Record<string, string> }): Promise<number> {
  const rows = await database.query(
    `SELECT FROM pg_replication_slots WHERE slot_name = '${args.settings["slot.name"]}'`,
  );
  return rows.length;
}

function dropSlotOf(args: { settings: Record<string, string> }) {
  return waitFor(
    async () => {
      await database.query(
        `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '${args.settings["slot.name"]}'`,
      );
      return true;
    },
    { what: "dropping the slot", timeoutMs: 20_000 },
  );
}

interface Event {
  readonly op: string;
  readonly id: number;
  readonly generation: string;
}

/** The events of a connector's topic, from the first on, until there are as many as expected. */
async function events(
  args: { settings: Record<string, string> },
  table: string,
  atLeast: number,
): Promise<Event[]> {
  const topic = `${args.settings["topic.prefix"]}.inventory.${table}`;
  const bootstrap = `${broker.host}:${broker.port}`;
  // Connect makes the topic with its first event; a consumer that came before would learn of it minutes later.
  await withKafkaAdmin(bootstrap, 10_000, (admin) =>
    waitFor(async () => (await admin.fetchTopicOffsets(topic)).some(({ high }) => Number(high) >= atLeast), {
      what: `${atLeast} events in topic ${topic}`,
      timeoutMs: 60_000,
    }),
  );
  const consumer = kafka(bootstrap).consumer({ groupId: `reader-${Math.random()}` });
  const found: Event[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        const { op, after, before } = JSON.parse(message.value?.toString() ?? "{}");
        const generation = JSON.parse(String(message.headers?.["cdc-generation"]));
        found.push({ op, id: (after ?? before).id, generation: String(generation) });
      },
    });
    await waitFor(() => found.length >= atLeast, {
      what: `${atLeast} events in topic ${topic}`,
      timeoutMs: 60_000,
    });
  } finally {
    await consumer.disconnect();
  }
  return found;
}

describe("a connector", () => {
  test("runs when it is up, is left alone by the next up, and goes with its offsets", async () => {
    const args = newConnector();
    expect(await resource.up(args)).toBe("created");
    expect(await stateOf(args.connector)).toEqual(["RUNNING", "RUNNING"]);
    expect((await events(args, "customers", 10)).map(({ op }) => op)).toEqual(Array(10).fill("r"));
    expect(await resource.up(args)).toBe("unchanged");
    expect(await resource.refresh()).toEqual([]);
    expect(await resource.up(args)).toBe("unchanged");
    await resource.destroy();
    expect((await rest("GET", `/connectors/${args.connector}`)).status).toBe(404);
  });

  test("that was deleted together with its slot begins anew, with a snapshot and a higher generation", async () => {
    const args = newConnector();
    await resource.up(args);
    const first = Number(resource.state.generation);
    await events(args, "customers", 10);
    await resource.destroy();
    await dropSlotOf(args);
    await resource.up(args);
    const second = Number(resource.state.generation);
    expect(second).toBeGreaterThan(first);
    const generations = (await events(args, "customers", 20)).map(({ generation }) => Number(generation));
    expect(generations).toEqual([...Array(10).fill(first), ...Array(10).fill(second)]);
  });

  test("takes a changed setting in place, and goes on where it was", async () => {
    const args = newConnector();
    await resource.up(args);
    await events(args, "customers", 10);
    const { generation } = resource.state;
    const changed = withSettings(args, { "poll.interval.ms": "50" });
    expect((await resource.plan(changed)).replaces).toEqual([]);
    expect(await resource.up(changed)).toBe("updated");
    expect(resource.state.generation).toBe(generation);
    await database.query("UPDATE inventory.customers SET city = 'Porto' WHERE id = 1");
    expect((await events(args, "customers", 11)).at(-1)).toEqual({
      op: "u",
      id: 1,
      generation: String(generation),
    });
    expect(await resource.refresh()).toEqual([]);
  });

  test("with another prefix, slot, database or name is another one", async () => {
    const args = { ...newConnector(), source: "postgres/a" };
    await resource.up(args);
    for (const name of ["topic.prefix", "slot.name", "database.dbname"])
      expect((await resource.plan(withSettings(args, { [name]: "other" }))).replaces).toEqual(["settings"]);
    expect((await resource.plan({ ...args, source: "postgres/b" })).replaces).toEqual(["source"]);
    expect((await resource.plan({ ...args, url: `${url}/` })).replaces).toEqual(["url"]);
    expect((await resource.plan({ ...args, url: `${url}/`, managed: true })).replaces).toEqual([]);
    const other = newConnector();
    expect(await resource.up(other)).toBe("replaced");
    expect((await rest("GET", `/connectors/${args.connector}`)).status).toBe(404);
    await dropSlotOf(args);
  });
});

describe("drift", () => {
  test("of settings is told without secrets, and repaired", async () => {
    const args = newConnector({ "signal.kafka.password": "in-the-clear" });
    await resource.up(args);
    await rest("PUT", `/connectors/${args.connector}/config`, {
      ...args.settings,
      [generationSetting]: String(resource.state.generation),
      "poll.interval.ms": "77",
      "max.batch.size": undefined,
      "signal.kafka.password": "other-secret",
      extra: "1",
    });
    const drift = await resource.refresh();
    expect(drift).toEqual([
      "setting extra is there too much (1)",
      "setting max.batch.size is missing",
      "setting poll.interval.ms is 77 instead of 20",
      "setting signal.kafka.password is *** instead of ***",
    ]);
    expect(await resource.up(args)).toBe("updated");
    expect(await resource.refresh()).toEqual([]);
  });

  test("of the state: one that is paused or stopped runs again after the next up", async () => {
    const args = newConnector();
    await resource.up(args);
    for (const [action, state] of [
      ["pause", "PAUSED"],
      ["stop", "STOPPED"],
    ]) {
      await rest("PUT", `/connectors/${args.connector}/${action}`);
      await waitFor(async () => String(await stateOf(args.connector)).startsWith(String(state)), {
        what: `connector to be ${state}`,
        timeoutMs: 20_000,
      });
      expect(await resource.refresh()).toEqual([`connector ${args.connector} is ${state}`]);
      expect(await resource.up(args)).toBe("updated");
      expect(await stateOf(args.connector)).toEqual(["RUNNING", "RUNNING"]);
    }
  });

  test("of its existence: one that somebody deleted goes on where it was", async () => {
    const args = newConnector();
    await resource.up(args);
    await events(args, "customers", 10);
    const { generation } = resource.state;
    await rest("DELETE", `/connectors/${args.connector}`);
    await database.query("UPDATE inventory.customers SET city = 'Faro' WHERE id = 2");
    expect(await resource.refresh()).toEqual([`connector ${args.connector} does not exist`]);
    expect(await resource.up(args)).toBe("updated");
    expect(resource.state.generation).toBe(generation);
    expect((await events(args, "customers", 11)).at(-1)).toEqual({
      op: "u",
      id: 2,
      generation: String(generation),
    });
  });

  test("a connector that somebody deleted with its offsets has another generation", async () => {
    const args = newConnector();
    await resource.up(args);
    await events(args, "customers", 10);
    const { generation, ...state } = resource.state;
    await operations.delete("", { ...state, generation } as never);
    expect(await resource.refresh()).toEqual([`connector ${args.connector} does not exist`]);
    expect(await resource.up(args)).toBe("updated");
    expect(resource.state.generation).toBeGreaterThan(Number(generation));
    expect(await events(args, "customers", 20)).toHaveLength(20);
  });

  test("a task that has failed is started again", async () => {
    const args = newConnector();
    await resource.up(args);
    await events(args, "customers", 10);
    // The slot is lost, and with it the connector's place: it gives up.
    await rest("PUT", `/connectors/${args.connector}/stop`);
    await dropSlotOf(args);
    await rest("PUT", `/connectors/${args.connector}/resume`);
    await waitFor(async () => String(await stateOf(args.connector)).includes("FAILED"), {
      what: "the task to fail",
      timeoutMs: 60_000,
    });
    expect(await resource.refresh()).toEqual([
      expect.stringMatching(new RegExp(`^the task of connector ${args.connector} is FAILED: .*Exception`)),
    ]);
    const started = Date.now();
    await expect(resource.up(args)).rejects.toThrow(/has FAILED: .*/s);
    expect(Date.now() - started).toBeLessThan(40_000);
    expect(resource.state.drift).toEqual([expect.stringMatching(/^not finished: connector .* has FAILED/)]);
    // A slot at the old place is not to be had; deleted and made anew, it runs.
    await resource.destroy();
    expect(await resource.up(args)).toBe("created");
  });
});

describe("a connector whose slot is gone", () => {
  /** Its events, and then what `up --refresh` makes of it. */
  async function beginsAnew(args: ReturnType<typeof newConnector>, drift: RegExp): Promise<void> {
    const first = Number(resource.state.generation);
    expect(await resource.refresh()).toContainEqual(expect.stringMatching(drift));
    expect(await resource.up(args)).toBe("updated");
    const second = Number(resource.state.generation);
    expect(second).toBeGreaterThan(first);
    const customers = await events(args, "customers", 20);
    expect(customers.slice(10).map(({ op, generation }) => `${op} ${generation}`)).toEqual(
      Array(10).fill(`r ${second}`),
    );
    expect(await slotsOf(args)).toBe(1);
    expect(await resource.refresh()).toEqual([]);
    expect(await resource.up(args)).toBe("unchanged");
  }

  test("because somebody dropped it, begins anew", async () => {
    const args = { ...newConnector(), signals: signals() };
    await resource.up(args);
    await events(args, "customers", 10);
    await rest("PUT", `/connectors/${args.connector}/stop`);
    await dropSlotOf(args);
    await rest("PUT", `/connectors/${args.connector}/resume`);
    await beginsAnew(args, /^replication slot slot_\d+ does not exist$/);
  });

  test("because it held back too much WAL, begins anew", async () => {
    const args = { ...newConnector(), signals: signals() };
    await resource.up(args);
    await events(args, "customers", 10);
    await rest("PUT", `/connectors/${args.connector}/stop`);
    const limit = (value: string) =>
      database.query(`ALTER SYSTEM ${value}`).then(() => database.query("SELECT pg_reload_conf()"));
    await limit("SET max_slot_wal_keep_size = '1MB'");
    try {
      await waitFor(
        async () => {
          await database.query("SELECT pg_logical_emit_message(false, 'filler', 'x'), pg_switch_wal()");
          await database.query("CHECKPOINT");
          const [slot] = await database.query<{ status: string }>(
            `SELECT wal_status AS status FROM pg_replication_slots WHERE slot_name = '${args.settings["slot.name"]}'`,
          );
          return slot?.status === "lost";
        },
        { what: "losing the slot", timeoutMs: 60_000 },
      );
    } finally {
      await limit("RESET max_slot_wal_keep_size");
    }
    await beginsAnew(args, /^replication slot slot_\d+ is lost/);
  });

  test("and that an up was cut short in making anew, begins anew with the next", async () => {
    const args = { ...newConnector(), signals: signals() };
    await resource.up(args);
    await events(args, "customers", 10);
    // As it is between the end of the old life and the new one's generation.
    await rest("PUT", `/connectors/${args.connector}/stop`);
    await rest(
      "PUT",
      `/connectors/${args.connector}/config`,
      withSettings(args, { [generationSetting]: "0" }).settings,
    );
    await dropSlotOf(args);
    await beginsAnew(args, /^replication slot slot_\d+ does not exist$/);
  });
});

describe("a connector that was kept with the data volumes", () => {
  test("reads what a table that was added, and one whose rows are gone from ClickHouse, hold already", async () => {
    await database.query("INSERT INTO inventory.orders VALUES (1, '2025-01-01', 1, 1, 1)");
    const args = { ...newConnector(), signals: signals() };
    const kept = { "inventory.customers": keptBirth, "inventory.orders": keptBirth };
    await resource.up(
      withSettings(args, {
        "table.include.list": "inventory\\.customers,cdc\\.heartbeat,cdc\\.signal",
      }),
    );
    const { generation } = resource.state;
    await events(args, "customers", 10);
    resource.forget();
    expect(await resource.up({ ...args, births: kept })).toBe("created");
    expect(resource.state.generation).toBe(generation);
    expect(await events(args, "orders", 1)).toEqual([{ op: "r", id: 1, generation: String(generation) }]);
    resource.forget();
    await resource.up({ ...args, births: { ...kept, "inventory.customers": "2026-01-01T00:00:00.000Z" } });
    const customers = await events(args, "customers", 20);
    expect(customers.slice(10).map(({ op }) => op)).toEqual(Array(10).fill("r"));
    expect(resource.state.unread).toEqual([]);
  });
});

describe("an up that was cut short", () => {
  test("after the connector was made is completed by the next one", async () => {
    const args = newConnector();
    await resource.up(args);
    const { generation } = resource.state;
    await events(args, "customers", 10);
    resource.forget();
    expect(await resource.up(args)).toBe("created");
    expect(resource.state.generation).toBe(generation);
  });

  test("before the connector was started is completed by the next one", async () => {
    const args = newConnector();
    await rest("POST", "/connectors", {
      name: args.connector,
      config: withSettings(args, { [generationSetting]: "0" }).settings,
      initial_state: "STOPPED",
    });
    expect(await resource.up(args)).toBe("created");
    expect(resource.state.generation).toBeGreaterThan(0);
    expect(await events(args, "customers", 10)).toHaveLength(10);
  });

  test("another connector of the name is left alone", async () => {
    const args = newConnector();
    await resource.up(args);
    const other = new TestResource(operations);
    await expect(other.up(withSettings(args, { "slot.name": "other" }))).rejects.toThrow(
      /has another connector of the name .*slot\.name=slot_\d+, not other.*curl -X DELETE/s,
    );
    expect(other.exists).toBe(false);
    expect(await stateOf(args.connector)).toEqual(["RUNNING", "RUNNING"]);
  });
});

describe("what Debezium refuses", () => {
  test("is said for every setting, without a secret, before anything is made", async () => {
    const args = newConnector({ "poll.interval.ms": "soon", "snapshot.mode": "sometimes" });
    const failure = await resource.up(args).catch((error: Error) => error.message);
    expect(failure).toMatch(/connector-\d+ cannot be made with these settings:/);
    expect(failure).toMatch(/poll\.interval\.ms: .*soon/);
    expect(failure).toMatch(/snapshot\.mode: /);
    expect(resource.exists).toBe(false);
    expect((await rest("GET", `/connectors/${args.connector}`)).status).toBe(404);
  });

  test("a password that Postgres does not take is not shown", async () => {
    const args = newConnector({ "database.password": "not-the-password" });
    const failure = await resource.up(args).catch((error: Error) => error.message);
    expect(failure).toMatch(/password authentication failed/);
    expect(failure).not.toContain("not-the-password");
    expect(failure).not.toContain("connector-secret");
  });

  test("a change that is refused leaves the running connector alone", async () => {
    const args = newConnector();
    await resource.up(args);
    await expect(resource.up(withSettings(args, { "poll.interval.ms": "soon" }))).rejects.toThrow(
      /poll\.interval\.ms/,
    );
    expect(await stateOf(args.connector)).toEqual(["RUNNING", "RUNNING"]);
    expect(await resource.up(args)).toBe("unchanged");
  });
});

describe("deleting", () => {
  test("twice is no error; the slot stays for the source to drop", async () => {
    const args = newConnector();
    await resource.up(args);
    const { state } = resource;
    await operations.delete("", state as never);
    await operations.delete("", state as never);
    expect(await slotsOf(args)).toBe(1);
    await dropSlotOf(args);
  });

  test("does nothing when the data volumes are kept", async () => {
    const args = newConnector();
    await resource.up(args);
    vi.stubEnv("CDC_KEEP_DATA", "1");
    await operations.delete("", resource.state as never);
    expect(await stateOf(args.connector)).toEqual(["RUNNING", "RUNNING"]);
  });

  test("of a Connect that does not answer is an error, unless it goes with the stack", async () => {
    const nowhere = {
      ...newConnector(),
      url: "http://user:secret@127.0.0.1:1",
      drift: [],
      generation: 1,
      managed: false,
    };
    const [{ props }] = await Promise.all([
      operations.read("id", nowhere as never),
      expect(operations.delete("", nowhere as never)).rejects.toThrow(/It still runs connector/),
      operations.delete("", { ...nowhere, managed: true } as never),
    ]);
    expect(props.drift).toEqual([
      expect.stringMatching(/^Kafka Connect at http:\/\/127\.0\.0\.1:1: not ready after/),
    ]);
  });
});

describe("a Connect that does not answer", () => {
  test("is waited for while it starts", async () => {
    const args = newConnector();
    await connect.container.restart({ t: 10 });
    expect(await resource.up(args)).toBe("created");
    expect(await stateOf(args.connector)).toEqual(["RUNNING", "RUNNING"]);
  });

  test("is waited for with a bound, and nothing is in the state", async () => {
    const args = { ...newConnector(), url: "http://127.0.0.1:1", startTimeoutSeconds: 1 };
    await expect(resource.up(args)).rejects.toThrow(
      /Kafka Connect at http:\/\/127\.0\.0\.1:1: not ready after 1 s/,
    );
    expect(resource.exists).toBe(false);
  });
});
