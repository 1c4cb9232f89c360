import { type CapturedColumn, nestedName, qualifiedName } from "../../tables";
import type { Reality } from "./observe";
import { foundOf } from "./plan";
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
    const stored = [`${table.target}_final`, `${table.target}_current`].map(
      (target) => foundOf(reality, target)?.columns ?? [],
    );
    const isStored = ({ name }: CapturedColumn) =>
      stored.every((columns) => columns.some((column) => column.name === name));
    // Beside an array that came later, ClickHouse may take it for a part of the same Nested column.
    const isPart = ({ name, rule }: CapturedColumn) => rule === "array" && nestedName(name) !== undefined;
    // One that the configuration leaves out stays out on all the way.
    const present = [...table.excluded, ...table.columns.map((column) => column.name)];
    const kept = [...(olds?.kept?.[name] ?? []), ...before.columns]
      .filter((column) => isStored(column) && !isPart(column) && !present.includes(column.name))
      .map((column) => ({ ...column, dropped: true as const }));
    return kept.length > 0 ? [[name, kept] as const] : [];
  });
  return Object.fromEntries(byTable);
}
