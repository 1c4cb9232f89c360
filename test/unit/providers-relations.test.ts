import { expect, test } from "vitest";
import { diff } from "../../src/providers/clickhouse-schema/operations";
import { remadeTables } from "../../src/providers/relations";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const before = { "a.b": { oid: 1, columns: { id: 1 } }, "a.c": { oid: 2, columns: { id: 1 } } };

test("a table is another one when its OID is, and only where both are known", () => {
  expect(remadeTables(before, before)).toEqual([]);
  expect(remadeTables(before, { ...before, "a.c": { oid: 3, columns: { id: 1 } } })).toEqual(["a.c"]);
  expect(remadeTables(undefined, before)).toEqual([]);
  expect(remadeTables({ "a.b": before["a.b"] }, before)).toEqual([]);
  expect(remadeTables(before, undefined)).toEqual([]);
});

test("a preview plans an update of the schema only once another table is known of", async () => {
  const olds = { database: "d", relations: before, drift: [] };
  const plan = (relations: unknown) => diff("d", olds as never, { database: "d", relations } as never);
  expect(await plan(before)).toMatchObject({ changes: false });
  expect(await plan(unknown)).toMatchObject({ changes: false });
  expect(await plan({ ...before, "a.b": { oid: 4, columns: { id: 1 } } })).toMatchObject({
    changes: true,
    replaces: [],
  });
});
