import { describe, expect, test } from "vitest";
import { failureFrom, httpStatus } from "../../offline/images/clickhouse/front/failure";
import { memoryLimit } from "../../offline/images/clickhouse/front/memory";
import { identifier, literal, prelude } from "../../offline/images/clickhouse/front/query";
import { readRequest } from "../../offline/images/clickhouse/front/request";
import { readUsers } from "../../offline/images/clickhouse/front/users";
import { parseXml } from "../../offline/images/clickhouse/front/xml";

const request = (address: string, headers = {}, method = "POST") =>
  readRequest(method, new URL(address, "http://clickhouse"), headers);
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });

describe("a request", () => {
  test("takes what is not said from ClickHouse's defaults", () => {
    expect(request("/")).toEqual({
      user: "default",
      password: "",
      query: "",
      queryId: undefined,
      database: undefined,
      format: "TabSeparated",
      settings: [],
      readOnly: false,
      session: undefined,
      compressed: false,
    });
  });

  test("says by address what it wants; what the front does not know is a setting of the engine", () => {
    const address =
      "/?query=SELECT+1&database=d&default_format=JSON&query_id=q&max_threads=2&param_x=a%26b&wait_end_of_query=1" +
      "&send_progress_in_http_headers=1&enable_http_compression=1&session_id=s&session_timeout=5";
    expect(request(address)).toMatchObject({
      query: "SELECT 1",
      database: "d",
      format: "JSON",
      queryId: "q",
      settings: [
        ["max_threads", "2"],
        ["param_x", "a&b"],
      ],
      session: { id: "s", seconds: 5, mustExist: false },
      compressed: true,
    });
  });

  test.each([
    ["headers", request("/", { "x-clickhouse-user": "u", "x-clickhouse-key": "p:1" })],
    ["basic authentication", request("/", basic("u:p:1"))],
    ["the address", request("/?user=u&password=p:1")],
  ])("names its user in %s", (_, { user, password }) => {
    expect({ user, password }).toEqual({ user: "u", password: "p:1" });
  });

  test("may only read when it is a GET", () => {
    expect(request("/?query=x", {}, "GET").readOnly).toBe(true);
  });

  test.each([
    ["/?user=u", basic("u:p"), 516, "Authorization HTTP header and HTTP parameters simultaneously"],
    ["/", { authorization: "Bearer x" }, 516, "'Bearer'"],
    ["/?decompress=1", {}, 48, "Content-Encoding"],
    ["/?role=admin", {}, 512, "one role"],
    ["/?a%20b=1", {}, 115, '"a b"'],
    ["/?session_id=s&session_timeout=1d", {}, 374, "0 to 3600"],
  ])("%s with %j is refused with code %d", (address, headers, code, text) => {
    expect(() => request(address, headers)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(text) }),
    );
  });
});

describe("an error of the engine", () => {
  test("is unwrapped, however often the engine has wrapped it", () => {
    const text =
      "Query failed: Code: 164. DB::Exception: Code: 164. DB::Exception: Cannot modify 'max_threads' setting " +
      "in readonly mode. (READONLY) (version 26.7.2.1). (READONLY)";
    expect(failureFrom(new Error(text)).body("26.7.2.1")).toBe(
      "Code: 164. DB::Exception: Cannot modify 'max_threads' setting in readonly mode. (READONLY) " +
        "(version 26.7.2.1 (local image))\n",
    );
  });

  test("keeps brackets that belong to its text", () => {
    const failure = failureFrom(
      new Error("Code: 47. DB::Exception: Unknown f(x) (maybe g(x)). (UNKNOWN_IDENTIFIER)"),
    );
    expect(failure).toMatchObject({
      code: 47,
      type: "UNKNOWN_IDENTIFIER",
      message: "Unknown f(x) (maybe g(x)).",
    });
  });

  test("that quotes a long query is read at once", () => {
    // What repeats what stands before the bracket takes hours for this.
    const text = `Unknown expression x in SELECT x, '${" ".repeat(1_000_000)}'`;
    expect(failureFrom(new Error(`Code: 47. DB::Exception: ${text}. (UNKNOWN_IDENTIFIER)`))).toMatchObject({
      message: `${text}.`,
      type: "UNKNOWN_IDENTIFIER",
    });
  });

  test("that is none of ClickHouse's is a logical error", () => {
    expect(failureFrom(new TypeError("x is undefined"))).toMatchObject({ code: 49, type: "LOGICAL_ERROR" });
  });

  test.each([
    [62, 400],
    [60, 404],
    [81, 404],
    [497, 403],
    [516, 403],
    [194, 401],
    [159, 408],
    [48, 501],
    [241, 500],
    [164, 500],
  ])("with code %d has the status %d", (code, status) => {
    expect(httpStatus(code)).toBe(status);
  });
});

describe("a query's session", () => {
  const config = `<clickhouse>
    <profiles>
      <default/>
      <reading><readonly>2</readonly><max_execution_time>60</max_execution_time></reading>
      <bounded><constraints><max_threads><max>2</max></max_threads></constraints></bounded>
    </profiles>
    <users>
      <full><password>x</password><profile>default</profile></full>
      <reader>
        <password>x</password><profile>reading</profile><default_database>cdc</default_database>
        <grants><query>GRANT SELECT ON cdc.*</query></grants>
      </reader>
      <bound><password>x</password><profile>bounded</profile></bound>
    </users>
  </clickhouse>`;
  const { users } = readUsers(parseXml(config, "users.xml"));
  const session = (user: string, address = "/") => {
    const found = users.get(user);
    if (!found) throw new Error(user);
    return prelude(found, request(address)).split(";\n");
  };
  const defaults = "SET implicit_select = '0', allow_introspection_functions = '0'";

  test("has the rights of full access without grants", () => {
    expect(session("full")).toEqual(["SET ROLE `front_full`", defaults]);
  });

  test("becomes read-only before the request's own settings, which the engine may then refuse", () => {
    expect(session("reader", "/?max_threads=1&param_x=1")).toEqual([
      "SET ROLE `user_reader`",
      "USE `cdc`",
      defaults,
      "SET param_x = '1'",
      "SET max_execution_time = '60'",
      "SET readonly = 2",
      "SET max_threads = '1'",
    ]);
  });

  test("takes on a profile that limits settings as a whole", () => {
    expect(session("bound")).toContain("SET profile = 'bounded'");
  });

  test("cannot be left through a name or a value", () => {
    expect(literal("a'b\\c\0")).toBe("'a\\'b\\\\c\\0'");
    expect(identifier("a`b\\c")).toBe("`a\\`b\\\\c`");
    expect(session("full", "/?database=x%60%3B")[1]).toBe("USE `x\\`;`");
  });
});

describe("the engine's memory", () => {
  const config = (text: string) => parseXml(`<clickhouse>${text}</clickhouse>`, "config.xml");
  const gib = 1024 ** 3;
  const front = 128 * 1024 ** 2;

  test.each([
    ["", Math.floor(gib * 0.9) - front],
    ["<max_server_memory_usage_to_ram_ratio>0.5</max_server_memory_usage_to_ram_ratio>", gib / 2 - front],
    ["<max_server_memory_usage>500000000</max_server_memory_usage>", 500_000_000],
    ["<max_server_memory_usage>5000000000</max_server_memory_usage>", Math.floor(gib * 0.9) - front],
  ])("with %j is at most %d bytes of a GiB", (text, bytes) => {
    expect(memoryLimit(config(text), gib)).toBe(bytes);
  });
});
