import { describe, expect, test } from "vitest";
import { captureTables, type TableSettings } from "../../src/tables";
import { builtIn, column, demoCatalog, table } from "../support/catalog";

function capture(columns: Parameters<typeof table>[1], settings: Partial<TableSettings> = {}, more = {}) {
  return captureTables([table("things", columns, more)], [{ table: "inventory.things", ...settings }])[0];
}

const id = column("id", "int8");

describe("what becomes of a table", () => {
  test("is told by the catalog alone, in Postgres's order", () => {
    const [customers] = captureTables(demoCatalog, [{ table: "inventory.customers" }]);
    expect(customers?.target).toBe("customers");
    expect(customers?.orderBy).toEqual(["id"]);
    expect(customers?.columns.map(({ name, type, nullable }) => [name, type, nullable])).toEqual([
      ["id", "Int32", false],
      ["first_name", "String", false],
      ["last_name", "String", false],
      ["email", "String", false],
      ["city", "String", true],
      ["created_at", "DateTime64(6, 'UTC')", false],
    ]);
  });

  test.each([
    [builtIn("int2"), "Int16"],
    [builtIn("oid"), "UInt32"],
    [builtIn("numeric", { precision: 10, scale: 2 }), "Decimal(10, 2)"],
    [builtIn("numeric", { precision: 2, scale: 5 }), "Decimal(5, 5)"],
    [builtIn("numeric", { precision: 5, scale: -2 }), "Decimal(7, 0)"],
    [builtIn("numeric", { precision: 200, scale: 10 }), "String"],
    [builtIn("numeric"), "String"],
    [builtIn("timestamp", { scale: 3 }), "DateTime64(3, 'UTC')"],
    [builtIn("timestamp"), "DateTime64(6, 'UTC')"],
    [builtIn("time", { scale: 0 }), "Time64(3)"],
    [builtIn("bit", { length: 1 }), "Bool"],
    [builtIn("bit", { length: 12 }), "String"],
    [builtIn("jsonb"), "String"],
    [
      { schema: "inventory", name: "status", kind: "enum", labels: ["new"] } as const,
      "LowCardinality(String)",
    ],
    [{ schema: "public", name: "citext", kind: "base" } as const, "String"],
    [builtIn("_int4", { kind: "array", element: builtIn("int4") }), "Array(Nullable(Int32))"],
  ])("%o becomes %s", (type, expected) => {
    expect(capture([id, column("x", type)])?.columns[1]?.type).toBe(expected);
  });

  test.each([
    [builtIn("varbit"), "without its length"],
    [builtIn("line"), "no rule for line"],
    [{ schema: "inventory", name: "address", kind: "composite" } as const, "composite"],
    [builtIn("int4multirange", { kind: "multirange" }), "multirange"],
    [builtIn("_interval", { kind: "array", element: builtIn("interval") }), "arrays of interval"],
  ])("%o is refused with what to do about it", (type, reason) => {
    expect(() => capture([id, column("x", type)])).toThrow(
      new RegExp(`inventory.things: column x .*${reason}.*exclude`),
    );
    expect(capture([id, column("x", type)], { exclude: ["x"] })?.excluded).toEqual(["x"]);
  });

  test.each([
    [["a.b", "a.c"], "columns a.b, a.c are arrays"],
    [["a.b.c", "a.d"], "columns a.b.c, a.d are arrays"],
    [["a", "a.b"], "columns a, a.b are arrays"],
    [["a.b", "b.a", ".c", ".d", "c", "c."], undefined],
  ])("of arrays called %j: %s", (names, reason) => {
    const ints = builtIn("_int4", { kind: "array", element: builtIn("int4") });
    const columns = [id, ...names.map((name) => column(name, ints)), column("a.z", "text")];
    const attempt = () => capture(columns);
    if (reason === undefined) expect(attempt()?.columns).toHaveLength(columns.length);
    else expect(attempt).toThrow(new RegExp(`${reason}.*Nested column "a".*exclude`));
    const texts = Object.fromEntries(names.map((name) => [name, "String"]));
    expect(capture(columns, { columns: texts })?.columns).toHaveLength(columns.length);
  });

  test("generated columns stay behind, because Postgres does not send them", () => {
    const captured = capture([id, column("total", "int4", { generated: true })]);
    expect(captured?.columns.map(({ name }) => name)).toEqual(["id"]);
    expect(captured?.excluded).toEqual(["total"]);
  });

  test.each([
    ["5", "int4", "5"],
    ["'-1'::integer", "int4", "-1"],
    ["'it''s'::character varying(20)", "varchar", "'it\\'s'"],
    ["true", "bool", "true"],
    ["nextval('s'::regclass)", "int8", undefined],
    ["now()", "timestamptz", undefined],
    ["'1 day'::interval", "interval", undefined],
    ["NULL::character varying", "varchar", undefined],
  ])("the default %s of %s is %s for rows from before the column", (value, type, expected) => {
    expect(capture([id, column("x", type, { default: value })])?.columns[1]?.default).toBe(expected);
  });
});

