import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { waitFor } from "../../src/lib/retry";
import * as operations from "../../src/providers/postgres-source/operations";
import type { PostgresSourceState } from "../../src/providers/postgres-source/types";
import { type Login, newDatabase, sourceArgs, type TestDatabase } from "../support/databases";
import { TestResource } from "../support/provider";
import { postgresAdmin } from "../support/servers";

let database: TestDatabase;
let resource: TestResource;

const debezium = { user: "debezium", password: "connector-secret" };
const exporter = { user: "exporter", password: "exporter-secret" };
const app = { user: "app", password: "app-secret" };
const all = { exporter, app: { ...app, schemas: ["inventory"] } };

beforeEach(async () => {
  database = await newDatabase("source");
  resource = new TestResource(operations);
  vi.spyOn(console, "log").mockImplementation(() => {});
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  // Roles are the server's, not the database's.
  await resource.destroy();
  await database.drop();
});

async function roles(): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    "SELECT rolname AS name FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres' ORDER BY 1",
  );
  return rows.map(({ name }) => name);
}

async function publications(): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    "SELECT pubname AS name FROM pg_publication ORDER BY 1",
  );
  return rows.map(({ name }) => name);
}

async function publishedTables(publication = "cdc_publication"): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `SELECT schemaname || '.' || tablename AS name FROM pg_publication_tables WHERE pubname = '${publication}' ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

async function slots(): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `SELECT slot_name AS name FROM pg_replication_slots WHERE database = '${database.name}' ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

async function identityOf(table: string): Promise<string> {
  const [row] = await database.query<{ identity: string }>(
    `SELECT relreplident AS identity FROM pg_class WHERE oid = '${table}'::regclass`,
  );
  return row?.identity ?? "none";
}

/** All that a source may leave behind. Rights that were never given and those that were taken back read the same. */
async function everything() {
  return {
    roles: await roles(),
    publications: await publications(),
    slots: await slots(),
    schemas: await database.query(
      `SELECT nspname, pg_get_userbyid(nspowner) AS owner, coalesce(nspacl, acldefault('n', nspowner))::text AS rights
       FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1`,
    ),
    relations: await database.query(
      `SELECT c.oid::regclass::text AS name, relreplident, pg_get_userbyid(relowner) AS owner,
              coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))::text AS rights
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE nspname !~ '^(pg_|information_schema)' ORDER BY 1`,
    ),
    database: await database.query(
      `SELECT coalesce(datacl, acldefault('d', datdba))::text AS rights
       FROM pg_database WHERE datname = current_database()`,
    ),
  };
}

/** A session that reads from a slot, as a connector does. */
async function readSlot(
  slot: string,
  login: Login,
): Promise<{ ended: Promise<unknown>; end(): Promise<void> }> {
  const { host, port, name } = database;
  const replication = { replication: "database" } as object;
  const reader = new Client({ host, port, database: name, ...login, ...replication });
  const ended = new Promise((resolve) => reader.on("error", resolve));
  await reader.connect();
  reader
    .query(
      `START_REPLICATION SLOT ${slot} LOGICAL 0/0 (proto_version '1', publication_names 'cdc_publication')`,
    )
    .catch(() => {});
  await waitFor(
    async () =>
      (await database.query(`SELECT FROM pg_replication_slots WHERE slot_name = '${slot}' AND active`))
        .length > 0,
    { what: `reading from slot ${slot}`, timeoutMs: 10_000 },
  );
  return { ended, end: () => reader.end() };
}

