import pg from "pg";

/**
 * A connection to Postgres. One that breaks while nothing is asked of it is noticed by the next query.
 * @throws what pg throws; nothing is left open then.
 */
export async function connected(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(config);
  // Without a listener, a connection that breaks while idle would end the process.
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
}

/** A connection to Postgres for the time of `work`. */
export async function withPostgres<T>(
  config: pg.ClientConfig,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connected(config);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
