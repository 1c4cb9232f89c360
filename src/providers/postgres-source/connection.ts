import { type Client, type ClientConfig, DatabaseError } from "pg";
import { connected, withPostgres } from "../../lib/postgres";
import { messageOf, waitFor } from "../../lib/retry";
import { UnreachableError } from "../../lib/unreachable";
import type { Credentials, PostgresConnection } from "./types";

export interface ConnectOptions {
  /** How long a server that does not answer yet is waited for. */
  readonly waitMs: number;
  /** Longest run of a single statement. */
  readonly statementTimeoutMs: number;
}

/**
 * Opens a connection as administrator, hands it to `work`, and closes it.
 * @throws UnreachableError when the server does not answer in time.
 * @throws Error in the user's terms for what Postgres refuses.
 */
export async function withAdmin<T>(
  connection: PostgresConnection,
  options: ConnectOptions,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connect(connection, options);
  try {
    return await work(client);
  } catch (error) {
    throw explained(error, connection, connection.adminUser);
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * Whether a role can log in with a password; undefined when that cannot be known from here, because
 * pg_hba.conf does not let the role in from this machine.
 */
export async function canLogIn(
  connection: PostgresConnection,
  { user, password }: Credentials,
): Promise<boolean | undefined> {
  const settings = settingsFor({ ...connection, adminUser: user, adminPassword: password }, 10_000);
  try {
    return await withPostgres(settings, async () => true);
  } catch (error) {
    const code = codeOf(error);
    if (code === sqlState.invalidPassword) return false;
    // A role without LOGIN reads the same as a line that is missing in pg_hba.conf.
    if (code === sqlState.invalidAuthorization) return undefined;
    // Too many connections, or CONNECT not granted: the password was right.
    if (code === sqlState.insufficientPrivilege || code === sqlState.tooManyConnections) return true;
    throw error;
  }
}

export const sqlState = {
  invalidAuthorization: "28000",
  invalidPassword: "28P01",
  noSuchDatabase: "3D000",
  insufficientPrivilege: "42501",
  tooManyConnections: "53300",
  dependentObjects: "2BP01",
  objectInUse: "55006",
  lockTimeout: "55P03",
  starting: "57P03",
  shuttingDown: "57P01",
  queryCanceled: "57014",
  noSuchObject: "42704",
} as const;

export function codeOf(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

async function connect(connection: PostgresConnection, options: ConnectOptions): Promise<Client> {
  const where = `Postgres at ${connection.host}:${connection.port}`;
  let refusal: unknown;
  try {
    return await waitFor(() => connected(settingsFor(connection, options.statementTimeoutMs)), {
      what: where,
      timeoutMs: options.waitMs,
      isFatal: (error) => {
        const code = codeOf(error);
        const fatal =
          code !== undefined && code !== sqlState.starting && code !== sqlState.tooManyConnections;
        if (fatal || isTlsProblem(error)) refusal = error;
        return refusal !== undefined;
      },
    });
  } catch (error) {
    if (refusal !== undefined) throw explained(refusal, connection, connection.adminUser);
    throw new UnreachableError(
      `${messageOf(error)}. Is it running, and do host and port name it as this machine sees it?`,
      { cause: error },
    );
  }
}

function settingsFor(connection: PostgresConnection, statementTimeoutMs: number): ClientConfig {
  return {
    host: connection.host,
    port: connection.port,
    database: connection.database,
    user: connection.adminUser,
    password: connection.adminPassword,
    application_name: "cdc-stack",
    connectionTimeoutMillis: 10_000,
    statement_timeout: statementTimeoutMs,
    // An ALTER TABLE that waits for a long transaction makes everybody else wait behind it: give up soon, try again.
    lock_timeout: 3_000,
    ssl: tlsFor(connection),
  };
}

function tlsFor({ ssl, sslCa }: PostgresConnection): ClientConfig["ssl"] {
  if (ssl === undefined || ssl === "off") return false;
  return { rejectUnauthorized: ssl === "verify-full", ...(sslCa !== undefined && { ca: sslCa }) };
}

function isTlsProblem(error: unknown): boolean {
  return /does not support SSL|self-signed|unable to (get|verify)|certificate/i.test(messageOf(error));
}

/** An error in the user's terms: what was refused, and what to do. Others are handed on as they are. */
function explained(error: unknown, connection: PostgresConnection, user: string): unknown {
  const at = `Postgres at ${connection.host}:${connection.port}`;
  const said = messageOf(error);
  const withAdvice = (advice: string) => new Error(`${at}: ${said}. ${advice}`, { cause: error });
  if (isTlsProblem(error)) {
    return withAdvice(
      'Set ssl to "off", "require" or "verify-full" (with sslCa) as the server\'s certificate demands',
    );
  }
  switch (codeOf(error)) {
    case sqlState.invalidPassword:
      return withAdvice(
        `The password given for the administrator "${user}" is not the server's. A data volume keeps the password it was ` +
          "made with: give that one, or remove the volume",
      );
    case sqlState.invalidAuthorization:
      return withAdvice(
        `Check that the role "${user}" exists, may log in, and has a line in pg_hba.conf for this machine`,
      );
    case sqlState.noSuchDatabase:
      return withAdvice("Create the database, or correct the name in the configuration");
    case sqlState.insufficientPrivilege:
      return withAdvice(
        `The administrator "${user}" needs more rights: a superuser, or a role with CREATEROLE and REPLICATION that owns ` +
          "the captured tables and may CREATE in the database",
      );
    case sqlState.lockTimeout:
      return withAdvice(
        "A long transaction holds a lock on it; find it with: SELECT pid, usename, xact_start, query FROM " +
          "pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY xact_start",
      );
    case sqlState.dependentObjects: {
      const detail = error instanceof DatabaseError && error.detail ? ` (${error.detail})` : "";
      return withAdvice(`Something else depends on it${detail}; remove that first`);
    }
    default:
      return error;
  }
}
