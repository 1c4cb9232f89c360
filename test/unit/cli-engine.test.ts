import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { EngineEvent } from "@pulumi/pulumi/automation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { doomedIn, keptUrns } from "../../src/cli/commands/down";
import { followChanges, inWords } from "../../src/cli/engine/changes";
import { pluginsIn } from "../../src/cli/engine/orphans";
import { describeChange, plannedChanges, valueAt } from "../../src/cli/engine/plan";
import { isHeld, readLocks } from "../../src/cli/engine/recovery";
import { parseState } from "../../src/cli/engine/state";
import { factsOf } from "../../src/cli/facts";
import { rawSettings } from "../../src/cli/settings";
import type { Terminal } from "../../src/cli/ui/terminal";
import { parseConfig } from "../../src/config";

const urn = (type: string, name: string, parent = "cdc:index:Stack$cdc:service:Postgres") =>
  `urn:pulumi:dev::cdc::${parent}$${type}::${name}`;
const containerUrn = urn("docker:index/container:Container", "postgres-container");
const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(value),
});

describe("a stack's state", () => {
  const exported = JSON.stringify({
    version: 3,
    deployment: {
      resources: [
        {
          urn: "urn:pulumi:dev::cdc::pulumi:pulumi:Stack::cdc-dev",
          type: "pulumi:pulumi:Stack",
          custom: false,
          outputs: {
            endpoints: { kafka: "localhost:9092" },
            credentials: secret({ app: { password: "p" } }),
          },
        },
        {
          urn: containerUrn,
          type: "docker:index/container:Container",
          id: "c1",
          custom: true,
          inputs: { name: "postgres", uploads: secret([{ content: "p" }]) },
          outputs: { name: "postgres" },
        },
        {
          urn: urn("docker:index/volume:Volume", "postgres-data"),
          type: "docker:index/volume:Volume",
          id: "v1",
          custom: true,
          inputs: { name: "cdc-postgres-data" },
        },
        {
          urn: urn("random:index/randomPassword:RandomPassword", "app-password"),
          type: "random:index/randomPassword:RandomPassword",
          id: "r1",
          custom: true,
        },
        {
          urn: "urn:pulumi:dev::cdc::pulumi:providers:docker::default",
          type: "pulumi:providers:docker",
          id: "x",
          custom: true,
        },
      ],
      pending_operations: [{ resource: { urn: containerUrn, type: "t", custom: true }, type: "creating" }],
    },
  });

  test("is read with its secrets opened and with what is half-done", () => {
    const state = parseState(exported);
    expect(state.outputs).toEqual({
      endpoints: { kafka: "localhost:9092" },
      credentials: { app: { password: "p" } },
    });
    expect(state.resources[1]?.inputs.uploads).toEqual([{ content: "p" }]);
    expect(state.pending.map(({ type, resource }) => [type, resource.urn])).toEqual([
      ["creating", containerUrn],
    ]);
  });

  test.each(["{}", '{"deployment":{}}', '{"deployment":{"resources":null}}'])(
    "that is new (%s) holds nothing",
    (text) => {
      expect(parseState(text)).toEqual({ resources: [], pending: [], outputs: {} });
    },
  );

  test("without containers is that of a stack that is not up, whatever its outputs say", () => {
    const state = parseState(exported);
    expect(factsOf({ ...state, resources: [] })).toBeUndefined();
  });

  test("says what down deletes, by the names that Docker knows", () => {
    expect(doomedIn(parseState(exported), false)).toEqual({
      containers: ["postgres"],
      networks: [],
      volumes: ["cdc-postgres-data"],
      resources: 3,
    });
  });

  test("of a stack whose data is kept loses neither volumes nor passwords", () => {
    const state = parseState(exported);
    expect(doomedIn(state, true)).toMatchObject({ containers: ["postgres"], volumes: [], resources: 1 });
    expect([...keptUrns(state)].map((one) => one.split("::").at(-1))).toEqual([
      "postgres-data",
      "app-password",
    ]);
  });
});

