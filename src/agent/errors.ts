import { quotedIdentifier } from "../tables/sql";
import type { ClickHouseQuery } from "./clickhouse";
import type { AgentMetrics } from "./metrics";
import type { AgentTable } from "./settings";

/** Kafka may deliver an event twice. FINAL would read the events themselves, which may be large. */
function countSql(target: string): string {
  return `SELECT toString(uniqExact(_partition, _offset)) AS n FROM ${quotedIdentifier(`${target}_errors`)}`;
}

/**
 * Counts once what could not be read, for each table.
 * @throws Error when one of them cannot be counted: its metric is absent then.
 */
export async function countErrors(
  tables: readonly AgentTable[],
  clickhouse: ClickHouseQuery,
  { errorsWaiting }: AgentMetrics,
  signal: AbortSignal,
): Promise<undefined> {
  const failures: unknown[] = [];
  for (const { source, target } of tables) {
    try {
      const [row] = await clickhouse<{ n: string }>(countSql(target), { signal });
      errorsWaiting.set({ table: source }, Number(row?.n ?? 0));
    } catch (error) {
      errorsWaiting.remove({ table: source });
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
