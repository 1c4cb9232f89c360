import { describe, expect, test } from "vitest";
import { autoname, checkInputs, isAutonamed } from "../../offline/plugins/provider/check";
import {
  atLeast,
  bool,
  int,
  list,
  map,
  object,
  type Properties,
  set,
  string,
} from "../../offline/plugins/provider/schema";
import { unknown } from "../../offline/plugins/provider/unknown";

const properties: Properties = {
  name: string({ required: true }),
  size: int({ check: atLeast(1) }),
  wait: bool({ default: false }),
  tags: map(),
  words: list(string()),
  ports: set(object({ internal: int({ required: true }), protocol: string({ default: "tcp" }) })),
  build: object({}, { unsupported: "it builds nothing" }),
  id: string({ output: true }),
};

const failuresOf = (news: Record<string, unknown>) =>
  checkInputs(properties, { name: "n", ...news }).failures.map(
    ({ property, reason }) => `${property}: ${reason}`,
  );

describe("inputs", () => {
  test("that are right get their defaults, at every depth", () => {
    const news = { name: "n", ports: [{ internal: 1 }] };
    expect(checkInputs(properties, news)).toEqual({
      inputs: { name: "n", wait: false, ports: [{ internal: 1, protocol: "tcp" }] },
      failures: [],
    });
  });

  test.each([
    ["unknown", { nonsense: 1 }, /^nonsense: unknown input "nonsense"; allowed here: name, size/],
    [
      "unknown further down",
      { ports: [{ internal: 1, port: 2 }] },
      /^ports\[0\]\.port: unknown input .*internal, protocol/,
    ],
    ["an output", { id: "x" }, /^id: unknown input/],
    ["missing further down", { ports: [{}] }, /^ports\[0\]\.internal: missing required input/],
    [
      "not supported",
      { build: {} },
      /official plugin that is not supported by the stand-in: it builds nothing/,
    ],
    ["of another type", { size: "1" }, /"size" must be an integer, not a string/],
    ["a fraction", { size: 1.5 }, /must be an integer, not a fraction/],
    ["no list", { words: "a" }, /"words" must be a list, not a string/],
    ["no object", { ports: ["a"] }, /"ports\[0\]" must be an object with internal, protocol, not a string/],
    ["no string in a map", { tags: { a: 1 } }, /^tags\.a: "tags\.a" must be a string/],
    ["out of range", { size: 0 }, /"size": 0 is lower than 1/],
  ])("that are %s are refused", (_, news, message) => {
    const failures = failuresOf(news);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatch(message);
  });

  test("that are missing are refused", () => {
    expect(checkInputs(properties, {}).failures).toMatchObject([{ property: "name" }]);
  });

  test("that are wrong are told without their value, which may be a secret", () => {
    expect(failuresOf({ size: "hunter2", words: [{ password: "hunter2" }] }).join()).not.toContain("hunter2");
  });

  test("that are not known yet pass", () => {
    const news = { size: unknown, words: [unknown], ports: unknown, tags: { a: unknown } };
    expect(failuresOf(news)).toEqual([]);
  });
});

describe("a resource without a name", () => {
  const [one, other] = [Buffer.from("one"), Buffer.from("other")];

  test("gets one, the same in preview and update, another one for a replacement", () => {
    const inputs = autoname({}, {}, "db", one);
    expect(inputs.name).toMatch(/^db-[0-9a-f]{7}$/);
    expect(isAutonamed(inputs)).toBe(true);
    expect(autoname({}, {}, "db", one)).toEqual(inputs);
    expect(autoname({}, {}, "db", other).name).not.toBe(inputs.name);
  });

  test("keeps the one that it got", () => {
    const inputs = autoname({}, {}, "db", one);
    expect(autoname({}, inputs, "db", other)).toEqual(inputs);
  });

  test("gets a new one when the old one was the user's", () => {
    const olds = autoname({ name: "mine" }, {}, "db", one);
    expect(isAutonamed(olds)).toBe(false);
    expect(autoname({}, olds, "db", one).name).toMatch(/^db-/);
  });
});
