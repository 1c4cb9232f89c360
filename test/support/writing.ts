import { Client } from "pg";
import { sleep } from "../../src/lib/retry";
import type { TestDatabase } from "./databases";
import { postgresAdmin } from "./servers";

/** What goes on until it is ended. */
export interface Writing {
  /** Waits for all writers. @throws what one of them has failed with, at whatever time. */
  readonly end: () => Promise<void>;
}

/**
 * Writers that run into each other, one transaction after the other; every ninth is rolled back.
 * @param statements of a transaction, by the number of the writer and of its turn.
 */
export function startWriting(
  { host, port, name }: Pick<TestDatabase, "host" | "port" | "name">,
  writers: number,
  statements: (writer: number, turn: number) => readonly string[],
): Writing {
  let going = true;
  const writing = Array.from({ length: writers }, async (_, writer) => {
    const client = new Client({ host, port, database: name, ...postgresAdmin });
    client.on("error", () => {});
    await client.connect();
    for (let turn = 0; going; turn += 1) {
      await client.query("BEGIN");
      try {
        for (const statement of statements(writer, turn)) await client.query(statement);
        await client.query(turn % 9 === 8 ? "ROLLBACK" : "COMMIT");
      } catch {
        // A deadlock, or a key that another transaction took meanwhile.
        await client.query("ROLLBACK");
      }
      // Writers without a pause would take the processors from the pipeline that they are to test.
      await sleep(10);
    }
    await client.end();
  });
  // From now on: one that fails before the end would otherwise be an error of no test.
  const ended = Promise.allSettled(writing);
  return {
    end: async () => {
      going = false;
      for (const writer of await ended) if (writer.status === "rejected") throw writer.reason;
    },
  };
}
