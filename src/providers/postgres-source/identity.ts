import { type CatalogTable, identityColumns, qualifiedName, type ReplicaIdentity } from "../../tables";
import type { PostgresSourceInputs } from "./types";

/**
 * Why a table's updates and deletes need the whole old row (REPLICA IDENTITY FULL), in words; undefined when its own
 * identity is enough. With `full` already, nothing is needed.
 * @param orderBy columns that lead the order of the change log, beyond the primary key.
 */
export function whyFull(table: CatalogTable, orderBy: readonly string[]): string | undefined {
  const refused = "Postgres would refuse updates and deletes of a published table";
  if (table.replicaIdentity === "nothing") return `it has none, so ${refused}`;
  if (table.replicaIdentity === "default" && table.primaryKey.length > 0 && !table.primaryKeyIdentifies)
    return `its primary key is DEFERRABLE and identifies no row of the log, so ${refused}`;
  const sent = new Set(identityColumns(table));
  const keys = [...table.primaryKey, ...orderBy].filter((column) => !sent.has(column));
  if (keys.length > 0) return `a delete must carry ${keys.join(", ")}`;
  const large = table.columns.filter(
    (column) => column.toastable && !column.generated && !sent.has(column.name),
  );
  if (large.length > 0) {
    return `an update leaves out large values that it does not change (${large.map(({ name }) => name).join(", ")})`;
  }
  return undefined;
}

/** Captured tables whose replica identity shall be FULL, with the reason; and those that would need it but shall not. */
export function identityWishes(
  inputs: Pick<PostgresSourceInputs, "replicaIdentityFull" | "orderBy">,
  catalog: readonly CatalogTable[],
  ledger: Readonly<Record<string, string>>,
): { readonly full: ReadonlyMap<string, string>; readonly refused: ReadonlyMap<string, string> } {
  const full = new Map<string, string>();
  const refused = new Map<string, string>();
  for (const table of catalog) {
    const name = qualifiedName(table);
    const why = whyFull(asFound(table, ledger[name]), inputs.orderBy?.[name] ?? []);
    if (inputs.replicaIdentityFull === "auto") {
      if (why !== undefined) full.set(name, why);
    } else if (inputs.replicaIdentityFull.includes(name)) full.set(name, why ?? "the configuration says so");
    else if (why !== undefined) refused.set(name, why);
  }
  return { full, refused };
}

/** The table as it was before the pipeline changed its identity, so that a change does not take back its own reason. */
function asFound(table: CatalogTable, before: string | undefined): CatalogTable {
  if (before === undefined || table.replicaIdentity !== "full") return table;
  // The columns of an index are not remembered; as good as none, the table stays FULL.
  return { ...table, replicaIdentity: before.split(" ")[0] as ReplicaIdentity, identityIndex: [] };
}
