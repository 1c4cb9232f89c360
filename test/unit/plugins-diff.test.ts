import { describe, expect, test } from "vitest";
import { differences } from "../../offline/plugins/provider/diff";
import type { Kind } from "../../offline/plugins/provider/kind";
import * as lifecycle from "../../offline/plugins/provider/lifecycle";
import {
  bool,
  int,
  list,
  map,
  object,
  type Properties,
  type Property,
  set,
  string,
} from "../../offline/plugins/provider/schema";
import { isUnknown, unknown } from "../../offline/plugins/provider/unknown";

const forceNew = { forceNew: true } as const;

const properties: Properties = {
  name: string(forceNew),
  memory: int(),
  wait: bool(),
  driver: string({ ...forceNew, computed: true }),
  envs: set(string(), forceNew),
  command: list(string(), forceNew),
  health: object({ retries: int(), tests: list(string()) }),
  limits: set(object({ path: string(), rate: int(forceNew) })),
  tags: map(forceNew),
  id: string({ output: true }),
};

const base = { name: "n", memory: 1, envs: ["A=1", "B=2"], command: ["run", "it"], tags: { a: "1" } };
const diff = (changes: Record<string, unknown>, state: Record<string, unknown> = base) =>
  differences(properties, state, { ...base, ...changes }).map(
    ({ path, kind, replace }) => `${path} ${kind}${replace ? " replace" : ""}`,
  );

describe("a state and inputs", () => {
  test("that are equal don't differ", () => {
    expect(diff({})).toEqual([]);
  });

  test.each([
    ["a set in another order", { envs: ["B=2", "A=1"] }, base],
    ["a computed value that the user leaves to the engine", {}, { ...base, driver: "local" }],
    ["nothing and a zero value", {}, { ...base, wait: false, health: undefined, limits: [] }],
    ["an output", {}, { ...base, id: "x" }],
  ])("that differ only in %s mean the same", (_, changes, state) => {
    expect(diff(changes, state)).toEqual([]);
  });

  test.each([
    ["a value in place", { memory: 2 }, "memory update"],
    ["a value that forces a replacement", { name: "m" }, "name update replace"],
    ["a set's element", { envs: ["A=1", "B=3"] }, "envs update replace"],
    ["a list's order", { command: ["it", "run"] }, "command[0] update replace,command[1] update replace"],
    ["a list's length", { command: ["run"] }, "command update replace"],
    ["a map", { tags: { a: "1", b: "2" } }, "tags update replace"],
    ["a value that comes", { wait: true }, "wait add"],
    ["a value that goes", { memory: undefined }, "memory delete"],
    ["an object that comes", { health: { retries: 1 } }, "health add"],
    [
      "a set whose elements hold something that forces a replacement",
      { limits: [{ path: "/", rate: 1 }] },
      "limits add replace",
    ],
    ["a set whose elements don't", { limits: [{ path: "/" }] }, "limits add"],
    ["a value that is not known yet", { name: unknown }, "name update replace"],
    ["a computed value that the user sets", { driver: "local" }, "driver add replace"],
  ])("that differ in %s", (_, changes, expected) => {
    expect(diff(changes).join()).toBe(expected);
  });

  test("tell which property of an object differs", () => {
    const state = { ...base, health: { retries: 1, tests: ["a"] } };
    expect(diff({ health: { retries: 2, tests: ["a"] } }, state)).toEqual(["health.retries update"]);
  });
});

