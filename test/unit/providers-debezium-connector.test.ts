import { describe, expect, test } from "vitest";
import { keptBirth } from "../../src/providers/births";
import { isPassing, isRunning, stateDrift } from "../../src/providers/debezium-connector/flow";
import { diff, unreadTables } from "../../src/providers/debezium-connector/operations";
import { redact } from "../../src/providers/debezium-connector/secrets";
import {
  differingSettings,
  generationIn,
  nextGeneration,
  wantedSettings,
} from "../../src/providers/debezium-connector/settings";
import type { DebeziumConnectorInputs } from "../../src/providers/debezium-connector/types";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const reference = `\${file:/a:password}`;

const inputs: DebeziumConnectorInputs = {
  url: "http://127.0.0.1:8083",
  connector: "inventory",
  settings: { "topic.prefix": "p", "slot.name": "s", "database.dbname": "d", "connector.class": "c" },
  source: "postgres/1",
  generationSetting: "g",
  managed: true,
  startTimeoutSeconds: 180,
  revision: 1,
};
const state = { ...inputs, generation: 7, drift: [] };

describe("a preview of a connector", () => {
  const plan = (news: object, olds: object = {}) =>
    diff("inventory", { ...state, ...olds } as never, { ...inputs, ...news } as never);

  test("of what is as it was has no change", async () => {
    expect(await plan({})).toMatchObject({ changes: false, replaces: [] });
  });

  test("is an update after drift", async () => {
    expect(await plan({}, { drift: ["it is PAUSED"] })).toMatchObject({ changes: true, replaces: [] });
  });

  test("is no replacement only because settings are not known yet", async () => {
    expect(await plan({ settings: unknown })).toMatchObject({ changes: true, replaces: [] });
    const settings = { ...inputs.settings, "slot.name": unknown };
    expect(await plan({ settings })).toMatchObject({ changes: true, replaces: [] });
  });

  test("is a replacement when its source is made anew, known or not", async () => {
    expect(await plan({ source: unknown })).toMatchObject({
      replaces: ["source"],
      deleteBeforeReplace: true,
    });
    expect(await plan({ source: "postgres/2" })).toMatchObject({ replaces: ["source"] });
    expect(await plan({}, { source: undefined })).toMatchObject({ changes: true, replaces: [] });
  });
});

describe("rows that are there already", () => {
  const settings = { ...inputs.settings, "table.include.list": "a\\.b,a\\.c" };
  const olds = { ...state, settings, births: { "a.b": "1", "a.c": "1" } };

  const listed = (list: string) => ({ ...inputs.settings, "table.include.list": list });

  test("are not read again while the tables that they end in live on", () => {
    expect(unreadTables({ ...inputs, settings, births: olds.births }, olds, settings)).toEqual([]);
    // A state from before births were noted.
    expect(
      unreadTables({ ...inputs, settings, births: olds.births }, { ...state, settings }, settings),
    ).toEqual([]);
  });

  test("are for the snapshot of a connector that is new", () => {
    expect(unreadTables({ ...inputs, settings, births: olds.births }, undefined, undefined)).toEqual([]);
  });

  test("are read again where that table was made anew", () => {
    const births = { "a.b": "1", "a.c": "2" };
    expect(unreadTables({ ...inputs, settings, births }, olds, settings)).toEqual(["a\\.c"]);
  });

  test("are read where a table was added, also when it was taken out of the running connector meanwhile", () => {
    const before = { ...olds, settings: listed("a\\.b") };
    expect(unreadTables({ ...inputs, settings }, before, before.settings)).toEqual(["a\\.c"]);
    expect(unreadTables({ ...inputs, settings }, before, settings)).toEqual(["a\\.c"]);
    expect(unreadTables({ ...inputs, settings }, olds, listed("a\\.c"))).toEqual(["a\\.b"]);
  });

  test("are read by a connector that was kept without a state: of tables that are new to it, or have lost their rows", () => {
    const kept = { "a.b": keptBirth, "a.c": keptBirth };
    expect(unreadTables({ ...inputs, settings, births: kept }, undefined, settings)).toEqual([]);
    expect(unreadTables({ ...inputs, settings, births: kept }, undefined, listed("a\\.b"))).toEqual([
      "a\\.c",
    ]);
    const births = { ...kept, "a.b": "2" };
    expect(unreadTables({ ...inputs, settings, births }, undefined, settings)).toEqual(["a\\.b"]);
  });

  test("plan an update only once that is known", async () => {
    const plan = (births: unknown) =>
      diff("inventory", olds as never, { ...inputs, settings, births } as never);
    expect(await plan(unknown)).toMatchObject({ changes: false });
    expect(await plan({ "a.b": "1", "a.c": "2" })).toMatchObject({ changes: true, replaces: [] });
  });
});

