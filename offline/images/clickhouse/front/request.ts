import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders } from "node:http";
import { Failure } from "./failure";

/** What a request to the HTTP interface asks for, wherever in the request it was said. */
export interface QueryRequest {
  readonly user: string;
  readonly password: string;
  /** The query in the address; the body follows it. */
  readonly query: string;
  readonly queryId: string | undefined;
  readonly database: string | undefined;
  /** The format of results and data that name none. */
  readonly format: string;
  /** Settings and `param_…` values, in the order in which they were given. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  /** Only reading is allowed, because of the request's method. */
  readonly readOnly: boolean;
  readonly session:
    | { readonly id: string; readonly seconds: number; readonly mustExist: boolean }
    | undefined;
  /** Whether the client has asked for a compressed answer. */
  readonly compressed: boolean;
}

/**
 * The address of a request, as Node tells it: a path, which may look like another server's address (`//`), or a whole
 * address, which is for proxies.
 * @throws Failure for an address that cannot be read.
 */
export function readAddress(address: string): URL {
  const url = parseAddress(address);
  const bytes = url.search.replace(/%([0-9a-f]{2})/gi, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  if (!isUtf8(Buffer.from(bytes, "latin1")))
    throw new Failure(36, "The parameters of the address are not UTF-8", "BAD_ARGUMENTS");
  return url;
}

function parseAddress(address: string): URL {
  try {
    return address.startsWith("/")
      ? new URL(`http://clickhouse${address}`)
      : new URL(address, "http://clickhouse");
  } catch {
    throw new Failure(36, `Invalid address ${JSON.stringify(address)}`, "BAD_ARGUMENTS");
  }
}

/** @throws Failure for what contradicts itself or cannot be followed. */
export function readRequest(method: string, url: URL, headers: IncomingHttpHeaders): QueryRequest {
  const parameters = url.searchParams;
  for (const name of ["compress", "decompress"])
    if (isOn(parameters.get(name)))
      throw new Failure(
        48,
        `${name}=1: the local image does not speak ClickHouse's own compression; use Content-Encoding and Accept-Encoding`,
        "NOT_IMPLEMENTED",
      );
  if (parameters.has("role"))
    throw new Failure(
      512,
      "The local image gives each user one role; leave out role",
      "SET_NON_GRANTED_ROLE",
    );
  return {
    ...readCredentials(parameters, headers),
    query: parameters.get("query") ?? "",
    queryId: parameters.get("query_id") || header(headers, "x-clickhouse-query-id"),
    database: parameters.get("database") || header(headers, "x-clickhouse-database"),
    format: parameters.get("default_format") || header(headers, "x-clickhouse-format") || "TabSeparated",
    settings: readSettings(parameters),
    readOnly: method === "GET" || method === "HEAD",
    session: readSession(parameters),
    compressed: isOn(parameters.get("enable_http_compression")),
  };
}

/** Names in the address that are no settings of the engine. */
const notSettings: ReadonlySet<string> = new Set([
  "query",
  "query_id",
  "database",
  "default_format",
  "user",
  "password",
  "quota_key",
  "compress",
  "decompress",
  "session_id",
  "session_check",
  "session_timeout",
  "close_session",
  "stacktrace",
  "role",
  "buffer_size",
  "wait_end_of_query",
  "client_protocol_version",
  "enable_http_compression",
  "http_zlib_compression_level",
  "http_headers_progress_interval_ms",
  "send_progress_in_http_headers",
  "http_response_buffer_size",
  "http_write_exception_in_output_format",
]);

function readSettings(parameters: URLSearchParams): (readonly [string, string])[] {
  const settings = [...parameters].filter(([name]) => !notSettings.has(name));
  for (const [name] of settings)
    if (!/^[A-Za-z_][\w.]*$/.test(name))
      throw new Failure(
        115,
        `Setting ${JSON.stringify(name)} is neither a builtin setting nor a parameter`,
        "UNKNOWN_SETTING",
      );
  return settings;
}

function readSession(parameters: URLSearchParams): QueryRequest["session"] {
  const id = parameters.get("session_id");
  if (!id) return undefined;
  const text = parameters.get("session_timeout") ?? "60";
  const seconds = Number(text);
  if (!/^\d+$/.test(text) || seconds > 3600)
    throw new Failure(
      374,
      `Invalid session timeout: '${text}'; it can be 0 to 3600 seconds`,
      "INVALID_SESSION_TIMEOUT",
    );
  return { id, seconds, mustExist: parameters.get("session_check") === "1" };
}

function readCredentials(
  parameters: URLSearchParams,
  headers: IncomingHttpHeaders,
): { user: string; password: string } {
  const named = {
    user: header(headers, "x-clickhouse-user"),
    password: header(headers, "x-clickhouse-key"),
  };
  const basic = readBasic(headers.authorization);
  const inAddress = parameters.has("user") || parameters.has("password");
  const ways = [
    ["X-ClickHouse HTTP headers", named.user !== undefined || named.password !== undefined],
    ["Authorization HTTP header", basic !== undefined],
    ["HTTP parameters", inAddress],
  ].filter(([, used]) => used);
  if (ways.length > 1)
    throw new Failure(
      516,
      `Invalid authentication: it is not allowed to use ${ways.map(([name]) => name).join(" and ")} simultaneously`,
      "AUTHENTICATION_FAILED",
    );
  if (basic) return basic;
  if (inAddress)
    return { user: parameters.get("user") ?? "default", password: parameters.get("password") ?? "" };
  return { user: named.user ?? "default", password: named.password ?? "" };
}

function readBasic(authorization: string | undefined): { user: string; password: string } | undefined {
  if (!authorization) return undefined;
  const encoded = /^Basic\s+(\S+)\s*$/i.exec(authorization)?.[1];
  if (!encoded)
    throw new Failure(
      516,
      `Invalid authentication: '${authorization.split(" ")[0]}' HTTP Authorization scheme is not supported; use Basic`,
      "AUTHENTICATION_FAILED",
    );
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0
    ? { user: text, password: "" }
    : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  const text = Array.isArray(value) ? value[0] : value;
  return text === "" ? undefined : text;
}

function isOn(text: string | null): boolean {
  return text !== null && /^(1|true)$/i.test(text);
}
