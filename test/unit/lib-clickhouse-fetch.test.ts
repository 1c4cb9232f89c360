import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fetchRows } from "../../src/lib/clickhouse-fetch";
import { inOneLine } from "../../src/lib/retry";

const asked: { url?: string | undefined; user: unknown; body: string }[] = [];
const server = http.createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  asked.push({ url: request.url, user: request.headers["x-clickhouse-user"], body });
  if (body.startsWith("wrong")) response.writeHead(404).end("Code: 60. There is no such table\n");
  else response.end('{"n":"1"}\n{"n":"2"}\n');
});
let address: { url: string; user: string; password: string };

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  address = { url: `http://127.0.0.1:${port}`, user: "reader", password: "p" };
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

test("rows of a query, with its settings", async () => {
  const parameters = { database: "cdc", log_queries: "0" };
  expect(await fetchRows(address, "SELECT 1 AS n", { timeoutMs: 5000, parameters })).toEqual([
    { n: "1" },
    { n: "2" },
  ]);
  expect(asked.at(-1)).toEqual({
    url: "/?database=cdc&log_queries=0",
    user: "reader",
    body: "SELECT 1 AS n\nFORMAT JSONEachRow",
  });
});

test("a refusal says what ClickHouse said", async () => {
  await expect(fetchRows(address, "wrong", { timeoutMs: 5000 })).rejects.toThrow(
    "ClickHouse: Code: 60. There is no such table (status 404)",
  );
});

test("no answer: an error in a line says why", async () => {
  const error = await fetchRows({ ...address, url: "http://127.0.0.1:1" }, "SELECT 1", {
    timeoutMs: 5000,
  }).catch((thrown: unknown) => thrown);
  expect(inOneLine(error)).toMatch(/^fetch failed: .*(ECONNREFUSED|bad port)/);
  expect(inOneLine(new Error("one\n two"))).toBe("one two");
});