describe("types that the configuration asks for", () => {
  const orders: TableSettings = {
    table: "inventory.orders",
    orderBy: ["order_date", "id"],
    columns: { id: "UInt32", order_date: "Date", quantity: "Nullable(UInt16)" },
  };

  test("replace the contract's own", () => {
    const [captured] = captureTables(demoCatalog, [orders]);
    expect(captured?.columns.map(({ type }) => type)).toEqual(["UInt32", "Date", "Int32", "UInt16", "Int32"]);
    expect(captured?.orderBy).toEqual(["order_date", "id"]);
  });

  test.each([
    [builtIn("numeric", { precision: 10, scale: 4 }), "Decimal(10, 2)", "4 digits after the point"],
    [builtIn("timestamptz"), "DateTime64(3, 'UTC')", "6 digits of the second"],
    [builtIn("timestamptz"), "DateTime", "allowed are DateTime64"],
    [builtIn("text"), "Int32", "allowed are LowCardinality"],
    [builtIn("uuid"), "UInt128", "allowed are UUID and String"],
    [builtIn("int4"), "UInt32'; DROP TABLE x", "allowed are Int8"],
  ])("%o cannot be %s", (type, wanted, reason) => {
    expect(() => capture([id, column("x", type)], { columns: { x: wanted } })).toThrow(reason);
  });
});

test("every problem of every table is named at once", () => {
  const catalog = [...demoCatalog, table("keyless", [column("operation", "text")], { primaryKey: [] })];
  const settings: TableSettings[] = [
    { table: "inventory.orders", orderBy: ["oder_date"], exclude: ["id"] },
    { table: "inventory.keyless" },
    { table: "inventory.customers", target: "orders" },
    { table: "inventory.missing" },
  ];
  const attempt = () => captureTables(catalog, settings);
  for (const problem of [
    "inventory.orders: orderBy: there is no captured column oder_date; there are order_date, purchaser",
    "inventory.orders: column id is of the primary key and cannot be left out",
    "inventory.keyless: it has no primary key",
    "inventory.keyless: column operation has a name that the pipeline's own tables use",
    'inventory.customers: "orders" in ClickHouse would belong to inventory.orders too',
    "inventory.missing: there is no such table",
  ])
    expect(attempt).toThrow(problem);
});

test("tables whose objects would share a name are refused", () => {
  const catalog = [...demoCatalog, table("orders_final", [id]), table("heartbeat", [id])];
  const attempt = () =>
    captureTables(
      catalog,
      ["orders", "orders_final", "heartbeat"].map((name) => ({ table: `inventory.${name}` })),
    );
  expect(attempt).toThrow('"orders_final" in ClickHouse would belong to inventory.orders too');
  expect(attempt).toThrow('"heartbeat" in ClickHouse would belong to the pipeline');
});
