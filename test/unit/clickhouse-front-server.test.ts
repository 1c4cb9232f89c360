import * as fs from "node:fs";
import type * as http from "node:http";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { text } from "node:stream/consumers";
import * as zlib from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine, Result } from "../../offline/images/clickhouse/front/engine";
import { Front } from "../../offline/images/clickhouse/front/server";
import { readUsers } from "../../offline/images/clickhouse/front/users";
import { parseXml } from "../../offline/images/clickhouse/front/xml";
import { waitFor } from "../../src/lib/retry";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "clickhouse-front-"));
const incoming = path.join(folder, "incoming");
let front: Front;
let port: number;

/** Answers each query with the query. */
const engine = {
  open: () => ({
    run: async (sql: string) => result(sql),
    insert: async () => result(""),
    analyze: async () => ({ statementCount: 1, queryClass: 0 }),
    close: () => {},
  }),
} as unknown as Engine;

function result(sql: string): Result {
  return { bytes: Buffer.from(sql), elapsed: 0, rows: 1, rowBytes: 1, written: 0, writtenBytes: 0 };
}

const config = `<clickhouse>
  <profiles><default/></profiles>
  <users><u><password>p</password><networks><ip>::/0</ip></networks></u></users>
</clickhouse>`;

beforeAll(async () => {
  fs.mkdirSync(incoming);
  front = new Front({
    engine,
    users: readUsers(parseXml(config, "users.xml")).users,
    version: "26.7",
    displayName: "front",
    timezone: "UTC",
    incoming,
    maxQueries: 4,
    keepAliveSeconds: 30,
    onDead: () => {},
  });
  await front.listen("127.0.0.1", 0);
  const { servers } = front as unknown as { readonly servers: readonly [http.Server] };
  port = (servers[0].address() as net.AddressInfo).port;
});

afterAll(async () => {
  await front.stop(1000);
  fs.rmSync(folder, { recursive: true });
});

const credentials = "X-ClickHouse-User: u\r\nX-ClickHouse-Key: p";

function request(line: string, body: string | Buffer = "", headers = credentials): Buffer {
  const head = `${line} HTTP/1.1\r\nHost: x\r\n${headers}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), Buffer.from(body)]);
}

/** Sends everything before it reads anything, as many clients do. */
async function answersTo(...requests: readonly Buffer[]): Promise<string> {
  const socket = net.connect(port, "127.0.0.1");
  const last = request("GET /ping", "", "Connection: close");
  for (const each of [...requests, last])
    await new Promise<void>((resolve, reject) =>
      socket.write(each, (error) => (error ? reject(error) : resolve())),
    );
  return text(socket);
}

describe("the server outlives", () => {
  test.each([
    ["an address that looks like another server's", "GET //", "404 Not Found"],
    ["the whole address of nothing", "GET http://[/", "400 Bad Request"],
    ["an address that is not UTF-8", "GET /?query=SELECT+'%FF'", "Code: 36. DB::Exception"],
  ])("%s", async (_, line, expected) => {
    expect(await answersTo(request(line))).toMatch(new RegExp(`${expected}[\\s\\S]*\r\nOk\\.\n$`));
  });

  test.each(["constructor", "__proto__"])("the encoding %s", async (encoding) => {
    const sent = request("POST /", "SELECT 1", `${credentials}\r\nContent-Encoding: ${encoding}`);
    expect(await answersTo(sent)).toMatch(/Unknown compression method \w+[\s\S]*\r\nOk\.\n$/);
  });

  test("a client that goes away while it sends rows, and keeps none of them", async () => {
    const socket = net.connect(port, "127.0.0.1");
    const rows = `INSERT INTO t FORMAT CSV\n${"1,2,3\n".repeat(300_000)}`;
    socket.write(request("POST /", rows).subarray(0, 1_500_000));
    const left = () => fs.readdirSync(incoming).length;
    await waitFor(async () => left() === 1, { what: "the rows' file", timeoutMs: 5000 });
    socket.destroy();
    await waitFor(async () => left() === 0, { what: "the end of the rows' file", timeoutMs: 5000 });
  });
});

describe("a refused request", () => {
  const large = "1".repeat(2_000_000);

  test.each([
    ["two queries", request("POST /", `SELECT 1; SELECT ${large}`), "Multi-statements"],
    ["a wrong password", request("POST /", large, "X-ClickHouse-User: u"), "Authentication failed"],
    [
      "damaged data",
      request("POST /", large, `${credentials}\r\nContent-Encoding: gzip`),
      "Cannot decompress the request",
    ],
  ])("is read to its end, and the connection kept: %s", async (_, sent, expected) => {
    expect(await answersTo(sent)).toMatch(new RegExp(`${expected}[\\s\\S]*\r\nOk\\.\n$`));
  });

  test.each(["PUT", "DELETE", "OPTIONS"])(
    "is one with the method %s, whatever it carries",
    async (method) => {
      expect(await answersTo(request(`${method} /`, "SELECT 1"))).toMatch(/^HTTP\/1\.1 501 /);
    },
  );

  test("is a query that is not UTF-8: its bytes would be lost", async () => {
    const sent = request("POST /", Buffer.from("SELECT '\xff'", "latin1"));
    expect(await answersTo(sent)).toContain("Code: 36. DB::Exception: The query is not UTF-8");
  });

  test("is damaged zstd, by ClickHouse's code; by another one where Node does not know zstd", async () => {
    const sent = request("POST /", "SELECT 1", `${credentials}\r\nContent-Encoding: zstd`);
    const known = "createZstdDecompress" in zlib;
    expect(await answersTo(sent)).toContain(known ? "Code: 271." : "Code: 89.");
  });
});

test("names go back in headers, without what headers cannot hold", async () => {
  const answers = await answersTo(
    request("GET /?query=SELECT+1&query_id=%E2%98%83"),
    request("GET /?query=SELECT+1&query_id=a%0D%0Ab&default_format=c%0Ad"),
  );
  expect(answers).toContain("X-ClickHouse-Query-Id: ☃\r\n");
  expect(answers).toContain("X-ClickHouse-Query-Id: a??b\r\n");
  expect(answers).toContain("X-ClickHouse-Format: c?d\r\n");
});
