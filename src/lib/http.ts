import axios, { type AxiosInstance } from "axios";
import { messageOf } from "./retry";
import { UnreachableError } from "./unreachable";

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

/**
 * A client for one server. Every status is an answer: what a 404 means, the caller knows. The one way in which this
 * project speaks HTTP.
 */
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
      // A proxy from the environment leads out of this machine, never to it.
      ...(isLoopback(baseUrl) && { proxy: false }),
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

/** A URL as it may be shown. */
export function withoutCredentials(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/@]*@/i, "$1");
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}
