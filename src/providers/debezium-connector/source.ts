import type { Client } from "pg";
import { withPostgres } from "../../lib/postgres";
import { messageOf } from "../../lib/retry";
import type { SignalTarget } from "./types";

/**
 * A connection to the source database with the connector's own role, for one piece of work.
 * @param what what is lost when it fails, for the error.
 */
export async function withSource<T>(
  { host, port, database, user, password }: SignalTarget,
  what: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const login = { host, port, database, user, password };
  try {
    return await withPostgres({ ...login, connectionTimeoutMillis: 10_000 }, work);
  } catch (error) {
    throw new Error(`Postgres at ${host}:${port}: ${what}: ${messageOf(error)}`, { cause: error });
  }
}
