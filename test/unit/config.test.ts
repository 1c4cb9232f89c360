import { describe, expect, it } from "vitest";
import { ConfigError, parseConfig } from "../../src/config";

/** Settings as Pulumi hands them over: structured values as JSON. */
function parse(settings: Record<string, unknown>) {
  return parseConfig(
    Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [
        `cdc:${key}`,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    ),
  );
}

function messageFor(settings: Record<string, unknown>): string {
  try {
    parse(settings);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error(`${JSON.stringify(settings)} was accepted`);
}

describe("the configuration", () => {
  it("is complete without any setting, on the ports that the product names", () => {
    const { ports, bindAddress, tables } = parse({});
    expect(ports).toEqual({
      postgres: 5432,
      kafka: 9092,
      connect: 8083,
      clickhouse: 8123,
      "clickhouse-tcp": 9000,
      "node-exporter": 9100,
      "postgres-exporter": 9187,
      "kafka-exporter": 9308,
      "clickhouse-exporter": 9116,
      prometheus: 9090,
      alertmanager: 9093,
      grafana: 3000,
      kafdrop: 9001,
      portainer: 9443,
    });
    expect(bindAddress).toBe("127.0.0.1");
    expect(tables.map(({ table }) => table)).toEqual([
      "inventory.orders",
      "inventory.customers",
      "inventory.products",
    ]);
  });

  it("keeps the other defaults of a group of which one setting is given", () => {
    const config = parse({ ports: { kafka: 19092 }, kafka: { partitions: 3 }, services: { grafana: false } });
    expect(config.ports).toMatchObject({ kafka: 19092, postgres: 5432 });
    expect(config.kafka).toMatchObject({ partitions: 3, retentionHours: 168 });
    expect(config.services).toMatchObject({ grafana: false, kafdrop: true });
  });

  it("takes a table by its name alone", () => {
    expect(parse({ tables: ["inventory.products"] }).tables).toEqual([{ table: "inventory.products" }]);
  });

  it.each(["docker:host", "aws:region", "gcp:project", "vcd:url", "pulumi:tags"])(
    "leaves %s to its package",
    (key) => {
      expect(parseConfig({ [key]: "x" }).bindAddress).toBe("127.0.0.1");
    },
  );

  it("does not print what is set for alerts: it may be a secret", () => {
    const said = messageFor({ alerts: { webhook: "ftp://hooks.example.com/secret-1", slack: "secret-2" } });
    expect(said).toContain("cdc:alerts.webhook");
    expect(said).toContain("cdc:alerts.slack");
    expect(said).not.toContain("secret-");
  });

  it("refuses Debezium settings that the rest of the stack goes by, and names what to set instead", () => {
    const said = messageFor({ connector: { settings: { "slot.name": "mine", transforms: "x" } } });
    expect(said).toContain("cdc:connector.settings.slot.name: the rest of the stack goes by it");
    expect(said).toContain("set cdc:postgres.slot");
    expect(said).toContain("cdc:connector.settings.transforms");
  });

  it("takes settings of Postgres and Debezium as `pulumi config set --path` stores them", () => {
    const settings = { max_connections: 200, log_statement: "all", jit: false };
    expect(parse({ postgres: { settings } }).postgres.settings).toEqual({
      max_connections: "200",
      log_statement: "all",
      jit: "false",
    });
    expect(parse({ connector: { settings: { "max.batch.size": 512 } } }).connector.settings).toEqual({
      "max.batch.size": "512",
    });
  });

  it("refuses server settings of Postgres that the rest of the stack goes by, however they are spelled", () => {
    const said = messageFor({
      postgres: { settings: { port: 5433, Listen_Addresses: "*", "wal-level": "replica" } },
    });
    expect(said).toContain("cdc:postgres.settings.port: the rest of the stack goes by it");
    expect(said).toContain("set cdc:ports.postgres; found");
    expect(said).toContain("cdc:postgres.settings.Listen_Addresses");
    expect(said).toContain("set cdc:bindAddress");
    expect(said).toContain("cdc:postgres.settings.wal-level");
  });

  it.each(["cbc:ports", "CDC:ports", "cdcs:ports", "ccd:ports"])("refuses %s, which nobody reads", (key) => {
    expect(() => parseConfig({ [key]: "{}" })).toThrow(
      `${key}: nobody reads the namespace "${key.split(":")[0]}"; did you mean cdc:ports?`,
    );
  });

  it("wants a mail server's user and password together", () => {
    const mail = { to: "a@example.com", from: "b@example.com", smarthost: "smtp.example.com:25" };
    expect(parse({ alerts: { email: mail } }).alerts.email).toMatchObject(mail);
    expect(messageFor({ alerts: { email: { ...mail, user: "cdc" } } })).toContain(
      "a user without a password",
    );
    expect(messageFor({ alerts: { email: { ...mail, password: "p" } } })).toContain(
      "a password without a user",
    );
  });

  it.each([
    [{ prts: 1 }, 'there is no setting "prts" here; there are: images, imageOverrides'],
    [{ ports: { kafak: 1 } }, "cdc:ports"],
    [{ ports: { kafka: 99999 } }, "cdc:ports.kafka: Too big: expected number to be <=65535; found 99999"],
    [{ kafka: { partitons: 3 } }, 'cdc:kafka: there is no setting "partitons" here; there are: partitions'],
    [
      { tables: ["orders"] },
      'cdc:tables.0: a table with its schema, as in "inventory.orders"; found "orders"',
    ],
    [
      { tables: [{ table: "inventory.orders", tagret: "o" }] },
      'cdc:tables.0: there is no setting "tagret" here; there are: table, target',
    ],
    [
      { bindAddress: "everywhere" },
      'cdc:bindAddress: an IP address, such as 127.0.0.1 or 0.0.0.0; found "everywhere"',
    ],
    [{ tables: ["a.orders", "b.orders"] }, 'two tables would be called "orders" in ClickHouse'],
    [{ tables: ["a.orders", "a.orders"] }, "cdc:tables: a.orders is named twice"],
    [{ ports: { kafka: 5432 } }, "cdc:ports.kafka: 5432 is the port of postgres too"],
    [{ clickhouse: { consumers: 7 } }, "cdc:clickhouse.consumers: 7 is more than cdc:kafka.partitions (6)"],
    [
      { kafka: { heapMb: 1200 } },
      "cdc:kafka.heapMb: 1200 is more than three quarters of cdc:memory.kafka (1280)",
    ],
  ])("refuses %j and says why", (settings, message) => {
    expect(messageFor(settings)).toContain(message);
  });

  it("lets two services have one port when one of them is off", () => {
    expect(() => parse({ ports: { kafdrop: 3000 }, services: { grafana: false } })).not.toThrow();
  });

  it("names everything that is wrong at once", () => {
    const message = messageFor({ ports: { kafka: 0 }, kafka: { partitions: 0 } });
    expect(message).toContain("cdc:ports.kafka");
    expect(message).toContain("cdc:kafka.partitions");
  });
});