describe("progress", () => {
  const recorded = () => {
    const lines: string[] = [];
    const statuses: string[] = [];
    const terminal: Terminal = {
      line: (text = "") => lines.push(text),
      status: (text) => statuses.push(text),
      clear: () => {},
      interactive: true,
    };
    return { lines, statuses, terminal };
  };
  const event = (fields: Partial<EngineEvent>) => ({ sequence: 0, timestamp: 0, ...fields }) as EngineEvent;
  const step = (op: string, of: string) => ({ metadata: { op, urn: of, type: "", provider: "" } }) as never;

  test("is a line for each container, with the time since it was begun", () => {
    const { lines, statuses, terminal } = recorded();
    let now = 0;
    const view = followChanges(terminal, () => now);
    view.onEvent(event({ resourcePreEvent: step("create", containerUrn) }));
    expect(statuses.at(-1)).toMatch(/creating postgres-container/);
    now = 8_000;
    view.onEvent(event({ resOutputsEvent: step("create", containerUrn) }));
    expect(lines).toEqual(["  ✓ postgres-container created (8.0 s)"]);
  });

  test("is quiet about passwords, components and what stays the same", () => {
    const { lines, terminal } = recorded();
    const view = followChanges(terminal);
    const password = urn("random:index/randomPassword:RandomPassword", "app-password");
    const component = "urn:pulumi:dev::cdc::cdc:index:Stack$cdc:service:Postgres::postgres";
    for (const one of [step("create", password), step("create", component), step("same", containerUrn)]) {
      view.onEvent(event({ resourcePreEvent: one }));
      view.onEvent(event({ resOutputsEvent: one }));
    }
    expect(lines).toEqual([]);
  });

  test("ends with errors by resource, without colours and without the engine's repetition", () => {
    const { lines, terminal } = recorded();
    const view = followChanges(terminal);
    const error = (message: string, of?: string) =>
      event({ diagnosticEvent: { message, severity: "error", color: "never", ...(of ? { urn: of } : {}) } });
    view.onEvent(event({ resourcePreEvent: step("create", containerUrn) }));
    view.onEvent(
      event({
        resOpFailedEvent: { ...(step("create", containerUrn) as object), status: 1, steps: 1 } as never,
      }),
    );
    view.onEvent(error("<{%fg 1%}>the port is taken<{%reset%}>\n", containerUrn));
    view.onEvent(error("update failed"));
    expect(view.result().errors).toEqual([{ resource: "postgres-container", message: "the port is taken" }]);
    expect(lines[0]).toMatch(/✗ postgres-container creating failed/);
  });

  test.each([
    [{ create: 3, same: 2 }, "3 created, 2 unchanged", "3 to create, 2 unchanged"],
    [{ same: 40 }, "nothing changed", "nothing to change"],
    [
      { update: 1, replace: 1, delete: 2 },
      "1 updated, 1 replaced, 2 deleted",
      "1 to update, 1 to replace, 2 to delete",
    ],
  ])("counts %j in words", (counts, done, planned) => {
    expect(inWords(counts)).toBe(done);
    expect(inWords(counts, { planned: true })).toBe(planned);
  });
});

describe("a plan", () => {
  test("shows each changed input with its values, and what forces a replacement", () => {
    const plan = plannedChanges();
    const topic = urn("pulumi-nodejs:dynamic/cdc:KafkaTopic", "topic-orders");
    plan.onEvent({
      sequence: 0,
      timestamp: 0,
      resourcePreEvent: {
        planning: true,
        metadata: {
          op: "replace",
          urn: topic,
          type: "",
          provider: "",
          old: { inputs: { config: { "retention.ms": "1" }, topic: "a" } } as never,
          new: { inputs: { config: { "retention.ms": "2" }, topic: "b" } } as never,
          detailedDiff: {
            'config["retention.ms"]': { diffKind: "update", inputDiff: true },
            topic: { diffKind: "update-replace", inputDiff: true },
            __provider: { diffKind: "update", inputDiff: true },
          } as never,
        },
      },
    });
    expect(plan.changes().flatMap(describeChange)).toEqual([
      "  ± replace topic-orders (cdc:KafkaTopic)",
      '      config["retention.ms"]: "1" → "2"',
      '      topic: "a" → "b" (forces the replacement)',
    ]);
  });

  test.each([
    ["labels[1].value", "y"],
    ['config["a.b"]', 3],
    ["nothing.there", undefined],
  ])("finds the value at %s", (at, value) => {
    expect(valueAt({ labels: [{ value: "x" }, { value: "y" }], config: { "a.b": 3 } }, at)).toBe(value);
  });
});

