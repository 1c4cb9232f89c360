import { randomUUID } from "node:crypto";
import * as fs from "node:fs/promises";
import * as http from "node:http";
import { finished } from "node:stream/promises";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { type Received, receive } from "./body";
import type { Connection, Engine, Result } from "./engine";
import { Failure, failureFrom, httpStatus } from "./failure";
import { log } from "./log";
import { execute } from "./query";
import { type QueryRequest, readAddress, readRequest } from "./request";
import { Sessions } from "./sessions";
import { addressAllowed, passwordMatches, type User } from "./users";

export interface FrontOptions {
  readonly engine: Engine;
  readonly users: ReadonlyMap<string, User>;
  /** The engine's version, for error texts. */
  readonly version: string;
  readonly displayName: string;
  readonly timezone: string;
  /** Folder for the data of INSERTs under way. */
  readonly incoming: string;
  readonly maxQueries: number;
  readonly keepAliveSeconds: number;
  /** Called when the engine has given up: nothing can be asked of it any more. */
  readonly onDead: (reason: string) => void;
}

/** ClickHouse's HTTP interface in front of the engine. */
export class Front {
  private readonly servers: http.Server[] = [];
  private readonly sessions: Sessions;
  private running = 0;
  private idle: (() => void) | undefined;

  constructor(private readonly options: FrontOptions) {
    this.sessions = new Sessions(options.engine);
  }

  async listen(host: string, port: number): Promise<void> {
    const server = http.createServer({ keepAliveTimeout: this.options.keepAliveSeconds * 1000 });
    // A query may take longer to answer, and an INSERT longer to arrive, than Node's defaults allow.
    server.requestTimeout = 0;
    server.timeout = 0;
    server.on("request", (request, response) => {
      this.answer(request, response)
        .catch((error) => this.sendFailure(request, response, error))
        // Nothing of one request may end the process.
        .catch((error) => {
          log("error", `answering a ${request.method} request: ${(error as Error).stack}`);
          response.destroy();
        });
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port, ipv6Only: host === "::" }, () => resolve());
    });
    this.servers.push(server);
  }

  /** Takes no more requests; resolves when those under way are done, or with their number after some time. */
  async stop(milliseconds: number): Promise<number> {
    for (const server of this.servers) {
      server.close();
      server.closeIdleConnections();
    }
    if (this.running > 0) {
      let timer: NodeJS.Timeout | undefined;
      const timeout = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, milliseconds);
      });
      await Promise.race([timeout, new Promise<void>((resolve) => (this.idle = resolve))]);
      clearTimeout(timer);
    }
    if (this.running === 0) this.sessions.close();
    return this.running;
  }

  private async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    response.setHeader("X-ClickHouse-Server-Display-Name", this.options.displayName);
    const url = readAddress(request.url ?? "/");
    if (url.pathname === "/ping" || url.pathname === "/replicas_status") sendText(response, 200, "Ok.\n");
    else if (url.pathname !== "/" && url.pathname !== "/query")
      sendText(response, 404, noHandler(url.pathname));
    else if (!["GET", "HEAD", "POST"].includes(request.method ?? "")) sendText(response, 501, "");
    else if (isBareVisit(request, url)) sendText(response, 200, "Ok.\n");
    else await this.answerQuery(request, url, response);
  }

  private async answerQuery(
    request: http.IncomingMessage,
    url: URL,
    response: http.ServerResponse,
  ): Promise<void> {
    this.running++;
    try {
      const query = readRequest(request.method ?? "GET", url, request.headers);
      response.setHeader("X-ClickHouse-Query-Id", headerText(query.queryId ?? randomUUID()));
      response.setHeader("X-ClickHouse-Timezone", this.options.timezone);
      const user = this.authenticate(query, request);
      if (this.running > this.options.maxQueries)
        throw new Failure(
          202,
          `Too many simultaneous queries. Maximum: ${this.options.maxQueries}`,
          "TOO_MANY_SIMULTANEOUS_QUERIES",
        );
      const received = await receive(request, query.query, this.options.incoming);
      const result = await this.run(user, query, received);
      await sendResult(request, response, query, received, result);
    } finally {
      this.running--;
      if (this.running === 0) this.idle?.();
    }
  }

  private authenticate(query: QueryRequest, request: http.IncomingMessage): User {
    const user = this.options.users.get(query.user);
    const allowed =
      passwordMatches(user, query.password) &&
      user &&
      addressAllowed(user, request.socket.remoteAddress ?? "");
    if (!user || !allowed)
      throw new Failure(
        516,
        `${query.user}: Authentication failed: password is incorrect, or there is no user with such name`,
        "AUTHENTICATION_FAILED",
      );
    return user;
  }

  private async run(user: User, query: QueryRequest, received: Received): Promise<Result> {
    const action = (connection: Connection, isNew = true) =>
      execute(connection, user, query, received, isNew);
    try {
      return query.session
        ? await this.sessions.use(user.name, query.session, action)
        : await this.runAlone(action);
    } catch (error) {
      throw named(error, user);
    } finally {
      if (received.file) await fs.rm(received.file, { force: true });
    }
  }

  private async runAlone(action: (connection: Connection) => Promise<Result>): Promise<Result> {
    const connection = this.options.engine.open();
    try {
      return await action(connection);
    } finally {
      connection.close();
    }
  }

  private async sendFailure(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    error: unknown,
  ): Promise<void> {
    const isWhole = await readToEnd(request);
    if (request.destroyed && !request.complete) return;
    const failure = failureFrom(error);
    if (!(error instanceof Failure))
      log("error", `${request.method} request: ${(error as Error).stack ?? error}`);
    // Rows that are still on their way would be taken for the next request.
    if (!isWhole) response.setHeader("Connection", "close");
    response.setHeader("X-ClickHouse-Exception-Code", String(failure.code));
    sendText(response, httpStatus(failure.code), failure.body(this.options.version));
    if (isFatal(failure)) this.options.onDead(failure.message);
  }
}