describe("a source", () => {
  test("has roles with the least rights, a publication of just the captured tables, and its own schema", async () => {
    expect(await resource.up(sourceArgs(database, all))).toBe("created");
    expect(await roles()).toEqual(["app", "debezium", "exporter"]);
    expect(await publishedTables()).toEqual([
      "cdc.heartbeat",
      "cdc.signal",
      "inventory.customers",
      "inventory.orders",
    ]);
    const [debeziumRole] = await database.query(
      "SELECT rolreplication, rolsuper, rolcanlogin FROM pg_roles WHERE rolname = 'debezium'",
    );
    expect(debeziumRole).toEqual({ rolreplication: true, rolsuper: false, rolcanlogin: true });
    expect(await database.query("SELECT count(*)::int AS n FROM inventory.orders", debezium)).toEqual([
      { n: 5000 },
    ]);
    await expect(database.query("SELECT * FROM inventory.products", debezium)).rejects.toThrow(
      /permission denied/,
    );
    await expect(database.query("DELETE FROM inventory.orders", debezium)).rejects.toThrow(
      /permission denied/,
    );
    await database.query(
      `INSERT INTO cdc.heartbeat VALUES (1, clock_timestamp())
       ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at`,
      debezium,
    );
    await database.query("INSERT INTO cdc.signal VALUES ('1', 'log', '{}')", debezium);
    await expect(database.query("DELETE FROM cdc.signal", debezium)).rejects.toThrow(/permission denied/);
    expect(await database.query("SELECT pg_has_role('pg_monitor', 'MEMBER') AS monitor", exporter)).toEqual([
      { monitor: true },
    ]);
    await expect(database.query("SELECT * FROM inventory.orders", exporter)).rejects.toThrow(
      /permission denied/,
    );
  });

  test("describes the captured tables and the server in its state, and holds no clear password elsewhere", async () => {
    await resource.up(sourceArgs(database, all));
    const state = resource.state as unknown as PostgresSourceState;
    expect(state.catalog.map(({ schema, name }) => `${schema}.${name}`)).toEqual(state.tables);
    expect(state.serverVersion).toMatch(/^\d+\.\d+$/);
    const { adminPassword, connector, exporter: one, app: other, ...rest } = state;
    for (const secret of [adminPassword, connector.password, one?.password, other?.password])
      expect(JSON.stringify(rest)).not.toContain(secret);
    const [stored] = await database.query<{ rolpassword: string }>(
      "SELECT rolpassword FROM pg_authid WHERE rolname = 'debezium'",
    );
    expect(stored?.rolpassword).toMatch(/^SCRAM-SHA-256\$4096:/);
  });

  test("does not take a column that the primary key only includes for one of the key", async () => {
    await database.query(
      "CREATE TABLE inventory.covered (id integer, note text, PRIMARY KEY (id) INCLUDE (note))",
    );
    await resource.up(sourceArgs(database, { tables: ["inventory.covered"] }));
    const { catalog } = resource.state as unknown as PostgresSourceState;
    expect(catalog.map(({ primaryKey }) => primaryKey)).toEqual([["id"]]);
  });

  test("lets the application's role work on the demo schema as its owner", async () => {
    await resource.up(sourceArgs(database, all));
    await database.query(
      `INSERT INTO inventory.orders (order_date, purchaser, quantity, product_id) VALUES (current_date, 1, 2, 3);
       UPDATE inventory.customers SET city = 'Porto' WHERE id = 1;
       DELETE FROM inventory.orders WHERE id = 1;
       ALTER TABLE inventory.orders ADD COLUMN note text;
       CREATE TABLE inventory.returns (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
       INSERT INTO inventory.returns DEFAULT VALUES;
       TRUNCATE inventory.orders RESTART IDENTITY`,
      app,
    );
    expect(await resource.up(sourceArgs(database, all))).toBe("unchanged");
  });

  test("is left alone by the next up, also after a refresh", async () => {
    const args = sourceArgs(database, all);
    await resource.up(args);
    expect(await resource.up(args)).toBe("unchanged");
    expect(await resource.refresh()).toEqual([]);
    expect(await resource.up(args)).toBe("unchanged");
  });

  test("leaves the database exactly as it was found", async () => {
    const before = await everything();
    await resource.up(sourceArgs(database, { ...all, replicaIdentityFull: ["inventory.orders"] }));
    expect(await everything()).not.toEqual(before);
    await database.query(`SELECT pg_create_logical_replication_slot('${database.name}', 'pgoutput')`);
    await resource.destroy();
    expect(await everything()).toEqual(before);
  });

  test("can be deleted twice, and after others have deleted parts of it", async () => {
    await resource.up(sourceArgs(database, all));
    const { state } = resource;
    await database.query(
      "DROP PUBLICATION cdc_publication; DROP TABLE cdc.signal; DROP OWNED BY exporter; DROP ROLE exporter",
    );
    await operations.delete("", state as never);
    await operations.delete("", state as never);
    expect(await roles()).toEqual([]);
    expect(await database.query("SELECT FROM pg_namespace WHERE nspname = 'cdc'")).toEqual([]);
  });
});

