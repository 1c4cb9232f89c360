import { type CapturedColumn, qualifiedName } from "../../tables";
import type { Reality } from "./observe";
import type { ClickHouseSchemaInputs, ClickHouseSchemaState } from "./types";

/**
 * By captured table: columns that Postgres has dropped, and whose values T_final and T_current keep. Events from before
 * carry them: one that is read late, or once more, must not put nothing in place of a value.
 */
export function keptColumns(
  { tables }: ClickHouseSchemaInputs,
  olds: ClickHouseSchemaState | undefined,
  reality: Reality,
): Readonly<Record<string, readonly CapturedColumn[]>> {
  const byTable = tables.flatMap((table) => {
    const name = qualifiedName(table);
    const before = olds?.tables.find((one) => qualifiedName(one) === name && one.target === table.target);
    if (before === undefined) return [];
    const stored = reality.objects
      .filter((found) => [`${table.target}_final`, `${table.target}_current`].includes(found.name))
      .flatMap(({ columns }) => columns.map((column) => column.name));
    // One that the configuration leaves out stays out on all the way.
    const present = [...table.excluded, ...table.columns.map((column) => column.name)];
    const kept = [...(olds?.kept?.[name] ?? []), ...before.columns]
      .filter((column) => stored.includes(column.name) && !present.includes(column.name))
      .map((column) => ({ ...column, dropped: true as const }));
    return kept.length > 0 ? [[name, kept] as const] : [];
  });
  return Object.fromEntries(byTable);
}
