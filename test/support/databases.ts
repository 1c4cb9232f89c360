import { Client, escapeIdentifier } from "pg";
import { connectorRole, postgresAdmin, runIn, server } from "./servers";

let count = 0;

/** A database of its own on the tests' Postgres, with the demo schema in it. */
export interface TestDatabase {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Runs a statement as superuser, or as somebody else. */
  query<T = Record<string, unknown>>(sql: string, as?: Login): Promise<T[]>;
  /** Drops it, with the slots that are in it. */
  drop(): Promise<void>;
}

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** @param label part of the name, so that one who looks at the server knows whose it is. */
export async function newDatabase(label: string): Promise<TestDatabase> {
  const postgres = await server("postgres");
  const name = `${label}_${process.pid}_${++count}`;
  const { host, port } = postgres;
  const query = async <T>(database: string, sql: string, login: Login): Promise<T[]> => {
    const client = new Client({ host, port, database, ...login });
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query(sql)).rows as T[];
    } finally {
      await client.end();
    }
  };
  const psql = ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", postgresAdmin.user];
  const login = `PGPASSWORD=${postgresAdmin.password}`;
  await query("postgres", `CREATE DATABASE ${escapeIdentifier(name)}`, postgresAdmin);
  await runIn(postgres, ["env", login, ...psql, "-d", name, "-f", "/demo.sql"]);
  return {
    name,
    host,
    port,
    query: (sql, as = postgresAdmin) => query(name, sql, as),
    drop: async () => {
      const slots = `FROM pg_replication_slots WHERE database = '${name}'`;
      await query("postgres", `SELECT pg_terminate_backend(active_pid) ${slots} AND active`, postgresAdmin);
      await query("postgres", `SELECT pg_drop_replication_slot(slot_name) ${slots}`, postgresAdmin);
      await query("postgres", `DROP DATABASE ${escapeIdentifier(name)} WITH (FORCE)`, postgresAdmin);
    },
  };
}

/** Inputs of a `PostgresSource` for a database, with the connector's role that the tests' Connect logs in with. */
export function sourceArgs(database: TestDatabase, more: Record<string, unknown> = {}) {
  return {
    host: database.host,
    port: database.port,
    database: database.name,
    adminUser: postgresAdmin.user,
    adminPassword: postgresAdmin.password,
    connector: connectorRole,
    tables: ["inventory.customers", "inventory.orders"],
    slot: database.name,
    startTimeoutSeconds: 20,
    statementTimeoutSeconds: 20,
    revision: 1,
    ...more,
  };
}
