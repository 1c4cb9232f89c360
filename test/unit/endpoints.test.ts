import { expect, test } from "vitest";
import { parseConfig } from "../../src/config";
import { addressesOf, advertisedHost, endpointsOf } from "../../src/endpoints";

function config(settings: Record<string, unknown> = {}) {
  const raw = Object.entries(settings).map(([key, value]) => [`cdc:${key}`, JSON.stringify(value)]);
  return parseConfig(Object.fromEntries(raw));
}

test("endpoints: one of each service that is on, and ClickHouse's native port", () => {
  expect(
    endpointsOf(config(), ["postgres", "kafka", "connect", "clickhouse", "prometheus", "portainer"]),
  ).toEqual({
    postgres: "postgresql://127.0.0.1:5432/inventory",
    kafka: "localhost:9092",
    connect: "http://127.0.0.1:8083",
    clickhouse: "http://127.0.0.1:8123",
    "clickhouse-tcp": "127.0.0.1:9000",
    prometheus: "http://127.0.0.1:9090",
    portainer: "https://127.0.0.1:9443",
  });
});

test.each([
  ["127.0.0.1", "127.0.0.1", "localhost:9092", "http://127.0.0.1:8123"],
  ["0.0.0.0", "127.0.0.1", "localhost:9092", "http://127.0.0.1:8123"],
  ["::", "::1", "localhost:9092", "http://[::1]:8123"],
  ["192.0.2.7", "192.0.2.7", "192.0.2.7:9092", "http://192.0.2.7:8123"],
])(
  "bound to %s, Postgres is at %s, Kafka at %s, ClickHouse at %s",
  (bindAddress, host, kafka, clickhouse) => {
    const addresses = addressesOf(config({ bindAddress }));
    expect(addresses.postgres).toEqual({ host, port: 5432 });
    expect(addresses.kafka).toBe(kafka);
    expect(addresses.clickhouse).toBe(clickhouse);
  },
);

test("the configured name of the broker goes before ours", () => {
  expect(advertisedHost(config({ kafka: { advertisedHost: "cdc.example.org" } }))).toBe("cdc.example.org");
});
