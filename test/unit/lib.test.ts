import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { HttpClient, withoutCredentials } from "../../src/lib/http";
import { nearWords } from "../../src/lib/near";
import { sleep } from "../../src/lib/retry";
import { UnreachableError } from "../../src/lib/unreachable";

describe("the HTTP client", () => {
  const server = http.createServer((request, response) => {
    if (request.url === "/slow") return;
    if (request.url === "/text") return void response.end("plain");
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      response.statusCode = request.url === "/missing" ? 404 : 200;
      response.setHeader("Content-Type", "application/json");
      const { authorization, "content-type": type } = request.headers;
      response.end(JSON.stringify({ method: request.method, url: request.url, body, authorization, type }));
    });
  });
  let port: number;

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  afterEach(() => vi.unstubAllEnvs());

  test("returns every answer, whatever its status", async () => {
    const client = new HttpClient(`http://127.0.0.1:${port}`);
    expect(await client.get("/missing")).toMatchObject({ status: 404, data: { method: "GET" } });
    expect(await client.get("/text")).toEqual({ status: 200, data: "plain" });
    const { data } = await client.send("PUT", "/a", { b: 1 });
    expect(data).toMatchObject({ method: "PUT", url: "/a", body: '{"b":1}', type: "application/json" });
    expect((await client.send("PUT", "/a")).data).toMatchObject({ body: "", type: "application/json" });
  });

  test("logs in with what the address holds, and shows it to nobody", async () => {
    const { data } = await new HttpClient(`http://user:secret@127.0.0.1:${port}`).get("/a");
    expect(data).toMatchObject({ authorization: `Basic ${Buffer.from("user:secret").toString("base64")}` });
    const failure = await new HttpClient("http://user:secret@127.0.0.1:1").get("/a").catch((error) => error);
    expect(failure).toBeInstanceOf(UnreachableError);
    expect(failure.message).toMatch(/^GET http:\/\/127\.0\.0\.1:1\/a: .*ECONNREFUSED/);
    expect(JSON.stringify({ ...failure, message: failure.message, cause: failure.cause })).not.toContain(
      "secret",
    );
    expect(withoutCredentials("https://a:b@host:1/c@d")).toBe("https://host:1/c@d");
  });

  test("goes to this machine without a proxy", async () => {
    for (const name of ["http_proxy", "HTTP_PROXY"]) vi.stubEnv(name, "http://127.0.0.1:1");
    for (const name of ["no_proxy", "NO_PROXY"]) vi.stubEnv(name, undefined);
    expect((await new HttpClient(`http://127.0.0.1:${port}`).get("/a")).status).toBe(200);
  });

  test("gives up what takes too long", async () => {
    const client = new HttpClient(`http://127.0.0.1:${port}`, { timeoutMs: 50 });
    await expect(client.get("/slow")).rejects.toThrow(/GET .*\/slow: timeout of 50ms exceeded/);
  });
});

test("a mistyped word is taken for the nearest ones", () => {
  expect(nearWords("retention.mss", ["retention.ms", "retention.bytes", "segment.ms"])).toEqual([
    "retention.ms",
  ]);
  expect(nearWords("nothing like it", ["retention.ms"])).toEqual([]);
});

test("a wait ends early, with the reason, when it is told to", async () => {
  const controller = new AbortController();
  const waiting = sleep(60_000, controller.signal);
  controller.abort(new Error("the end"));
  await expect(waiting).rejects.toThrow("the end");
  await expect(sleep(60_000, controller.signal)).rejects.toThrow("the end");
  await sleep(1, new AbortController().signal);
});
