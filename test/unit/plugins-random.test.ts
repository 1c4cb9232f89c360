import { compareSync } from "bcryptjs";
import { describe, expect, test } from "vitest";
import type { Kind } from "../../offline/plugins/provider/kind";
import * as lifecycle from "../../offline/plugins/provider/lifecycle";
import type { Values } from "../../offline/plugins/provider/schema";
import { unknown } from "../../offline/plugins/provider/unknown";
import { randomPlugin } from "../../offline/plugins/random/plugin";

const { kinds } = randomPlugin();
const kindOf = (type: string) =>
  kinds[`random:index/${type[0]?.toLowerCase()}${type.slice(1)}:${type}`] as Kind<undefined>;
const call = { service: undefined, urn: "urn:pulumi:s::p::t::n", signal: new AbortController().signal };

const check = (type: string, news: Values) =>
  lifecycle.check(kindOf(type) as never, {}, news, "n", Buffer.alloc(8));

async function make(type: string, news: Values) {
  const { inputs, failures } = check(type, news);
  expect(failures).toEqual([]);
  return { inputs, ...(await lifecycle.create(kindOf(type), call, inputs)) };
}

const text = async (news: Values) => (await make("RandomString", news)).state.result as string;

describe("a random text", () => {
  test.each([
    ["letters and digits", { special: false }, /^[A-Za-z0-9]{200}$/],
    ["lower case only", { special: false, upper: false, numeric: false }, /^[a-z]{200}$/],
    [
      "digits by their older name",
      { special: false, upper: false, lower: false, number: true },
      /^[0-9]{200}$/,
    ],
    ["no digits by their older name", { special: false, number: false }, /^[A-Za-z]{200}$/],
    [
      "special characters of one's own",
      { overrideSpecial: "ß!", upper: false, lower: false, numeric: false },
      /^[ß!]{200}$/,
    ],
    ["all", {}, /^[A-Za-z0-9!@#$%&*()\-_=+[\]{}<>:?]{200}$/],
  ])("of %s", async (_, news, pattern) => {
    expect(await text({ length: 200, ...news })).toMatch(pattern);
  });

  test("has the asked-for minimum of each kind, at no fixed place", async () => {
    const news = { length: 8, minLower: 2, minUpper: 2, minNumeric: 2, minSpecial: 2 };
    const texts = await Promise.all(Array.from({ length: 50 }, () => text(news)));
    for (const each of texts) {
      for (const kind of [/[a-z]/g, /[A-Z]/g, /[0-9]/g, /[^A-Za-z0-9]/g])
        expect(each.match(kind)).toHaveLength(2);
    }
    expect(new Set(texts.map((each) => /[a-z]/.test(each[0] as string))).size).toBe(2);
  });

  test("is never the same", async () => {
    const texts = await Promise.all(Array.from({ length: 50 }, () => text({ length: 16 })));
    expect(new Set(texts).size).toBe(50);
  });

  test.each([
    ["shorter than its minima", { length: 3, minLower: 2, minUpper: 2 }, /"length" is 3, lower than 4/],
    [
      "of nothing",
      { length: 3, lower: false, upper: false, numeric: false, special: false },
      /at least one of/,
    ],
    ["empty", { length: 0 }, /0 is lower than 1/],
    ["with digits and without", { length: 3, number: true, numeric: false }, /older name of "numeric"/],
  ])("%s is refused", (_, news, message) => {
    for (const type of ["RandomString", "RandomPassword"]) {
      expect(
        check(type, news)
          .failures.map(({ reason }) => reason)
          .join(),
      ).toMatch(message);
    }
  });

  test("of a length that is not known yet is not refused", () => {
    expect(check("RandomPassword", { length: unknown, minLower: 5 }).failures).toEqual([]);
  });
});

describe("a password", () => {
  test("comes with its bcrypt hash, both secret, and shows in no id", async () => {
    const { id, state } = await make("RandomPassword", { length: 24, special: false });
    expect(id).toBe("none");
    expect(compareSync(state.result as string, state.bcryptHash as string)).toBe(true);
    expect(state.bcryptHash).toMatch(/^\$2[aby]\$10\$/);
    const { properties } = kindOf("RandomPassword");
    expect([properties.result?.secret, properties.bcryptHash?.secret]).toEqual([true, true]);
  });

  test("stays when nothing changes, also after a refresh", async () => {
    const { id, inputs, state } = await make("RandomPassword", { length: 24 });
    const refreshed = await lifecycle.read(kindOf("RandomPassword"), call, id, state);
    expect(refreshed?.state).toEqual(state);
    expect(lifecycle.diff(kindOf("RandomPassword") as never, state, inputs, []).differences).toEqual([]);
  });

  test.each([
    { length: 25 },
    { length: 24, special: false },
    { length: 24, minUpper: 1 },
    { length: 24, keepers: { a: "1" } },
    { length: 24, numeric: false },
    { length: 24, overrideSpecial: "!" },
  ])("is made anew for %o", async (news) => {
    const { state } = await make("RandomPassword", { length: 24 });
    const { inputs } = check("RandomPassword", news);
    const plan = lifecycle.diff(kindOf("RandomPassword") as never, state, inputs, []);
    expect(plan.differences.length).toBeGreaterThan(0);
    expect(plan.differences.every(({ replace }) => replace)).toBe(true);
  });

  test("can be imported, and is then what it was", async () => {
    const found = await lifecycle.read(kindOf("RandomPassword"), call, "hunter2", {});
    expect(found).toMatchObject({ id: "none", state: { result: "hunter2", length: 7, special: true } });
    expect(compareSync("hunter2", found?.state.bcryptHash as string)).toBe(true);
  });
});

describe("further random values", () => {
  test("an id, in four notations with the prefix before each", async () => {
    const { id, state } = await make("RandomId", { byteLength: 4, prefix: "p-" });
    const bytes = Buffer.from(id, "base64url");
    expect(state).toMatchObject({
      hex: `p-${bytes.toString("hex")}`,
      dec: `p-${bytes.readUInt32BE()}`,
      b64Url: `p-${id}`,
      b64Std: `p-${bytes.toString("base64")}`,
    });
    const imported = await lifecycle.read(kindOf("RandomId"), call, `p-,${id}`, {});
    expect(imported).toMatchObject({ id, state: { hex: state.hex, byteLength: 4, prefix: "p-" } });
  });

  test("bytes, secret", async () => {
    const { state } = await make("RandomBytes", { length: 16 });
    expect(Buffer.from(state.base64 as string, "base64").toString("hex")).toBe(state.hex);
    expect(state.hex).toHaveLength(32);
    expect(kindOf("RandomBytes").properties.hex?.secret).toBe(true);
  });

  test("an integer, both ends included", async () => {
    const made = await Promise.all(
      Array.from({ length: 60 }, () => make("RandomInteger", { min: -1, max: 1 })),
    );
    expect(new Set(made.map(({ state }) => state.result))).toEqual(new Set([-1, 0, 1]));
    expect(check("RandomInteger", { min: 2, max: 1 }).failures).toMatchObject([{ property: "min" }]);
  });

  test("a seed is refused: its numbers would be others than the official plugin's", () => {
    const { failures } = check("RandomInteger", { min: 1, max: 2, seed: "s" });
    expect(failures).toMatchObject([{ property: "seed", reason: expect.stringContaining("not supported") }]);
  });

  test("a shuffle holds what was given, and repeats evenly when more is asked for", async () => {
    const inputs = ["a", "b", "c"];
    const { state } = await make("RandomShuffle", { inputs });
    expect([...(state.results as string[])].sort()).toEqual(inputs);
    const more = (await make("RandomShuffle", { inputs, resultCount: 7 })).state.results as string[];
    expect(more).toHaveLength(7);
    for (const each of inputs) expect(more.filter((one) => one === each).length).toBeGreaterThanOrEqual(2);
  });

  test.each([
    ["RandomUuid", /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/],
    ["RandomUuid4", /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
    ["RandomUuid7", /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
  ])("a %s", async (type, pattern) => {
    const { id, state } = await make(type, {});
    expect(id).toMatch(pattern);
    expect(state.result).toBe(id);
  });

  test("a version 7 UUID begins with the time", async () => {
    const { id } = await make("RandomUuid7", {});
    const milliseconds = Number.parseInt(id.replace("-", "").slice(0, 12), 16);
    expect(Math.abs(Date.now() - milliseconds)).toBeLessThan(60_000);
  });

  test.each([
    [{}, /^[a-z]+-[a-z]+$/],
    [{ length: 1 }, /^[a-z]+$/],
    [{ length: 4, separator: "_", prefix: "my" }, /^my(_[a-z]+){4}$/],
  ])("a pet's name for %o", async (news, pattern) => {
    expect((await make("RandomPet", news)).id).toMatch(pattern);
  });
});
