import type { Readable } from "node:stream";
import axios, { type AxiosInstance } from "axios";
import { messageOf } from "./retry";
import { UnreachableError } from "./unreachable";

// The one way in which this project speaks HTTP.

/** What a server has answered, whatever the status. */
export interface HttpAnswer {
  readonly status: number;
  /** Parsed where it is JSON, else text. */
  readonly data: unknown;
}

export type HttpMethod = "GET" | "PUT" | "POST" | "PATCH" | "DELETE";

export interface HttpOptions {
  /** Milliseconds until a request is given up; 30,000 by default. */
  readonly timeoutMs?: number;
}

/** A client for one server. Every status is an answer: what a 404 means, the caller knows. */
export class HttpClient {
  private readonly axios: AxiosInstance;

  /** @param baseUrl with `http://` or `https://`; may carry user and password, which no error shows. */
  constructor(
    readonly baseUrl: string,
    { timeoutMs = 30_000 }: HttpOptions = {},
  ) {
    this.axios = axios.create({
      baseURL: baseUrl,
      timeout: timeoutMs,
      // Also where there is no body: axios would say that it is a form, which Connect refuses.
      headers: { "Content-Type": "application/json" },
      validateStatus: () => true,
      maxRedirects: 3,
      ...proxyFor(baseUrl),
    });
  }

  get(path: string, options?: HttpOptions): Promise<HttpAnswer> {
    return this.send("GET", path, undefined, options);
  }

  /** @throws UnreachableError when there is no answer. */
  async send(
    method: HttpMethod,
    path: string,
    body?: unknown,
    { timeoutMs }: HttpOptions = {},
  ): Promise<HttpAnswer> {
    try {
      const { status, data } = await this.axios.request({
        method,
        url: path,
        data: body,
        ...(timeoutMs !== undefined && { timeout: timeoutMs }),
      });
      return { status, data };
    } catch (error) {
      // Not handed on as the cause: axios's errors hold the whole request, passwords included.
      throw new UnreachableError(`${method} ${withoutCredentials(this.baseUrl)}${path}: ${messageOf(error)}`);
    }
  }
}

/** A file of a server. */
export interface ServedFile {
  /** Its length in bytes, where the server says it. */
  readonly bytes: number | undefined;
  /** It is empty where only HEAD was asked for. */
  readonly content: Readable;
}

/**
 * Asks a server for a file; any answer but the file is an error.
 * @param signal ends the request and the reading; axios' own timeout does not cover the name look-up.
 */
export async function requestFile(
  method: "HEAD" | "GET",
  url: string,
  signal: AbortSignal,
): Promise<ServedFile> {
  const { status, headers, data } = await axios.request<Readable>({
    method,
    url,
    signal,
    responseType: "stream",
    validateStatus: () => true,
    ...proxyFor(url),
  });
  if (status < 200 || status > 299) {
    // What is not read would hold the connection, and with it this process.
    data.destroy();
    throw new Error(`answered with status ${status}`);
  }
  const bytes = Number(headers["content-length"]);
  return { bytes: bytes > 0 ? bytes : undefined, content: data };
}

/** A URL as it may be shown. */
export function withoutCredentials(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/@]*@/i, "$1");
}

/** A proxy from the environment leads out of this machine, never to it. */
function proxyFor(url: string): { readonly proxy?: false } {
  return isLoopbackUrl(url) ? { proxy: false } : {};
}

function isLoopbackUrl(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}
