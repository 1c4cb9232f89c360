import { randomUUID } from "node:crypto";
import pg from "pg";
import { messageOf } from "../../lib/retry";
import type { SignalTarget } from "./types";

/**
 * Tells the running connector to read tables from their beginning, in chunks between the changes that it streams
 * (Debezium's documentation: "Sending signals to a Debezium connector", incremental snapshots).
 * @param tables regular expressions, as in table.include.list.
 */
export async function readTables(target: SignalTarget, tables: readonly string[]): Promise<void> {
  if (tables.length === 0) return;
  const { host, port, database, user, password } = target;
  const client = new pg.Client({ host, port, database, user, password, connectionTimeoutMillis: 10_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    for (const table of tables) {
      const data = JSON.stringify({ "data-collections": [table], type: "incremental" });
      await client.query("INSERT INTO cdc.signal (id, type, data) VALUES ($1, 'execute-snapshot', $2)", [
        randomUUID(),
        data,
      ]);
    }
  } catch (error) {
    throw new Error(
      `Postgres at ${host}:${port}: Debezium could not be told to read the rows of ${tables.join(", ")}: ${messageOf(error)}`,
      { cause: error },
    );
  } finally {
    await client.end().catch(() => {});
  }
  console.log(`${tables.join(", ")}: Debezium reads the rows that are there already, beside new changes`);
}
