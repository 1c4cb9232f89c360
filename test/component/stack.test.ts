import { expect, test } from "vitest";
import { parseConfig } from "../../src/config";
import { officialImages, type ServiceName } from "../../src/images";
import { planServices } from "../../src/services";
import { CdcStack } from "../../src/stack";
import type { CatalogColumn, CatalogTable } from "../../src/tables";
import { find, passwordOf, type Recorded, record, settled } from "../support/record";

function column(name: string, position: number, type: string): CatalogColumn {
  const base = { schema: "pg_catalog", name: type, kind: "base" } as const;
  return { name, position, type, base, notNull: true, toastable: false, generated: false };
}

const orders: CatalogTable = {
  oid: 16_384,
  schema: "inventory",
  name: "orders",
  partitioned: false,
  heirs: [],
  columns: [column("id", 1, "int4"), column("order_date", 2, "date"), column("quantity", 3, "int4")],
  primaryKey: ["id"],
  primaryKeyIdentifies: true,
  replicaIdentity: "full",
  identityIndex: [],
};

const tables = [{ table: "inventory.orders", orderBy: ["order_date", "id"] }];

/** The stack with all defaults, for the tests that only look at it. */
let usual: ReturnType<typeof build> | undefined;

function built(settings?: Record<string, unknown>) {
  if (settings) return build(settings);
  usual ??= build({});
  return usual;
}

async function build(settings: Record<string, unknown>) {
  const raw = Object.entries({ tables, ...settings }).map(([key, value]) => [
    `cdc:${key}`,
    JSON.stringify(value),
  ]);
  const config = parseConfig(Object.fromEntries(raw));
  const plan = planServices(config, undefined);
  return record(
    () => new CdcStack("cdc", { config, plan }),
    ({ name }) => (name === "source" ? { catalog: [orders] } : undefined),
  );
}

function fromFile(key: string): string {
  return `\${file:/etc/cdc/connect/postgres.properties:${key}}`;
}

function containers(resources: readonly Recorded[]): string[] {
  return resources
    .filter(({ type }) => type === "docker:index/container:Container")
    .map(({ inputs }) => inputs.name);
}

/** Whether the engine makes `late` after `early`, and so deletes it before. */
function isAfter(resources: readonly Recorded[], late: string, early: string): boolean {
  const seen = new Set<string>();
  const visit = (name: string): boolean => {
    if (seen.has(name)) return false;
    seen.add(name);
    const resource = resources.find((one) => one.name === name);
    if (!resource) return false;
    return [...resource.dependencies, resource.parent].some((next) => next === early || visit(next));
  };
  return visit(late);
}

test("fourteen services, each a container of its name on its official image", async () => {
  const { resources } = await built();
  expect(containers(resources).sort()).toEqual(Object.keys(officialImages).sort());
  const images = resources.filter(({ type }) => type === "docker:index/remoteImage:RemoteImage");
  expect(images.map(({ inputs }) => inputs.name).sort()).toEqual(Object.values(officialImages).sort());
});

test("services that are switched off are neither made nor scraped", async () => {
  const { resources } = await built({
    services: { grafana: false, portainer: false, "node-exporter": false },
  });
  const names = containers(resources);
  expect(names).toHaveLength(11);
  for (const off of ["grafana", "portainer", "node-exporter"]) expect(names).not.toContain(off);
  const [file] = find(resources, "prometheus-container").inputs.uploads;
  expect(file.content).not.toContain("node-exporter");
  expect(file.content).toContain("kafka-exporter:9308");
});

test("the connector is deleted first, then tables, topics, slot and publication, then their servers", async () => {
  const { resources } = await built();
  const topics = resources.filter(({ type }) => type.endsWith("KafkaTopic")).map(({ name }) => name);
  expect(topics).toHaveLength(4);
  const order: [late: string, early: string][] = [
    ["connector", "schema"],
    ["connector", "source"],
    ["connector", "connect-container"],
    ...topics.flatMap((topic): [string, string][] => [
      ["connector", topic],
      ["schema", topic],
      [topic, "source"],
      [topic, "kafka-container"],
    ]),
    ["schema", "clickhouse-container"],
    ["source", "postgres-container"],
    ["connect-container", "kafka-container"],
    ["postgres-exporter-container", "source"],
    ["clickhouse-exporter-container", "clickhouse-container"],
    ["agent-container", "connector"],
  ];
  for (const [late, early] of order) {
    expect(isAfter(resources, late, early), `${late} after ${early}`).toBe(true);
  }
});