describe("replica identity", () => {
  test("becomes FULL where an update would leave something out, and goes back to what it was", async () => {
    await database.query(
      `CREATE TABLE inventory.plain (id integer PRIMARY KEY, n integer NOT NULL);
       CREATE TABLE inventory.indexed (id integer PRIMARY KEY, code integer NOT NULL UNIQUE, n integer);
       ALTER TABLE inventory.indexed REPLICA IDENTITY USING INDEX indexed_code_key`,
    );
    const tables = ["inventory.customers", "inventory.indexed", "inventory.plain"];
    await resource.up(sourceArgs(database, { tables }));
    expect(await identityOf("inventory.customers")).toBe("f");
    expect(await identityOf("inventory.indexed")).toBe("f");
    expect(await identityOf("inventory.plain")).toBe("d");
    expect(await resource.refresh()).toEqual([]);
    expect(await resource.up(sourceArgs(database, { tables }))).toBe("unchanged");
    await resource.up(sourceArgs(database, { tables: ["inventory.plain"] }));
    expect(await identityOf("inventory.customers")).toBe("d");
    expect(await identityOf("inventory.indexed")).toBe("i");
  });

  test("covers a column that leads the order of the change log", async () => {
    const tables = ["inventory.orders"];
    await resource.up(sourceArgs(database, { tables, orderBy: { "inventory.orders": ["id"] } }));
    expect(await identityOf("inventory.orders")).toBe("d");
    await resource.up(
      sourceArgs(database, { tables, orderBy: { "inventory.orders": ["order_date", "id"] } }),
    );
    expect(await identityOf("inventory.orders")).toBe("f");
  });

  test("becomes FULL where the primary key is DEFERRABLE, so that the application can go on", async () => {
    await database.query(
      `CREATE TABLE inventory.deferred (id integer PRIMARY KEY DEFERRABLE, n integer NOT NULL);
       INSERT INTO inventory.deferred VALUES (1, 1)`,
    );
    const args = sourceArgs(database, { tables: ["inventory.deferred"] });
    await resource.up(args);
    await database.query("UPDATE inventory.deferred SET n = 2; DELETE FROM inventory.deferred");
    expect(await resource.refresh()).toEqual([]);
    expect(await resource.up(args)).toBe("unchanged");
  });

  test("reaches the partitions of a partitioned table", async () => {
    await database.query(
      `CREATE TABLE inventory.events (day date, id integer, body text, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
       CREATE TABLE inventory.events_1 PARTITION OF inventory.events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')`,
    );
    const args = sourceArgs(database, { tables: ["inventory.events"] });
    await resource.up(args);
    expect(await identityOf("inventory.events_1")).toBe("f");
    await database.query(
      "CREATE TABLE inventory.events_2 PARTITION OF inventory.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
    );
    expect(await resource.refresh()).toEqual([
      expect.stringMatching(/inventory\.events_2 needs REPLICA IDENTITY FULL/),
    ]);
    await resource.up(args);
    expect(await resource.refresh()).toEqual([]);
  });

  test("that is not wanted is a warning", async () => {
    await resource.up(sourceArgs(database, { replicaIdentityFull: [] }));
    expect(resource.state.warnings).toEqual([
      expect.stringMatching(
        /table inventory\.customers has no REPLICA IDENTITY FULL, but an update leaves out/,
      ),
    ]);
  });
});

