import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { withoutCredentials } from "./http";
import { messageOf, waitFor } from "./retry";
import { UnreachableError } from "./unreachable";

export interface ClickHouseConnection {
  /** HTTP interface, e.g. `http://127.0.0.1:8123`. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** Where names without a database are looked up; the server's default if left out. It need not exist yet. */
  readonly database?: string;
}

export interface ClickHouseOptions {
  /** How long a server that does not answer yet is waited for, in milliseconds; 0 by default. */
  readonly waitMs?: number;
  /** Longest run of a statement, in milliseconds; one minute by default. */
  readonly statementTimeoutMs?: number;
}

/** Asks and orders: the one way in which Pulumi's providers and the command line speak to ClickHouse. */
export interface ClickHouse {
  /** Rows of a query, as JSON has them: integers of 64 bits and more are texts. */
  rows<T>(sql: string, parameters?: Readonly<Record<string, unknown>>): Promise<T[]>;
  /** Runs a statement that returns nothing. */
  run(sql: string): Promise<void>;
}

/**
 * Hands a client to `work` and closes it.
 * @throws UnreachableError when the server does not answer (in time).
 * @throws Error in the user's terms when it refuses user or password.
 */
export async function withClickHouse<T>(
  connection: ClickHouseConnection,
  options: ClickHouseOptions,
  work: (clickhouse: ClickHouse) => Promise<T>,
): Promise<T> {
  const { client, clickhouse } = open(connection, options);
  try {
    if (options.waitMs) await awaitServer(connection, clickhouse, options.waitMs);
    return await work(clickhouse);
  } finally {
    await client.close();
  }
}

/** ClickHouse's number of an error (`Code: 60`); undefined for what is no answer of ClickHouse's. */
export function clickhouseCode(error: unknown): number | undefined {
  return error instanceof ClickHouseError ? Number(error.code) : undefined;
}

/** Some of ClickHouse's numbers of errors; source: src/Common/ErrorCodes.cpp. */
export const clickhouseCodes = { unknownTable: 60, unknownDatabase: 81, authenticationFailed: 516 } as const;

function open(
  { url, user, password, database }: ClickHouseConnection,
  { statementTimeoutMs = 60_000 }: ClickHouseOptions,
): { readonly client: ClickHouseClient; readonly clickhouse: ClickHouse } {
  const client = createClient({
    url,
    username: user,
    password,
    ...(database !== undefined && { database }),
    application: "cdc-stack",
    request_timeout: statementTimeoutMs,
    // What goes wrong is in the errors.
    log: { level: ClickHouseLogLevel.OFF },
    // Where a proxy stands in between, an answer that takes long would be given up by it.
    clickhouse_settings: { wait_end_of_query: 1, output_format_json_quote_64bit_integers: 1 },
  });
  const plainly = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explained(error, url, user);
    }
  };
  return {
    client,
    clickhouse: {
      rows: (sql, parameters) =>
        plainly(async () => {
          const result = await client.query({
            query: sql,
            format: "JSONEachRow",
            ...(parameters && { query_params: { ...parameters } }),
          });
          return result.json();
        }),
      run: (sql) =>
        plainly(async () => {
          await client.command({ query: sql });
        }),
    },
  };
}

async function awaitServer(
  { url }: ClickHouseConnection,
  clickhouse: ClickHouse,
  waitMs: number,
): Promise<void> {
  try {
    await waitFor(
      async () => {
        await clickhouse.rows("SELECT 1");
        return true;
      },
      {
        what: `ClickHouse at ${withoutCredentials(url)}`,
        timeoutMs: waitMs,
        isFatal: (error) => !(error instanceof UnreachableError),
      },
    );
  } catch (error) {
    if (error instanceof Error && error.cause instanceof UnreachableError)
      throw new UnreachableError(error.message);
    throw error;
  }
}

function explained(error: unknown, url: string, user: string): unknown {
  const where = `ClickHouse at ${withoutCredentials(url)}`;
  const code = clickhouseCode(error);
  if (code === clickhouseCodes.authenticationFailed) {
    return new Error(
      `${where} does not let user ${user} in: wrong user or password, or not from this address`,
    );
  }
  // Any other answer stays as it is: its number says what it means.
  if (code !== undefined) return error;
  return new UnreachableError(`${where}: ${messageOf(error)}`);
}
