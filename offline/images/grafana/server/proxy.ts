import type { DataSource, DataSourceKind } from "./datasources";

/** What the page may ask, by kind of data source: method and path. Everything here only reads. */
const questions: Readonly<Record<DataSourceKind, readonly (readonly [methods: string, path: RegExp])[]>> = {
  prometheus: [
    ["GET POST", /^\/api\/v1\/(query|query_range|series)$/],
    ["GET", /^\/api\/v1\/label\/[A-Za-z_]\w*\/values$/],
    ["GET", /^\/api\/v1\/(rules|alerts)$/],
  ],
  // A query is the body. What it may do is up to the user that Grafana's file names: one that only reads.
  clickhouse: [["POST", /^\/$/]],
  alertmanager: [["GET", /^\/api\/v2\/(alerts|silences)$/]],
};

export function isAllowed(kind: DataSourceKind, method: string, path: string): boolean {
  return questions[kind].some(
    ([methods, pattern]) => methods.split(" ").includes(method) && pattern.test(path),
  );
}

export interface Question {
  readonly method: string;
  /** Of the data source, with a slash before it. */
  readonly path: string;
  /** With the question mark, or empty. */
  readonly search: string;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

/** Asks a data source; 403 for what the page may not ask, 502 when the data source does not answer. */
export async function ask(source: DataSource, question: Question): Promise<Answer> {
  const { method, path, search, contentType, body } = question;
  if (!isAllowed(source.kind, method, path))
    return failure(
      403,
      `${method} ${path} of ${source.name}: this page only reads, and only what dashboards need`,
    );
  // ClickHouse takes settings in the address: none are passed on.
  const url = source.url + path + (source.kind === "clickhouse" ? "" : search);
  try {
    const response = await fetch(url, {
      method,
      headers: { ...source.headers, ...(contentType && { "Content-Type": contentType }) },
      ...(method === "POST" && { body: new Uint8Array(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const answer = await bodyOf(response);
    if (!answer)
      return failure(502, `${source.name} answers with more than ${longestAnswer} bytes: ask for less`);
    return {
      status: response.status,
      contentType: response.headers.get("content-type") ?? "application/octet-stream",
      body: answer,
    };
  } catch (error) {
    return failure(502, `${source.name} does not answer at ${source.url}: ${reasonOf(error)}`);
  }
}

const timeoutMs = 60_000;
/** Answers are held in memory, of which the container has a few hundred MiB; several come at a time. */
const longestAnswer = 32 * 1024 * 1024;

/** Undefined where it is too long. */
async function bodyOf(response: Response): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop closes the connection to the data source.
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > longestAnswer) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** In the shape of Prometheus's own errors. */
export function failure(status: number, error: string): Answer {
  const body = Buffer.from(JSON.stringify({ status: "error", error }));
  return { status, contentType: "application/json", body };
}

/** fetch says only "fetch failed"; the cause says why. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { message?: string; code?: string } };
  return cause?.message || cause?.code || message;
}