describe("drift", () => {
  test("is found in every part, told in words, and repaired by the next up", async () => {
    const args = sourceArgs(database, all);
    await resource.up(args);
    await database.query(
      `ALTER ROLE debezium PASSWORD 'another';
       ALTER ROLE exporter NOLOGIN;
       REVOKE pg_monitor FROM exporter;
       REVOKE SELECT ON inventory.orders FROM debezium;
       GRANT UPDATE ON inventory.orders TO debezium;
       ALTER PUBLICATION cdc_publication DROP TABLE inventory.orders;
       ALTER PUBLICATION cdc_publication SET (publish = 'insert');
       ALTER TABLE inventory.customers REPLICA IDENTITY DEFAULT;
       ALTER TABLE inventory.products OWNER TO postgres;
       DROP TABLE cdc.signal`,
    );
    const drift = (await resource.refresh()) as readonly string[];
    for (const expected of [
      "role debezium has another password",
      "role exporter has other attributes than LOGIN NOREPLICATION",
      "role exporter is not a member of pg_monitor",
      "role debezium lacks SELECT on table inventory.orders",
      "role debezium has UPDATE on table inventory.orders, which it does not need",
      "publication cdc_publication lacks cdc.signal, inventory.orders",
      "publication cdc_publication does not publish every kind of change under the captured table's name",
      "inventory.products does not belong to app",
      "cdc.signal does not exist",
    ])
      expect(drift).toContain(expected);
    expect(drift).toContainEqual(expect.stringMatching(/inventory\.customers needs REPLICA IDENTITY FULL/));
    expect(await resource.up(args)).toBe("updated");
    expect(await resource.refresh()).toEqual([]);
    await database.query("SELECT 1", debezium);
    await database.query("SELECT 1", exporter);
  });

  test("of a table that was made again is told from one that was altered, also when it was missing for a while", async () => {
    const args = sourceArgs(database);
    await resource.up(args);
    const orders = () => (resource.state as unknown as PostgresSourceState).relations?.["inventory.orders"];
    const first = orders();
    expect(first).toMatchObject({ columns: { id: 1, order_date: 2 } });
    await database.query("ALTER TABLE inventory.orders ADD COLUMN note text");
    await resource.refresh();
    expect(orders()).toEqual({ ...first, columns: { ...first?.columns, note: 6 } });

    await database.query("DROP TABLE inventory.orders");
    expect(await resource.refresh()).toContain("table inventory.orders does not exist");
    await database.query("CREATE TABLE inventory.orders (id integer PRIMARY KEY)");
    await resource.refresh();
    const second = orders();
    expect(second?.oid).not.toBe(first?.oid);
    expect(second?.since).toMatch(/^\d+$/);
    await resource.up(args);
    expect(await resource.refresh()).toEqual([]);
    expect(orders()).toEqual(second);
  });

  test("of a new column shows in the catalog", async () => {
    const args = sourceArgs(database);
    await resource.up(args);
    await database.query("ALTER TABLE inventory.orders ADD COLUMN note text");
    await resource.refresh();
    const { catalog } = resource.state as unknown as PostgresSourceState;
    const orders = catalog.find(({ name }) => name === "orders");
    expect(orders?.columns.map(({ name }) => name)).toContain("note");
  });

  test("of a source that is gone altogether ends in making it again", async () => {
    const args = sourceArgs(database);
    await resource.up(args);
    await operations.delete("", resource.state as never);
    expect(await resource.refresh()).toBe("gone");
    expect(await resource.up(args)).toBe("created");
  });
});

describe("a change", () => {
  test("of tables and roles is made in place; who is not wanted any more goes", async () => {
    await resource.up(sourceArgs(database, all));
    const changed = sourceArgs(database, {
      app: all.app,
      connector: { user: "debezium2", password: "other" },
      tables: ["inventory.products"],
    });
    expect((await resource.plan(changed)).replaces).toEqual([]);
    expect(await resource.up(changed)).toBe("updated");
    expect(await roles()).toEqual(["app", "debezium2"]);
    expect(await publishedTables()).toEqual(["cdc.heartbeat", "cdc.signal", "inventory.products"]);
    expect(await resource.refresh()).toEqual([]);
  });

  test("of a password reaches the server", async () => {
    await resource.up(sourceArgs(database));
    const connector = { user: "debezium", password: "a-new-one" };
    expect(await resource.up(sourceArgs(database, { connector }))).toBe("updated");
    await database.query("SELECT 1", connector);
    await expect(database.query("SELECT 1", debezium)).rejects.toThrow(/password authentication failed/);
  });

  test("of the slot's or the publication's name replaces, and the old ones do not stay", async () => {
    await resource.up(sourceArgs(database));
    await database.query(`SELECT pg_create_logical_replication_slot('${database.name}', 'pgoutput')`);
    const changed = sourceArgs(database, { slot: "another_slot", publication: "another" });
    expect((await resource.plan(changed)).replaces?.toSorted()).toEqual(["publication", "slot"]);
    expect(await resource.up(changed)).toBe("replaced");
    expect(await slots()).toEqual([]);
    expect(await publications()).toEqual(["another"]);
  });

  test("of the address replaces, unless the server is the stack's own", async () => {
    await resource.up(sourceArgs(database));
    expect((await resource.plan(sourceArgs(database, { port: 1 }))).replaces).toEqual(["port"]);
    expect((await resource.plan(sourceArgs(database, { port: 1, managed: true }))).replaces).toEqual([]);
  });
});