/** So long, at most, a request that is refused already may go on to arrive. */
const refusedMs = 10_000;

/**
 * Reads what is left of a request, as ClickHouse does before it refuses one: many clients do not listen before they
 * have sent everything, and the connection can be kept then. False where too much is left.
 */
async function readToEnd(request: http.IncomingMessage): Promise<boolean> {
  if (request.readableEnded) return true;
  request.unpipe();
  request.resume();
  try {
    await finished(request, { signal: AbortSignal.timeout(refusedMs) });
    return true;
  } catch {
    return false;
  }
}

/** To the engine all users are its one user: what is missing is missing to the user of the request. */
function named(error: unknown, user: User): unknown {
  if (!(error instanceof Failure) || error.code !== 497) return error;
  return new Failure(
    error.code,
    error.message.replace(/^default:/, () => `${user.name}:`),
    error.type,
  );
}

/** The engine answers so to everything after an error that it could not survive. */
export function isFatal(failure: Failure): boolean {
  return failure.code === 236 && /fatal error|shutting down/i.test(failure.message);
}

function isBareVisit(request: http.IncomingMessage, url: URL): boolean {
  return request.method !== "POST" && !url.searchParams.has("query");
}

function noHandler(pathname: string): string {
  return `There is no handle ${pathname}\n\nUse / or /ping for health checks.\nOr /replicas_status for more sophisticated health checks.\nSend queries from your program with POST method or GET /?query=...\n`;
}

/** A header holds the bytes of the text; line ends and the like cannot be in one. */
function headerText(text: string): string {
  return Buffer.from(text.replace(/\p{Cc}/gu, "?")).toString("latin1");
}

function sendText(response: http.ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Length": Buffer.byteLength(text),
  });
  response.end(text);
}

const gzip = promisify(zlib.gzip);
const deflate = promisify(zlib.deflate);
const brotli = promisify(zlib.brotliCompress);

async function sendResult(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  query: QueryRequest,
  { statement }: Received,
  result: Result,
): Promise<void> {
  const format = statement.data ? query.format : (statement.format ?? query.format);
  response.setHeader("X-ClickHouse-Format", headerText(format));
  response.setHeader("X-ClickHouse-Summary", JSON.stringify(summary(result)));
  response.setHeader("Content-Type", contentType(format));
  let bytes = result.bytes;
  const encoding = query.compressed ? acceptedEncoding(request.headers["accept-encoding"]) : undefined;
  if (encoding) {
    bytes = await encoders[encoding](bytes);
    response.setHeader("Content-Encoding", encoding);
  }
  response.setHeader("Content-Length", bytes.length);
  response.end(request.method === "HEAD" ? undefined : bytes);
}

const encoders = {
  gzip: (bytes: Buffer) => gzip(bytes, { level: 3 }),
  br: (bytes: Buffer) => brotli(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 3 } }),
  deflate: (bytes: Buffer) => deflate(bytes, { level: 3 }),
} as const;

function acceptedEncoding(header: string | string[] | undefined): keyof typeof encoders | undefined {
  const names = String(header ?? "")
    .split(",")
    .map((part) => part.split(";")[0]?.trim().toLowerCase());
  return (Object.keys(encoders) as (keyof typeof encoders)[]).find((name) => names.includes(name));
}

/** ClickHouse's summary; the engine in-process tells less of what was read than of what came out. */
function summary(result: Result): Record<string, string> {
  return {
    read_rows: String(result.rows),
    read_bytes: String(result.rowBytes),
    written_rows: String(result.written),
    written_bytes: String(result.writtenBytes),
    total_rows_to_read: "0",
    result_rows: String(result.rows),
    result_bytes: String(result.bytes.length || result.writtenBytes),
    elapsed_ns: String(Math.round(result.elapsed * 1e9)),
  };
}

function contentType(format: string): string {
  if (/^(JSON|JSONCompact|JSONStrings|JSONCompactStrings|JSONColumns\w*)$/i.test(format))
    return "application/json; charset=UTF-8";
  if (/^(JSON\w*EachRow\w*|NDJSON|JSONLines)$/i.test(format)) return "application/x-ndjson; charset=UTF-8";
  if (/^CSV/i.test(format)) return "text/csv; charset=UTF-8; header=absent";
  if (/^(TabSeparated|TSV)/i.test(format)) return "text/tab-separated-values; charset=UTF-8";
  if (/^(Pretty|Vertical|Values|Markdown|SQLInsert|Prometheus)/i.test(format))
    return "text/plain; charset=UTF-8";
  if (/^XML$/i.test(format)) return "application/xml; charset=UTF-8";
  return "application/octet-stream";
}
