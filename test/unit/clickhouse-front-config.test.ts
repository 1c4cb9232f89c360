import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findAll, loadConfig, textAt } from "../../offline/images/clickhouse/front/config";
import {
  addressAllowed,
  passwordMatches,
  readUsers,
  type User,
} from "../../offline/images/clickhouse/front/users";
import { parseXml, writeXml } from "../../offline/images/clickhouse/front/xml";
import { inProject } from "../../src/lib/paths";

describe("XML", () => {
  test("is read with attributes, entities, CDATA and comments, and written so that it means the same", () => {
    const source = `<?xml version="1.0"?>
      <!-- a < b -->
      <clickhouse><a x="1 &amp; 2">3 &lt; &#52;&#x35;</a><b><![CDATA[<raw>]]></b><c/><d><e>1</e><e>2</e></d></clickhouse>`;
    const root = parseXml(source, "test.xml");
    expect(textAt(root, "a")).toBe("3 < 45");
    expect(textAt(root, "b")).toBe("<raw>");
    expect(findAll(root.children[3], "e").map(({ text }) => text)).toEqual(["1", "2"]);
    expect(parseXml(writeXml(root), "again.xml")).toEqual(root);
  });

  test.each([
    ["<a>\n<b>\n</a>", "line 3", "</a> closes <b>"],
    ["<a>&nbsp;</a>", "line 1", "&nbsp;"],
    ["<a/><b/>", "line 1", "after the end"],
    ["<a><!-- </a>", "line 1", "--> is missing"],
  ])("%j is refused with the file and the line", (source, line, problem) => {
    const message = new RegExp(`^bad\\.xml, ${line}: .*${problem}`);
    expect(() => parseXml(source, "bad.xml")).toThrow(message);
  });
});

describe("configuration", () => {
  let folder: string;
  const write = (name: string, text: string) => {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, text);
    return file;
  };

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "clickhouse-config-"));
  });

  afterEach(() => fs.rmSync(folder, { recursive: true }));

  test("is merged from its folder in the order of names: replaced, removed, added", () => {
    const main = write(
      "config.xml",
      "<clickhouse><a>1</a><b><c>1</c><d>1</d></b><e>1</e><f>1</f></clickhouse>",
    );
    write(
      "config.d/1.xml",
      '<clickhouse><a>2</a><b><c>2</c></b><e remove="remove"/><new>1</new></clickhouse>',
    );
    write(
      "config.d/2.xml",
      '<clickhouse><a>3</a><f replace="replace"><g>1</g></f><none remove="1"/></clickhouse>',
    );
    write("config.d/ignored.txt", "<clickhouse><a>4</a></clickhouse>");
    const root = loadConfig(main, {});
    const at = ["a", "b.c", "b.d", "e", "f.g", "new", "none"].map((key) => textAt(root, key));
    expect(at).toEqual(["3", "2", "1", undefined, "1", "1", undefined]);
  });

  test("takes values from the environment, and says which is missing", () => {
    const main = write("config.xml", '<clickhouse><a from_env="PORT">1</a></clickhouse>');
    expect(textAt(loadConfig(main, { PORT: "2" }), "a")).toBe("2");
    expect(() => loadConfig(main, {})).toThrow('<a from_env="PORT">: the environment has no variable PORT');
  });

  test("may be YAML", () => {
    const main = write("config.xml", "<clickhouse><a>1</a></clickhouse>");
    write("config.d/x.yaml", 'a: 2\nb:\n  - c: 1\n  - c: 2\nd:\n  "@remove": "1"\n');
    const root = loadConfig(main, {});
    expect(textAt(root, "a")).toBe("2");
    expect(findAll(root, "b").map((b) => textAt(b, "c"))).toEqual(["1", "2"]);
  });

  test("that this image cannot follow is refused", () => {
    const main = write("config.xml", '<clickhouse><a incl="b"/></clickhouse>');
    expect(() => loadConfig(main, {})).toThrow("knows remove, replace and from_env only");
  });

  test("of the image itself can be read, and lets nobody in from outside by itself", () => {
    const config = inProject("offline", "images", "clickhouse", "config");
    expect(textAt(loadConfig(path.join(config, "config.xml")), "http_port")).toBe("8123");
    expect([...readUsers(loadConfig(path.join(config, "users.xml"))).users.keys()]).toEqual(["default"]);
  });
});