describe("what was there before", () => {
  test("a role and a publication are used as they are and stay", async () => {
    await database.query(
      `CREATE ROLE metrics LOGIN PASSWORD 'metrics-secret'; GRANT pg_monitor TO metrics;
       CREATE PUBLICATION everything FOR ALL TABLES`,
    );
    try {
      const args = sourceArgs(database, {
        exporter: { user: "metrics", password: "metrics-secret" },
        publication: "everything",
      });
      await resource.up(args);
      expect(resource.state.warnings).toEqual([
        expect.stringMatching(/publication everything was there before/),
        expect.stringMatching(/role metrics was there before/),
      ]);
      expect(await resource.refresh()).toEqual([]);
      await resource.destroy();
      expect(await roles()).toEqual(["metrics"]);
      expect(await publications()).toEqual(["everything"]);
    } finally {
      await database.query("DROP PUBLICATION everything; DROP OWNED BY metrics; DROP ROLE metrics");
    }
  });

  test("everything that does not fit is said at once, and nothing is changed", async () => {
    await database.query(
      `CREATE ROLE debezium LOGIN PASSWORD 'another';
       CREATE PUBLICATION cdc_publication FOR TABLE inventory.orders;
       CREATE TABLE inventory.keyless (n integer);
       CREATE TABLE inventory.parent (id integer PRIMARY KEY);
       CREATE TABLE inventory.child (PRIMARY KEY (id)) INHERITS (inventory.parent);
       CREATE VIEW inventory.seen AS SELECT 1 AS one`,
    );
    try {
      const tables = ["inventory.order", "inventory.keyless", "inventory.parent", "inventory.seen"];
      const failure = await resource
        .up(sourceArgs(database, { tables }))
        .catch((error: Error) => error.message);
      for (const expected of [
        /table inventory\.order does not exist; did you mean inventory\.orders\?/,
        /table inventory\.keyless has no primary key/,
        /table inventory\.parent is inherited by inventory\.child: .*name the heirs instead/,
        /inventory\.seen: it is a view/,
        /role debezium was there before and is not changed, but lacks .*ALTER ROLE "debezium" REPLICATION/,
        /role debezium was there before and does not have the password/,
        /publication cdc_publication was there before and is not changed, but lacks/,
      ])
        expect(failure).toMatch(expected);
      expect(resource.exists).toBe(false);
      expect(await database.query("SELECT FROM pg_namespace WHERE nspname = 'cdc'")).toEqual([]);
    } finally {
      await database.query("DROP OWNED BY debezium; DROP ROLE debezium; DROP PUBLICATION cdc_publication");
    }
  });

  test("a table cdc.heartbeat of somebody else's is not taken", async () => {
    await database.query("CREATE SCHEMA cdc; CREATE TABLE cdc.heartbeat (id integer)");
    await expect(resource.up(sourceArgs(database))).rejects.toThrow(/table cdc\.heartbeat was there before/);
    expect(await roles()).toEqual([]);
  });

  test("tables of somebody else's in the schema cdc outlive the source", async () => {
    await resource.up(sourceArgs(database));
    await database.query("CREATE TABLE cdc.mine (id integer)");
    await resource.destroy();
    expect(await database.query("SELECT to_regclass('cdc.mine')::text AS mine")).toEqual([
      { mine: "cdc.mine" },
    ]);
  });

  test("things of a third party in the application's schema are not handed over", async () => {
    await database.query("CREATE ROLE stranger; ALTER TABLE inventory.products OWNER TO stranger");
    try {
      await expect(resource.up(sourceArgs(database, all))).rejects.toThrow(/hold things of stranger/);
    } finally {
      await database.query("ALTER TABLE inventory.products OWNER TO postgres; DROP ROLE stranger");
    }
  });
});

