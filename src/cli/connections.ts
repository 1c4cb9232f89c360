import type pg from "pg";
import type { Query } from "../compare/pair";
import { withClickHouse as withClient } from "../lib/clickhouse";
import { withPostgres as withConnection } from "../lib/postgres";
import { credentialsFor, endpointOf, type StackFacts } from "./facts";

const patienceMs = 5000;

/** How a client of Postgres connects as one of the stack's users. */
export function postgresOptions(facts: StackFacts, as: "postgres" | "postgres-admin"): pg.ClientConfig {
  const { hostname, port } = new URL(endpointOf(facts, "postgres"));
  const { user, password } = credentialsFor(facts, as);
  return {
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port),
    database: facts.pipeline.database,
    user,
    password,
    application_name: "cdc",
    connectionTimeoutMillis: patienceMs,
  };
}

/** Connects to the stack's Postgres for the time of `work`. */
export function withPostgres<T>(
  facts: StackFacts,
  as: "postgres" | "postgres-admin",
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  return withConnection(postgresOptions(facts, as), work);
}

/** A client of the stack's ClickHouse for the time of `work`. */
export async function withClickHouse<T>(facts: StackFacts, work: (query: Query) => Promise<T>): Promise<T> {
  const connection = {
    url: endpointOf(facts, "clickhouse"),
    ...credentialsFor(facts, "clickhouse"),
    database: facts.pipeline.clickhouseDatabase,
  };
  return withClient(connection, {}, (clickhouse) => work((sql) => clickhouse.rows(sql)));
}