test("the source: roles with the passwords that their users get, and the columns that a delete must carry", async () => {
  const { resources } = await built();
  expect(find(resources, "source").inputs).toMatchObject({
    host: "127.0.0.1",
    port: 5432,
    database: "inventory",
    adminUser: "postgres",
    adminPassword: passwordOf("postgres-password"),
    connector: { user: "debezium", password: passwordOf("debezium-password") },
    exporter: { user: "exporter", password: passwordOf("exporter-password") },
    agent: { user: "agent", password: passwordOf("agent-password") },
    app: { user: "app", password: passwordOf("app-password"), schemas: ["inventory"] },
    tables: ["inventory.orders"],
    orderBy: { "inventory.orders": ["order_date", "id"] },
    publication: "cdc_publication",
    slot: "cdc_slot",
    managed: true,
  });
  const [credentials] = find(resources, "connect-container").inputs.uploads;
  expect(credentials.content).toBe(`user=debezium\npassword=${passwordOf("debezium-password")}\n`);
});

test("topics: one a captured table, and small ones for the pipeline's own", async () => {
  const { resources } = await built({ kafka: { partitions: 12, retentionHours: 24 } });
  const topics = resources.filter(({ type }) => type.endsWith("KafkaTopic")).map(({ inputs }) => inputs);
  expect(topics.map(({ topic, partitions }) => [topic, partitions])).toEqual([
    ["postgres-server.inventory.orders", 12],
    ["postgres-server.cdc.heartbeat", 1],
    ["postgres-server.cdc.signal", 1],
    ["__debezium-heartbeat.postgres-server", 1],
  ]);
  expect(topics[0]).toMatchObject({
    bootstrapServers: "localhost:9092",
    replicationFactor: 1,
    config: {
      "cleanup.policy": "delete",
      "retention.ms": "86400000",
      "compression.type": "lz4",
      "max.message.bytes": "16777216",
    },
    managed: true,
  });
});

test("the schema gets the tables as Postgres's catalog has them", async () => {
  const { resources } = await built();
  const { tables: captured, ...inputs } = find(resources, "schema").inputs;
  expect(inputs).toMatchObject({
    url: "http://127.0.0.1:8123",
    user: "cdc",
    password: passwordOf("clickhouse-admin-password"),
    database: "cdc",
    brokers: "kafka:9092",
    topicPrefix: "postgres-server",
    consumerGroup: "clickhouse-group",
    consumers: 1,
    managed: true,
  });
  expect(captured).toMatchObject([
    { schema: "inventory", name: "orders", target: "orders", orderBy: ["order_date", "id"] },
  ]);
});

test("the connector holds no password, and is done when a heartbeat has come out", async () => {
  const { resources } = await built({
    tables: [{ ...tables[0], exclude: ["quantity"] }],
    connector: { heapMb: 384, settings: { "max.batch.size": 100 } },
  });
  const { settings, ...inputs } = find(resources, "connector").inputs;
  expect(settings).toMatchObject({
    "database.hostname": "postgres",
    "database.user": fromFile("user"),
    "database.password": fromFile("password"),
    "column.exclude.list": "inventory\\.orders\\.quantity",
    "max.batch.size": "100",
    "max.queue.size.in.bytes": String(64 * 1024 * 1024),
  });
  expect(JSON.stringify(settings)).not.toContain("secret-of");
  expect(inputs).toMatchObject({
    url: "http://127.0.0.1:8083",
    connector: "postgres-connector",
    source: "id-of-source",
    heartbeat: { url: "http://127.0.0.1:8123", user: "cdc", database: "cdc" },
    signals: { host: "127.0.0.1", port: 5432, database: "inventory", user: "debezium" },
  });
});