describe("settings", () => {
  test("hold the generation and the name", () => {
    expect(wantedSettings(inputs, 7)).toEqual({ ...inputs.settings, g: "7", name: "inventory" });
    expect(generationIn({ g: "7" }, inputs)).toBe(7);
    expect(generationIn({ g: "0" }, inputs)).toBeUndefined();
    expect(generationIn(undefined, inputs)).toBeUndefined();
  });

  test("a generation only rises, also when the clock does not", () => {
    const now = Math.floor(Date.now() / 1000);
    expect(nextGeneration()).toBeGreaterThanOrEqual(now);
    expect(nextGeneration(now + 1000)).toBe(now + 1001);
    expect(nextGeneration()).toBeLessThan(2 ** 32);
  });

  test("differ in words that hold no secret, but show a reference", () => {
    expect(
      differingSettings(
        { "database.password": reference, a: "1", same: "x" },
        { "database.password": "clear", b: "2", same: "x" },
      ),
    ).toEqual([
      "setting a is missing",
      "setting b is there too much (2)",
      `setting database.password is *** instead of ${reference}`,
    ]);
  });

  test("that are secret are taken out of what others say", () => {
    const settings = {
      "database.password": "hunter2",
      "database.user": "debezium",
      "ssl.key": reference,
    };
    expect(redact(`role debezium: hunter2 is wrong (hunter2), ${reference}`, settings)).toBe(
      `role debezium: *** is wrong (***), ${reference}`,
    );
  });
});

describe("a connector's state", () => {
  const running = { state: "RUNNING" };

  test("is right only when the task runs too", () => {
    expect(isRunning({ connector: running, tasks: [running] })).toBe(true);
    expect(isRunning({ connector: running, tasks: [] })).toBe(false);
    expect(isRunning({ connector: running, tasks: [{ state: "FAILED" }] })).toBe(false);
    expect(isRunning(undefined)).toBe(false);
  });

  test("that changes by itself is waited for", () => {
    expect(isPassing({ connector: { state: "UNASSIGNED" }, tasks: [] })).toBe(true);
    expect(isPassing({ connector: running, tasks: [{ state: "RESTARTING" }] })).toBe(true);
    expect(isPassing({ connector: running, tasks: [running] })).toBe(false);
  });

  test("that is wrong is said with the first line of its trace", () => {
    expect(stateDrift("c", { connector: running, tasks: [running] })).toEqual([]);
    expect(stateDrift("c", { connector: { state: "PAUSED" }, tasks: [running] })).toEqual([
      "connector c is PAUSED",
    ]);
    expect(stateDrift("c", { connector: running, tasks: [] })).toEqual(["connector c has no task"]);
    const failed = { state: "FAILED", trace: "org.x.Y: no slot\n\tat a.b(c.java:1)" };
    expect(stateDrift("c", { connector: running, tasks: [failed] })).toEqual([
      "the task of connector c is FAILED: org.x.Y: no slot",
    ]);
  });
});
