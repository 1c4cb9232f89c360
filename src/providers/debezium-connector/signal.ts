import { randomUUID } from "node:crypto";
import { signalTable } from "../../tables";
import { withSource } from "./source";
import type { SignalTarget } from "./types";

/**
 * Tells the running connector to read tables from their beginning, in chunks between the changes that it streams
 * (Debezium's documentation: "Sending signals to a Debezium connector", incremental snapshots).
 * @param tables regular expressions, as in table.include.list.
 */
export async function readTables(target: SignalTarget, tables: readonly string[]): Promise<void> {
  if (tables.length === 0) return;
  const names = tables.join(", ");
  await withSource(target, `Debezium could not be told to read the rows of ${names}`, async (client) => {
    for (const table of tables) {
      const data = JSON.stringify({ "data-collections": [table], type: "incremental" });
      await client.query(`INSERT INTO ${signalTable} (id, type, data) VALUES ($1, 'execute-snapshot', $2)`, [
        randomUUID(),
        data,
      ]);
    }
  });
  console.log(`${names}: Debezium reads the rows that are there already, beside new changes`);
}
