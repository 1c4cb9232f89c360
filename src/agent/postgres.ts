import pg from "pg";
import { connected } from "../lib/postgres";
import type { AgentSettings } from "./settings";

export interface PostgresLogin extends Omit<AgentSettings["postgres"], "passwordFile"> {
  readonly password: string;
}

/** Runs a statement; returns its rows. */
export type PostgresQuery = <T extends object>(sql: string, values?: readonly unknown[]) => Promise<T[]>;

/** A connection that is kept, and made again when it breaks. */
export class Postgres {
  private client: pg.Client | undefined;

  /** @param statementTimeoutMs after which Postgres gives a statement up. */
  constructor(
    private readonly login: PostgresLogin,
    private readonly statementTimeoutMs: number,
  ) {}

  /** @param signal ends the connection, and with it the statement, when it is aborted. */
  async query<T extends object>(sql: string, values: readonly unknown[], signal: AbortSignal): Promise<T[]> {
    const client = this.client ?? (await this.open());
    const cut = () => this.drop(client);
    signal.addEventListener("abort", cut, { once: true });
    try {
      signal.throwIfAborted();
      return (await client.query<T>(sql, [...values])).rows;
    } catch (error) {
      // After what Postgres itself has said, the connection is as good as before.
      if (!(error instanceof pg.DatabaseError)) this.drop(client);
      throw error;
    } finally {
      signal.removeEventListener("abort", cut);
    }
  }

  async close(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    await client?.end().catch(() => {});
  }

  private async open(): Promise<pg.Client> {
    const client = await connect(this.login, this.statementTimeoutMs);
    client.on("error", () => this.drop(client));
    this.client = client;
    return client;
  }

  private drop(client: pg.Client): void {
    if (this.client === client) this.client = undefined;
    cutOff(client);
  }
}

/** A connection for the time of `work`, which is cut when the signal is aborted. */
export async function withPostgres<T>(
  login: PostgresLogin,
  statementTimeoutMs: number,
  signal: AbortSignal,
  work: (query: PostgresQuery) => Promise<T>,
): Promise<T> {
  const client = await connect(login, statementTimeoutMs);
  const cut = () => cutOff(client);
  signal.addEventListener("abort", cut, { once: true });
  try {
    signal.throwIfAborted();
    return await work(async (sql, values = []) => (await client.query(sql, [...values])).rows);
  } finally {
    signal.removeEventListener("abort", cut);
    await client.end().catch(() => {});
  }
}

function connect(login: PostgresLogin, statementTimeoutMs: number): Promise<pg.Client> {
  return connected({
    ...login,
    application_name: "cdc-agent",
    connectionTimeoutMillis: 5000,
    statement_timeout: statementTimeoutMs,
    // Whoever waits for a lock may be waited for by others.
    lock_timeout: 3000,
    keepAlive: true,
  });
}

/** While a statement runs, this breaks the connection off instead of waiting for it. */
function cutOff(client: pg.Client): void {
  client.end().catch(() => {});
}
