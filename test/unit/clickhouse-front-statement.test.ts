import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { Failure } from "../../offline/images/clickhouse/front/failure";
import { readStatement } from "../../offline/images/clickhouse/front/statement";
import { inProject } from "../../src/lib/paths";

const latin1 = (text: string) => Buffer.from(text).toString("latin1");
const data = (source: string) => {
  const { data } = readStatement(source);
  return data && source.slice(data.start);
};

describe("the data of an INSERT", () => {
  test.each([
    ["after FORMAT and a line end", "INSERT INTO t FORMAT TSV\n1\ta;b\n\n2\tc", "1\ta;b\n\n2\tc"],
    ["after FORMAT and blanks", 'insert into t (a, b) format JSONEachRow {"a":1}', '{"a":1}'],
    ["after VALUES", "INSERT INTO t VALUES (1, ';'), (2, 'x')", " (1, ';'), (2, 'x')"],
    ["after FORMAT and a semicolon", "INSERT INTO t FORMAT CSV;1,2", "1,2"],
    ["that is not there yet", "INSERT INTO t FORMAT Native", ""],
    [
      "that looks like another query",
      "INSERT INTO t FORMAT LineAsString\nSELECT 1; DROP TABLE t",
      "SELECT 1; DROP TABLE t",
    ],
    ["after a comment that holds a query", "/* SELECT ; */ INSERT -- into x\n INTO t VALUES (1)", " (1)"],
    ["of a table named as a keyword", "INSERT INTO TABLE format FORMAT CSV\n1", "1"],
    ["of a table whose name is quoted", "INSERT INTO db.`select` FORMAT CSV\n1", "1"],
  ])("is found %s", (_, source, expected) => {
    expect(data(source)).toBe(expected);
  });

  test.each([
    "INSERT INTO t SELECT 1",
    "INSERT INTO t (a) SELECT format FROM x FORMAT Null",
    "INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x",
    "INSERT INTO t (SELECT 1)",
    "SELECT 'INSERT INTO t VALUES (1)'",
  ])("is not looked for in %s", (source) => {
    expect(data(source)).toBeUndefined();
  });

  test("can be taken from a file instead, with settings where they belong", () => {
    const { data } = readStatement("INSERT INTO t (a) SETTINGS async_insert = 1 FORMAT CSV\n1");
    expect(data?.from("/data/incoming/1")).toBe(
      "INSERT INTO t (a) FROM INFILE '/data/incoming/1' COMPRESSION 'none' SETTINGS async_insert = 1 FORMAT CSV",
    );
    expect(readStatement("INSERT INTO t VALUES (1)").data?.from("/f")).toBe(
      "INSERT INTO t FROM INFILE '/f' COMPRESSION 'none'  FORMAT Values",
    );
  });

  test("begins where it begins in bytes, whatever stands before it", () => {
    const source = latin1("INSERT INTO `é☃` VALUES ('ü')");
    const { data } = readStatement(source);
    expect(Buffer.from(source.slice(data?.start), "latin1").toString()).toBe(" ('ü')");
  });
});

describe("the text of a query", () => {
  test.each([
    ["SELECT 1 ;", "SELECT 1"],
    ["SELECT ';' -- ;\n", "SELECT ';' -- ;"],
    ["SELECT 1; -- done", "SELECT 1"],
    ["", ""],
  ])("%j is %j", (source, text) => {
    expect(readStatement(source).text).toBe(text);
  });

  test.each([
    ["SELECT 1 FORMAT JSON", "JSON"],
    ["SELECT format FROM t FORMAT CSV SETTINGS max_threads = 1", "CSV"],
    ["SELECT 'FORMAT CSV'", undefined],
    ["SHOW TABLES", undefined],
  ])("%j asks for the format %j", (source, format) => {
    expect(readStatement(source).format).toBe(format);
  });
});

test.each([
  "SELECT 1; SELECT 2",
  "SET ROLE x; DROP TABLE t",
  "SELECT \u00e2\u0080\u009c'\u00e2\u0080\u009d; SELECT '1'",
  "SELECT $a$;$a$; SELECT 2",
])("two queries in one request are refused: %s", (source) => {
  expect(() => readStatement(source)).toThrow("Multi-statements are not allowed");
});

test.each([
  ["SELECT 1 INTO OUTFILE '/tmp/x'", 358],
  ["SELECT 1 INTO /* */ outfile '/tmp/x'", 358],
  ["SELECT \u00e2\u0080\u009c'\u00e2\u0080\u009d INTO OUTFILE '/tmp/x'", 358],
  ["INSERT INTO t FROM INFILE '/etc/passwd' FORMAT CSV", 48],
  ["SELECT file('/etc/passwd')", 48],
  ["SELECT `file` ('/etc/passwd')", 48],
  ["SELECT \"fi\\x6ce\"('/etc/passwd')", 48],
  ["SELECT * APPLY(file) FROM t", 48],
  ["SELECT arrayMap(file, ['/etc/passwd'])", 48],
])("files of the container are out of reach: %s", (source, code) => {
  expect(() => readStatement(source)).toThrow(expect.objectContaining({ code } satisfies Partial<Failure>));
});

test.each(["SELECT file, concat(file, 'x') FROM t", "SELECT '' AS file", 'SELECT "a\\"b" FROM t'])(
  "a column named file is none: %s",
  (source) => {
    expect(readStatement(source).text).toBe(source);
  },
);

describe("a large query", () => {
  test.each([
    ["one text", `SELECT '${"x".repeat(16_000_000)}'`],
    ["escapes", `SELECT '${"\\x''".repeat(4_000_000)}'`],
    ["comments", `SELECT ${"/**/ ".repeat(3_000_000)}1`],
  ])("of %s is read", (_, source) => {
    expect(readStatement(source).text.length).toBe(source.length);
  });

  test("of a list of values does not need its size many times over", () => {
    const script = [
      'require("./bin/typescript").register();',
      'const { readStatement } = require("./offline/images/clickhouse/front/statement.ts");',
      'readStatement("SELECT 1 IN (" + "1,".repeat(800_000) + "1)");',
    ].join("\n");
    execFileSync(process.execPath, ["--max-old-space-size=64", "-e", script], {
      cwd: inProject(),
      stdio: "pipe",
    });
  }, 60_000);

  test("of dollar signs that open nothing is refused", () => {
    const source = `SELECT ${Array.from({ length: 150_000 }, (_, index) => `$t${index}$ `).join("")}`;
    expect(() => readStatement(source)).toThrow("here-documents such as $t100$ are not closed");
  });
});
