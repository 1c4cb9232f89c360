import pg from "pg";
import { messageOf } from "../../lib/retry";
import type { SignalTarget } from "./types";

/**
 * A connection to the source database with the connector's own role, for one piece of work.
 * @param what what is lost when it fails, for the error.
 */
export async function withSource<T>(
  { host, port, database, user, password }: SignalTarget,
  what: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ host, port, database, user, password, connectionTimeoutMillis: 10_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    throw new Error(`Postgres at ${host}:${port}: ${what}: ${messageOf(error)}`, { cause: error });
  } finally {
    await client.end().catch(() => {});
  }
}
