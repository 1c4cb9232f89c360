import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inProject } from "../../src/lib/paths";
import { run } from "../../src/lib/process";

let home: string;
beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), "images-entrypoints-"));
});
afterEach(() => fs.rmSync(home, { recursive: true }));

function program(file: string, text: string): void {
  fs.mkdirSync(path.dirname(path.join(home, file)), { recursive: true });
  fs.writeFileSync(path.join(home, file), text, { mode: 0o755 });
}

describe("Kafka Connect's entrypoint", () => {
  const required = { GROUP_ID: "g", CONFIG_STORAGE_TOPIC: "c", OFFSET_STORAGE_TOPIC: "o" };

  beforeEach(() => {
    fs.mkdirSync(path.join(home, "config"));
    fs.cpSync(inProject("offline/images/connect/config.orig"), path.join(home, "config.orig"), {
      recursive: true,
    });
    program("bin/connect-distributed.sh", '#!/bin/sh\necho "heap=$KAFKA_HEAP_OPTS options=$KAFKA_OPTS"\n');
  });

  function start(env: Record<string, string>, args = ["start"]) {
    return run(inProject("offline/images/connect/docker-entrypoint.sh"), args, {
      env: { KAFKA_HOME: home, ...env },
    });
  }

  function properties(): Record<string, string> {
    const text = fs.readFileSync(path.join(home, "config/connect-distributed.properties"), "utf8");
    const lines = text.split("\n").filter((line) => line && !line.startsWith("#"));
    const pairs = lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
    expect(new Set(pairs.map(([name]) => name)).size).toBe(pairs.length);
    return Object.fromEntries(pairs);
  }

  test("makes the worker's properties of the names that Debezium's image knows", async () => {
    await start({ ...required, BOOTSTRAP_SERVERS: "kafka:9092", ADVERTISED_HOST_NAME: "connect" });
    expect(properties()).toMatchObject({
      "bootstrap.servers": "kafka:9092",
      "group.id": "g",
      "config.storage.topic": "c",
      "offset.storage.topic": "o",
      "status.storage.topic": "connect-status",
      "rest.advertised.host.name": "connect",
      "rest.advertised.port": "8083",
      "offset.flush.interval.ms": "60000",
      "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    });
  });

  test("makes a property of every CONNECT_ variable, in place of the default, and leaves values as they are", async () => {
    await start({
      ...required,
      CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT: "enabled",
      CONNECT_VALUE_CONVERTER_SCHEMAS_ENABLE: "false",
      CONNECT_CONFIG_PROVIDERS_FILE_CLASS: "a.b$C=d @ \\e",
      CONNECT_LOG4J_LOGGERS: "INFO",
    });
    expect(properties()).toMatchObject({
      "exactly.once.source.support": "enabled",
      "key.converter.schemas.enable": "true",
      "value.converter.schemas.enable": "false",
      "config.providers.file.class": "a.b$C=d @ \\e",
    });
    expect(Object.keys(properties()).filter((name) => name.startsWith("log4j"))).toEqual([]);
  });

  test("writes the same file when the container starts again", async () => {
    await start({ ...required, CONNECT_A_B: "1" });
    const first = properties();
    await start({ ...required, CONNECT_A_B: "1" });
    expect(properties()).toEqual(first);
  });

  test("hands on Java's options", async () => {
    fs.writeFileSync(path.join(home, "config/metrics.yaml"), "");
    const jar = path.join(home, "libs", "jmx_prometheus_javaagent-1.jar");
    fs.mkdirSync(path.dirname(jar), { recursive: true });
    fs.writeFileSync(jar, "");
    const { stdout } = await start({ ...required, HEAP_OPTS: "-Xmx1g", ENABLE_JMX_EXPORTER: "true" });
    expect(stdout).toBe(`heap=-Xmx1g options= -javaagent:${jar}=9404:${home}/config/metrics.yaml\n`);
  });

  test.each([
    ["without a group", { GROUP_ID: "" }, /GROUP_ID is not set/],
    ["without a topic for positions", { OFFSET_STORAGE_TOPIC: "" }, /OFFSET_STORAGE_TOPIC is not set/],
    ["with what it does not hold", { ENABLE_OTEL: "true" }, /ENABLE_OTEL=true: .*use the official image/],
    ["with JMX metrics but no rules", { ENABLE_JMX_EXPORTER: "true" }, /there is no .*metrics\.yaml/],
    ["with a value of two lines", { CONNECT_A: "1\n2" }, /the value of a has more than one line/],
  ])("refuses to start %s", async (_when, env, why) => {
    await expect(start({ ...required, ...env })).rejects.toThrow(why);
  });

  test("runs any other command", async () => {
    expect((await start({}, ["echo", "a b"])).stdout).toBe("a b\n");
  });
});

describe("Node's entrypoint", () => {
  const entrypoint = inProject("offline/images/node/docker-entrypoint.sh");

  test("runs a program", async () => {
    expect((await run(entrypoint, ["echo", "a  b"])).stdout).toBe("a  b\n");
  });

  test("gives options to Node", async () => {
    expect((await run(entrypoint, ["--print", "1 + 1"])).stdout).toBe("2\n");
  });

  test("gives scripts to Node", async () => {
    const script = path.join(home, "script.js");
    fs.writeFileSync(script, "console.log(process.argv.slice(2).join())");
    expect((await run(entrypoint, [script, "a", "b"])).stdout).toBe("a,b\n");
  });
});