test("a setting of the connector whose name says so is a secret, and no other is", async () => {
  const { resources } = await built({
    connector: { settings: { "database.sslpassword": "s3cret", "database.sslmode": "require" } },
  });
  const { inputs, secrets } = find(resources, "connector");
  expect(inputs.settings).toMatchObject({
    "database.sslpassword": "s3cret",
    "database.sslmode": "require",
    "database.password": fromFile("password"),
  });
  expect(secrets).toContain("s3cret");
  for (const plain of ["require", fromFile("password")]) expect(secrets).not.toContain(plain);
});

test("no password is in a command, a variable or a label", async () => {
  const { resources } = await built();
  for (const { inputs } of resources.filter(({ type }) => type === "docker:index/container:Container")) {
    const { uploads, ...shown } = inputs;
    expect(JSON.stringify(shown)).not.toContain("secret-of");
  }
});

test("keepData protects the data of Postgres, Kafka, ClickHouse, Prometheus and Alertmanager", async () => {
  const { resources } = await built({ keepData: true });
  const kept = resources.filter((resource) => resource.isProtected).map(({ name }) => name);
  expect(kept.sort()).toEqual([
    "alertmanager-data",
    "clickhouse-data",
    "kafka-data",
    "postgres-data",
    "postgres-password",
    "prometheus-data",
  ]);
});

test("data that is kept holds nothing else back: it depends on no container", async () => {
  const { resources } = await built();
  // `down --keep-data` keeps all volumes, and with each what it depends on.
  const kept = resources.filter(({ type }) => type === "docker:index/volume:Volume").map(({ name }) => name);
  expect(kept.length).toBeGreaterThan(5);
  const others = resources
    .map(({ name }) => name)
    .filter((name) => /-container$|^connector$|^schema$/.test(name));
  for (const data of kept)
    expect(
      others.filter((name) => isAfter(resources, data, name)),
      data,
    ).toEqual([]);
  expect(isAfter(resources, "prometheus-container", "connector")).toBe(true);
});

test("only Portainer sees the engine's socket", async () => {
  const { resources } = await built();
  const seers = resources.filter(({ inputs }) => JSON.stringify(inputs).includes("docker.sock"));
  expect(seers.map(({ name }) => name)).toEqual(["portainer-container"]);
});

test("credentials: of the demo's role, or of the superuser where there is no demo", async () => {
  const withDemo = (await built()).result.credentials;
  expect(withDemo.postgres?.user).toBe("app");
  expect(Object.keys(withDemo).sort()).toEqual([
    "cdc-agent",
    "clickhouse",
    "clickhouse-exporter",
    "clickhouse-readonly",
    "connect",
    "grafana",
    "portainer",
    "postgres",
    "postgres-admin",
    "postgres-exporter",
  ]);
  const without = (await built({ postgres: { demo: false } })).result.credentials;
  expect(without.postgres?.user).toBe("postgres");
  expect(await settled(without.postgres?.password as never)).toBe(passwordOf("postgres-password"));
});

test("a service without an image is left out if it may be, and missing otherwise", () => {
  const config = parseConfig({});
  const resolved = (images: Partial<Record<ServiceName, string>>, missing: ServiceName[]) => ({
    mode: "local" as const,
    images,
    missing,
    why: "",
  });
  const all = Object.fromEntries(Object.keys(officialImages).map((name) => [name, `local/${name}`]));
  const { grafana, kafka, ...rest } = all;
  const plan = planServices(config, resolved({ ...rest, kafka }, ["grafana"]));
  expect(plan.missing).toEqual(["grafana"]);
  expect(plan.services).toHaveLength(13);
  expect(plan.image("kafka")).toBe("local/kafka");
  expect(() => planServices(config, resolved({ ...rest, grafana }, ["kafka"]))).toThrow(
    'no image is known for kafka: run "npm run up" once',
  );
  const overridden = parseConfig({ "cdc:imageOverrides": '{"grafana":"mirror/grafana:1"}' });
  expect(planServices(overridden, resolved({ ...rest, kafka }, ["grafana"])).image("grafana")).toBe(
    "mirror/grafana:1",
  );
});