describe("an up that was cut short", () => {
  test("by a killed process is completed by the next one, which makes nothing twice", async () => {
    const args = sourceArgs(database, all);
    await resource.up(args);
    resource.forget();
    expect(await resource.up(args)).toBe("created");
    expect(resource.state.warnings).toEqual([]);
    await resource.destroy();
    expect(await roles()).toEqual([]);
  });

  test("by an error in the middle is in the state, and repaired", async () => {
    await database.query(
      `CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not today''; END';
       CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN tag IN ('CREATE PUBLICATION') EXECUTE FUNCTION refuse()`,
    );
    await expect(resource.up(sourceArgs(database))).rejects.toThrow(/not today/);
    expect(resource.exists).toBe(true);
    expect(resource.state.drift).toEqual(["not finished: not today"]);
    // In one transaction: half of it is nothing.
    expect(await roles()).toEqual([]);
    await database.query("DROP EVENT TRIGGER refuse; DROP FUNCTION refuse");
    expect(await resource.up(sourceArgs(database))).toBe("updated");
    expect(await resource.refresh()).toEqual([]);
  });
});

describe("deleting", () => {
  const makeSlot = () =>
    database.query(`SELECT pg_create_logical_replication_slot('${database.name}', 'pgoutput')`);

  test("drops the slot, although the connector still reads from it", async () => {
    await resource.up(sourceArgs(database));
    await makeSlot();
    const reader = await readSlot(database.name, debezium);
    await resource.destroy();
    await reader.ended;
    expect(await slots()).toEqual([]);
    expect(await roles()).toEqual([]);
  });

  test("does not drop a slot that somebody else reads from, and says who does", async () => {
    await resource.up(sourceArgs(database));
    await makeSlot();
    const reader = await readSlot(database.name, postgresAdmin);
    await expect(resource.destroy()).rejects.toThrow(
      /is read by process \d+ of role postgres from .*, which is not the connector's role debezium; stop that client/,
    );
    expect(await publications()).toEqual(["cdc_publication"]);
    await reader.end();
    await resource.destroy();
    expect(await slots()).toEqual([]);
  });

  test("keeps all of it with the data volumes when they are kept", async () => {
    await resource.up(sourceArgs(database));
    const { state } = resource;
    vi.stubEnv("CDC_KEEP_DATA", "1");
    await operations.delete("", state as never);
    expect(await publications()).toEqual(["cdc_publication"]);
    vi.unstubAllEnvs();
  });

  test("of a server that does not answer is an error, unless it goes with the stack", async () => {
    await resource.up(sourceArgs(database));
    const nowhere = { ...resource.state, port: 1 };
    const [{ props }] = await Promise.all([
      operations.read("id", nowhere as never),
      expect(operations.delete("", nowhere as never)).rejects.toThrow(
        /a slot that nobody reads fills its disk/,
      ),
      operations.delete("", { ...nowhere, managed: true } as never),
    ]);
    expect(props.drift).toEqual([expect.stringMatching(/Postgres at 127\.0\.0\.1:1: not ready after 10 s/)]);
  });
});

describe("an error", () => {
  test("about the administrator's password says what may have happened", async () => {
    await expect(resource.up(sourceArgs(database, { adminPassword: "wrong" }))).rejects.toThrow(
      /The password given for the administrator "postgres" is not the server's. A data volume keeps the password/,
    );
  });

  test("about a database that does not exist comes at once", async () => {
    const started = Date.now();
    await expect(resource.up(sourceArgs(database, { database: "nowhere" }))).rejects.toThrow(
      /Create the database, or correct the name/,
    );
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  test("about a locked table says how to find who holds it", async () => {
    const { host, port, name } = database;
    const holder = new Client({ host, port, database: name, ...postgresAdmin });
    await holder.connect();
    try {
      await holder.query("BEGIN; LOCK TABLE inventory.customers IN ACCESS EXCLUSIVE MODE");
      await expect(resource.up(sourceArgs(database, { statementTimeoutSeconds: 4 }))).rejects.toThrow(
        /A long transaction holds a lock on it; find it with/,
      );
    } finally {
      await holder.query("ROLLBACK");
      await holder.end();
    }
    await resource.up(sourceArgs(database));
  });
});