describe("users", () => {
  const read = (users: string, more = "") =>
    readUsers(
      parseXml(
        `<clickhouse><profiles><default/>${more}</profiles><users>${users}</users></clickhouse>`,
        "users.xml",
      ),
    );
  const one = (inside: string, more = "") => read(`<u>${inside}</u>`, more).users.get("u") as User;
  const sha = (text: string, kind = "sha256") => createHash(kind).update(text).digest();

  test.each([
    ["plain", "<password>secret</password>"],
    ["SHA-256", `<password_sha256_hex>${sha("secret").toString("hex").toUpperCase()}</password_sha256_hex>`],
    [
      "double SHA-1",
      `<password_double_sha1_hex>${createHash("sha1").update(sha("secret", "sha1")).digest("hex")}</password_double_sha1_hex>`,
    ],
  ])("log in with a password that is kept as %s, and with no other", (_, inside) => {
    const user = one(inside);
    expect(["secret", "Secret", ""].map((password) => passwordMatches(user, password))).toEqual([
      true,
      false,
      false,
    ]);
  });

  test("that nobody knows cannot log in, not even without a password", () => {
    expect(passwordMatches(undefined, "")).toBe(false);
    expect(passwordMatches(one("<no_password/>"), "anything")).toBe(true);
    expect(() => one("")).toThrow("users.u has no way to log in");
  });

  test.each([
    ["<ip>::/0</ip>", ["127.0.0.1", "::ffff:10.1.2.3", "fe80::1"], []],
    ["<ip>10.0.0.0/8</ip><ip>::1</ip>", ["::ffff:10.1.2.3", "10.0.0.1", "::1"], ["127.0.0.1", "::2"]],
    ["", [], ["127.0.0.1", "::1"]],
  ])("come from the networks %j only", (networks, allowed, refused) => {
    const user = one(`<password>x</password><networks>${networks}</networks>`);
    expect(allowed.filter((address) => !addressAllowed(user, address))).toEqual([]);
    expect(refused.filter((address) => addressAllowed(user, address))).toEqual([]);
  });

  test("have the settings of their profile and of those that it stands on", () => {
    const profiles =
      "<base><max_threads>1</max_threads><a>1</a></base><p><profile>base</profile><a>2</a><readonly>1</readonly></p>";
    expect(one("<password>x</password><profile>p</profile>", profiles)).toMatchObject({
      settings: { max_threads: "1", a: "2" },
      readonly: 1,
      constrainedBy: undefined,
    });
  });

  test("become roles of the engine, whose own user has no other right", () => {
    const { engine } = read(
      "<u><password>x</password></u><r><password>x</password><grants><query>GRANT SELECT ON cdc.*</query></grants></r>",
    );
    const roles = engine.children.find(({ name }) => name === "roles");
    expect(roles?.children.map(({ name }) => name)).toEqual(["front_full", "front_root", "user_r"]);
    expect(textAt(engine, "roles.user_r.grants.query")).toBe("GRANT SELECT ON cdc.*");
    expect(writeXml(engine)).not.toContain("GRANT FILE");
    expect(textAt(engine, "users.default.grants.query")).toBe("GRANT front_full");
  });

  test.each([
    ["<u><password>x</password><ldap/></u>", "users.u.ldap: the local ClickHouse image cannot enforce it"],
    ["<u><password>x</password><networks><host>a</host></networks></u>", "addresses (<ip>) only"],
    ["<u><password_sha256_hex>12</password_sha256_hex></u>", "not 64 hexadecimal digits"],
    [
      "<u><password>x</password><profile>none</profile></u>",
      "there is no profile none; profiles are default",
    ],
  ])("with what cannot be enforced are refused: %s", (users, message) => {
    expect(() => read(users)).toThrow(message);
  });
});
