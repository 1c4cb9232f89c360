import type { CatalogColumn, CatalogTable, CatalogType } from "../../src/tables";

/** A type of Postgres's own, as the catalog describes it. */
export function builtIn(name: string, more: Partial<CatalogType> = {}): CatalogType {
  return { schema: "pg_catalog", name, kind: "base", ...more };
}

export function column(
  name: string,
  base: CatalogType | string,
  more: Partial<CatalogColumn> = {},
): CatalogColumn {
  const type = typeof base === "string" ? builtIn(base) : base;
  return {
    name,
    position: 1,
    type: type.name,
    base: type,
    notNull: true,
    toastable: false,
    generated: false,
    ...more,
  };
}

export function table(
  name: string,
  columns: readonly CatalogColumn[],
  more: Partial<CatalogTable> = {},
): CatalogTable {
  return {
    oid: 16_384,
    schema: "inventory",
    name,
    partitioned: false,
    heirs: [],
    columns: columns.map((one, index) => ({ ...one, position: index + 1 })),
    primaryKey: ["id"],
    primaryKeyIdentifies: true,
    replicaIdentity: "full",
    identityIndex: [],
    ...more,
  };
}

/** The tables of sql/postgres/demo.sql. */
export const demoCatalog: readonly CatalogTable[] = [
  table("customers", [
    column("id", "int4"),
    column("first_name", builtIn("varchar", { length: 64 }), { toastable: true }),
    column("last_name", builtIn("varchar", { length: 64 }), { toastable: true }),
    column("email", builtIn("varchar", { length: 255 }), { toastable: true }),
    column("city", "text", { notNull: false, toastable: true }),
    column("created_at", "timestamptz", { default: "now()" }),
  ]),
  table("orders", [
    column("id", "int4"),
    column("order_date", "date", { default: "CURRENT_DATE" }),
    column("purchaser", "int4"),
    column("quantity", "int4"),
    column("product_id", "int4"),
  ]),
  table("products", [
    column("id", "int4"),
    column("name", builtIn("varchar", { length: 128 }), { toastable: true }),
    column("description", "text", { notNull: false, toastable: true }),
    column("price", builtIn("numeric", { precision: 10, scale: 2 }), { toastable: true }),
    column("weight_kg", builtIn("numeric", { precision: 8, scale: 3 }), { notNull: false, toastable: true }),
    column("in_stock", "bool", { default: "true" }),
  ]),
];
