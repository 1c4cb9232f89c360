import { type ClickHouseAddress, fetchRows } from "../lib/clickhouse-fetch";

export interface ClickHouseLogin extends ClickHouseAddress {
  readonly database: string;
}

export interface ClickHouseQueryOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds after which the query is given up, here and by ClickHouse; 10 s by default. */
  readonly timeoutMs?: number;
  /** ClickHouse's settings for this query. */
  readonly settings?: Readonly<Record<string, string>>;
}

export type ClickHouseQuery = <T = Record<string, unknown>>(
  sql: string,
  options?: ClickHouseQueryOptions,
) => Promise<T[]>;

/** Asks ClickHouse in the pipeline's database. */
export function clickhouseQuery({ database, ...address }: ClickHouseLogin): ClickHouseQuery {
  return (sql, { signal, timeoutMs = 10_000, settings = {} } = {}) =>
    fetchRows(address, sql, {
      signal,
      timeoutMs,
      parameters: { database, max_execution_time: String(Math.ceil(timeoutMs / 1000)), ...settings },
    });
}
