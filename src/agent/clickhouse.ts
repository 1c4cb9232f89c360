import type { AgentSettings } from "./settings";

export interface ClickHouseLogin extends Omit<AgentSettings["clickhouse"], "passwordFile"> {
  readonly password: string;
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

/** Asks ClickHouse in the pipeline's database. Integers of 64 bits and more come as the query writes them: as text. */
export function clickhouseQuery({ url, user, password, database }: ClickHouseLogin): ClickHouseQuery {
  return async <T>(sql: string, options: ClickHouseQueryOptions = {}) => {
    const { signal, timeoutMs = 10_000, settings = {} } = options;
    const address = new URL(url);
    address.search = new URLSearchParams({
      database,
      max_execution_time: String(Math.ceil(timeoutMs / 1000)),
      ...settings,
    }).toString();
    const response = await fetch(address, {
      method: "POST",
      headers: { "X-ClickHouse-User": user, "X-ClickHouse-Key": password },
      body: `${sql}\nFORMAT JSONEachRow`,
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`ClickHouse: ${text.trim().slice(0, 400)} (status ${response.status})`);
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as T);
  };
}