describe("a resource", () => {
  const kind: Kind<never> = {
    properties,
    autonamed: true,
    schemaVersion: "2",
    create: async () => ({ id: "made" }),
    read: async (_call, id, prior) => ({
      id,
      state: { ...prior, driver: "local", envs: ["B=2", "A=1"], wait: undefined },
    }),
    delete: async () => {},
  };
  const call = { urn: "urn", signal: new AbortController().signal } as never;
  const inputs = { ...base, __defaults: [] };

  test("with a name of the user's is deleted before it is made anew, one with a made-up name is not", () => {
    const changed = { ...inputs, command: ["other"] };
    expect(lifecycle.diff(kind, base, changed, [])).toMatchObject({ deleteBeforeReplace: true });
    const autonamed = { ...changed, __defaults: ["name"] };
    expect(lifecycle.diff(kind, base, autonamed, [])).toMatchObject({ deleteBeforeReplace: false });
    const deletesFirst = { ...kind, deleteBeforeReplace: true } as const;
    expect(lifecycle.diff(deletesFirst, base, autonamed, [])).toMatchObject({ deleteBeforeReplace: true });
    expect(lifecycle.diff(kind, base, { ...inputs, memory: 2 }, [])).toMatchObject({
      deleteBeforeReplace: false,
    });
  });

  test("keeps changes that shall be ignored", () => {
    const state = { ...base, health: { retries: 1 } };
    const news = { ...inputs, memory: 2, health: { retries: 2 } };
    const paths = (ignored: string[]) =>
      lifecycle.diff(kind, state, news, ignored).differences.map(({ path }) => path);
    expect(paths([])).toEqual(["memory", "health.retries"]);
    expect(paths(["health"])).toEqual(["memory"]);
    expect(paths(["health", "memory"])).toEqual([]);
  });

  test("in a preview has unknown outputs and computed values, and all that is known", () => {
    const state = lifecycle.planned(kind, undefined, base);
    expect(state).toMatchObject(base);
    expect([state.id, state.driver].every(isUnknown)).toBe(true);
    expect(state).not.toHaveProperty("wait");
  });

  test("once made has what the engine tells, in the words of the inputs where they mean the same", async () => {
    const { id, state } = await lifecycle.create(kind, call, base);
    expect(id).toBe("made");
    expect(state).toEqual({ ...base, driver: "local", __meta: '{"schema_version":"2"}' });
  });

  test("has what the engine chose where the user left it open, in the user's order, also after an update", async () => {
    const ports = list(object({ internal: int(forceNew), external: int({ ...forceNew, computed: true }) }), {
      same: (state, input) =>
        differences({ ports: set(ports.element as Property) }, { ports: state }, { ports: input }).length ===
        0,
    });
    const found = [
      { internal: 1, external: 50 },
      { internal: 2, external: 60 },
    ];
    const publishing: Kind<never> = {
      ...kind,
      properties: { ports },
      read: async (_call, id) => ({ id, state: { ports: found } }),
    };
    const asked = { ports: [{ internal: 2 }, { internal: 1, external: 50 }] };
    const given = [
      { internal: 2, external: 60 },
      { internal: 1, external: 50 },
    ];
    expect(lifecycle.planned(publishing, undefined, asked).ports).toEqual([
      { internal: 2, external: unknown },
      given[1],
    ]);
    const { state } = await lifecycle.create(publishing, call, asked);
    expect(state.ports).toEqual(given);
    expect(lifecycle.planned(publishing, state, asked).ports).toEqual(given);
    expect(lifecycle.diff(publishing, state, asked, []).differences).toEqual([]);
  });

  test("that was left half-made is replaced", async () => {
    const { IncompleteError } = await import("../../offline/plugins/provider/kind");
    const failing: Kind<never> = {
      ...kind,
      create: async () => {
        throw new IncompleteError("not healthy", "half");
      },
    };
    const error = await lifecycle.create(failing, call, base).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(lifecycle.HalfMadeError);
    expect(error).toMatchObject({ message: "not healthy", stored: { id: "half", state: base } });
    const plan = lifecycle.diff(kind, error.stored.state, inputs, []);
    expect(plan).toMatchObject({ differences: [{ replace: true }], deleteBeforeReplace: true });
    const refreshed = await lifecycle.read(kind, call, "half", error.stored.state);
    expect(lifecycle.diff(kind, refreshed?.state ?? {}, inputs, []).differences).toMatchObject([
      { replace: true },
    ]);
  });

  test("that drifted has inputs that tell it, and no others", () => {
    const drifted = { ...base, memory: 5, driver: "local", wait: true };
    expect(lifecycle.inputsFor(kind, inputs, drifted)).toEqual({ ...inputs, memory: 5 });
  });

  test("that is imported has all its values as inputs", () => {
    const found = { name: "n", memory: 3, wait: false, driver: "local", id: "x" };
    expect(lifecycle.inputsFor(kind, undefined, found)).toEqual({ name: "n", memory: 3, __defaults: [] });
  });
});
