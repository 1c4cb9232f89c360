import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { inProject } from "../../src/lib/paths";
import type { ProviderName } from "../../src/providers/dynamic";
import { newDatabase, sourceArgs } from "../support/databases";
import { inHost, type Outcome, serializedProviders } from "../support/serialized";
import { server } from "../support/servers";

const names: readonly ProviderName[] = [
  "postgres-source",
  "kafka-topic",
  "debezium-connector",
  "clickhouse-schema",
];

let texts: Record<ProviderName, string>;

beforeAll(async () => {
  texts = await serializedProviders(names);
});

function resultOf(outcome: Outcome | undefined): Record<string, unknown> {
  expect(outcome?.error).toBeUndefined();
  return outcome?.result as Record<string, unknown>;
}

describe("the text that Pulumi stores of a provider", () => {
  test.each(names)("%s is a shell: small, and without logic or modules of ours", (name) => {
    expect(texts[name].length).toBeLessThan(8_000);
    expect(texts[name]).not.toMatch(/kafkajs|axios|clickhouse\/client|require\(["']pg["']\)|zod/);
    // Only the name tells one from the other.
    expect(texts[name].replaceAll(name, "")).toBe(texts["kafka-topic"].replaceAll("kafka-topic", ""));
  });

  test("holds no path of this machine", () => {
    expect(Object.values(texts).join()).not.toContain(inProject());
  });
});

describe("a stored provider", () => {
  test("makes, reads and deletes a topic", async () => {
    const { host, port } = await server("kafka");
    const args = {
      bootstrapServers: `${host}:${port}`,
      topic: "test.serialized",
      partitions: 2,
      replicationFactor: 1,
      config: { "retention.ms": "1000" },
      managed: true,
      startTimeoutSeconds: 30,
    };
    const state = { ...args, adopted: false, drift: [] };
    const [checked, diffed, created, read, deleted, readAgain] = await inHost(texts["kafka-topic"], [
      ["check", {}, args],
      ["diff", args.topic, state, { ...args, topic: "another" }],
      ["create", args],
      ["read", args.topic, state],
      ["delete", args.topic, state],
      ["read", args.topic, state],
    ]);
    expect(resultOf(checked)).toMatchObject({ inputs: args, failures: [] });
    expect(resultOf(diffed).replaces).toEqual(["topic"]);
    expect(resultOf(created)).toMatchObject({ id: args.topic, outs: args });
    expect(resultOf(read)).toMatchObject({ id: args.topic, props: { drift: [] } });
    resultOf(deleted);
    expect(resultOf(readAgain).id).toBe("");
  });

  test("makes and deletes a source", async () => {
    const database = await newDatabase("serialized");
    try {
      const args = sourceArgs(database);
      const [checked] = await inHost(texts["postgres-source"], [["check", {}, args]]);
      const inputs = resultOf(checked).inputs;
      const [created, deleted] = await inHost(texts["postgres-source"], [
        ["create", inputs],
        ["delete", "", inputs],
      ]);
      expect(resultOf(created).outs).toMatchObject({ publication: "cdc_publication", drift: [] });
      resultOf(deleted);
    } finally {
      await database.drop();
    }
  });

  test.each(names)(
    "%s works from the project's folder as well, and says what is wrong with inputs",
    async (name) => {
      const [checked] = await inHost(texts[name], [["check", {}, {}]], { cwd: inProject() });
      expect(resultOf(checked).failures).not.toEqual([]);
    },
  );

  test("hands on what the host looks for in an error, and no stack to the user", async () => {
    const [kafka, connect] = await Promise.all([
      inHost(texts["kafka-topic"], [
        ["create", { bootstrapServers: "127.0.0.1:1", topic: "t", startTimeoutSeconds: 0.1, config: {} }],
      ]),
      inHost(texts["debezium-connector"], [
        ["create", { url: "http://127.0.0.1:1", connector: "c", startTimeoutSeconds: 0.1, settings: {} }],
      ]),
    ]);
    expect(kafka[0]?.error).toMatchObject({ message: expect.stringMatching(/^Kafka at 127/), stack: "" });
    expect(connect[0]?.error).toMatchObject({
      message: expect.stringMatching(/^Kafka Connect at http/),
      stack: "",
    });
  });

  test("outside of a checkout says where to run it", async () => {
    const elsewhere = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-elsewhere-"));
    try {
      const [outcome] = await inHost(texts["kafka-topic"], [["check", {}, {}]], { cwd: elsewhere });
      expect(outcome?.error?.message).toMatch(/no Pulumi\.yaml in .* or above it: run pulumi inside/);
    } finally {
      fs.rmSync(elsewhere, { recursive: true });
    }
  });
});
