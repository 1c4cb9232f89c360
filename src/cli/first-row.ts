import { messageOf } from "../lib/retry";
import { heartbeatTable } from "../tables";
import { withClickHouse, withPostgres } from "./connections";
import type { StackFacts } from "./facts";
import { describeLatency, measureLatency } from "./latency";
import type { Steps } from "./ui/steps";

/** Sends rows through the pipeline: the one proof that it works. */
export async function proveFirstRow(facts: StackFacts, steps: Steps): Promise<void> {
  await steps.step("First row, Postgres to ClickHouse", async () => {
    const latency = await withPostgres(facts, "postgres-admin", (postgres) =>
      withClickHouse(facts, (query) =>
        measureLatency({
          postgres,
          hasArrived: async (beatAt) =>
            (
              await query(
                `SELECT 1 FROM ${heartbeatTable.target} WHERE beat_at = toDateTime64('${beatAt}', 6, 'UTC') LIMIT 1`,
              )
            ).length > 0,
          samples: 10,
          timeoutMs: 30_000,
        }),
      ),
    ).catch((error: unknown) => {
      throw new Error(
        `all services are up, but no row came from Postgres to ClickHouse: ${messageOf(error)}\n` +
          "see which part is behind: npx cdc status; put right what was changed by hand: npx cdc up --refresh",
      );
    });
    return { value: undefined, detail: describeLatency(latency) };
  });
}