describe("a lock on the stack", () => {
  let folder: string;
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-locks-"));
    const locks = path.join(folder, ".pulumi", "locks", "organization");
    for (const [number, stack] of ["cdc/dev", "cdc/other", "webshop/dev"].entries()) {
      fs.mkdirSync(path.join(locks, stack), { recursive: true });
      const lock = JSON.stringify({ pid: number + 1, hostname: "h" });
      fs.writeFileSync(path.join(locks, stack, "1.json"), lock);
      fs.writeFileSync(path.join(locks, stack, "1.json.attrs"), "{}");
    }
    fs.writeFileSync(path.join(locks, "cdc", "dev", "2.json"), '{"pid":');
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  test("is found by the names of project and stack, and what is no whole lock is none", () => {
    const found = readLocks(folder, "dev");
    expect(found).toEqual([{ pid: 1, hostname: "h" }]);
  });

  test("is nobody's where there is no such folder", () => {
    expect(readLocks(path.join(folder, "missing"), "dev")).toEqual([]);
  });

  test("is held on by another machine, for all that is known", () => {
    expect(isHeld({ pid: 999_999_999, hostname: "elsewhere" })).toBe(true);
  });

  test("is free when its process has ended, or its number is another program's by now", async () => {
    const child = spawn("true");
    await new Promise((resolve) => child.on("close", resolve));
    expect(isHeld({ pid: child.pid as number, hostname: os.hostname() })).toBe(false);
    expect(isHeld({ pid: process.pid, hostname: os.hostname() })).toBe(false);
  });
});

test("plugins are told from other processes by their programs and the engine's address", () => {
  const found = pluginsIn(
    [
      "  101 /home/u/.pulumi/plugins/resource-docker-v5.2.0/pulumi-resource-docker 127.0.0.1:4001",
      "  102 node /p/node_modules/@pulumi/pulumi/cmd/dynamic-provider/index.js 127.0.0.1:4001",
      "  103 vi pulumi-resource-docker.md",
      "  104 node server.js 127.0.0.1:4001",
      "",
    ].join("\n"),
  );
  expect(found).toEqual([
    { pid: 101, engine: "127.0.0.1:4001" },
    { pid: 102, engine: "127.0.0.1:4001" },
  ]);
});

describe("settings", () => {
  test("are read from the stack's file as the engine would hand them over", () => {
    const yaml = `encryptionsalt: v1:x\nconfig:\n  cdc:images: local\n  cdc:keepData: true\n  cdc:tables:\n    - inventory.orders\n  cdc:token:\n    secure: v1:abc\n`;
    expect(rawSettings(yaml)).toEqual({
      "cdc:images": "local",
      "cdc:keepData": "true",
      "cdc:tables": '["inventory.orders"]',
    });
  });

  test("without a namespace are the project's, as the engine takes them; those of packages keep theirs", () => {
    const yaml = "config:\n  images: registry\n  keepData: true\n  docker:host: unix:///run/docker.sock\n";
    expect(rawSettings(yaml)).toEqual({
      "cdc:images": "registry",
      "cdc:keepData": "true",
      "docker:host": "unix:///run/docker.sock",
    });
  });

  test("a secret within a structure counts as given, though only the engine can read it", () => {
    const yaml = [
      "config:",
      "  cdc:alerts:",
      "    slack:",
      "      channel: '#on-call'",
      "      webhookUrl:",
      "        secure: v1:abc",
      "    email:",
      "      to: on-call@example.com",
      "      from: cdc@example.com",
      "      smarthost: smtp.example.com:587",
      "      user: cdc",
      "      password:",
      "        secure: v1:def",
      "",
    ].join("\n");
    const { alerts } = parseConfig(rawSettings(yaml));
    expect(alerts.slack).toEqual({ channel: "#on-call", webhookUrl: expect.stringMatching(/^https:/) });
    expect(alerts.email?.password).not.toBe("");
  });

  test.each(["", "config:\n", "# nothing\n"])("of a file without any (%j) are none", (yaml) => {
    expect(rawSettings(yaml)).toEqual({});
  });
});
