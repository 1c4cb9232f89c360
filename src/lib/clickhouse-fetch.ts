export interface ClickHouseAddress {
  /** HTTP interface. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

export interface FetchOptions {
  /** Milliseconds after which the answer is waited for no longer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Parameters of the request: `database`, and ClickHouse's settings for this query. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/**
 * Rows of a query, by Node's own fetch: for our programs in containers of their own, whose bundles a client of its own
 * would make many times as large. Integers of 64 bits and more come as the query writes them: as text.
 */
export async function fetchRows<T>(
  { url, user, password }: ClickHouseAddress,
  sql: string,
  { timeoutMs, signal, parameters = {} }: FetchOptions,
): Promise<T[]> {
  const address = new URL(url);
  address.search = new URLSearchParams(parameters).toString();
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
}
