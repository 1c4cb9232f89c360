import { isUtf8 } from "node:buffer";
import type { Received } from "./body";
import type { Connection, Result } from "./engine";
import { Failure } from "./failure";
import type { QueryRequest } from "./request";
import type { User } from "./users";

/**
 * Runs a request's query on a connection, with the rights and settings of its user.
 * @param isNew false for a session's connection that has served before: it keeps what was set
 * @throws Failure as the engine reports it.
 */
export async function execute(
  connection: Connection,
  user: User,
  request: QueryRequest,
  { statement, file }: Received,
  isNew = true,
): Promise<Result> {
  await connection.run(isNew ? prelude(user, request) : resumption(user, request), "Null");
  if (statement.data && file) {
    if (request.readOnly) throw readOnlyMethod();
    return connection.insert(utf8(statement.data.from(file)));
  }
  const text = utf8(statement.text);
  const { statementCount, queryClass } = await connection.analyze(text);
  // A second query would run after the first may have changed the role.
  if (statementCount > 1) throw new Failure(62, "Multi-statements are not allowed", "SYNTAX_ERROR");
  if (request.readOnly && statementCount === 1 && queryClass !== 0) throw readOnlyMethod();
  return /^\s*INSERT\b/i.test(text) ? connection.insert(text) : connection.run(text, request.format);
}

function readOnlyMethod(): Failure {
  return new Failure(
    164,
    "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. " +
      "You should use method POST for modifying queries",
    "READONLY",
  );
}

/** What makes a new connection the user's: nothing that comes from the user can undo it within one query. */
export function prelude(user: User, request: QueryRequest): string {
  const database = request.database ?? user.defaultDatabase;
  const { parameters, settings } = split(request);
  return statements([
    `SET ROLE ${identifier(user.role)}`,
    ...(database ? [`USE ${identifier(database)}`] : []),
    set(Object.entries(serverDefaults)),
    ...parameters.map((parameter) => set([parameter])),
    ...(user.constrainedBy ? [`SET profile = ${literal(user.constrainedBy)}`] : []),
    set(Object.entries(user.settings)),
    ...(user.readonly > 0 ? [`SET readonly = ${user.readonly}`] : []),
    set(settings),
  ]);
}

/** The same for a connection that is the user's already: only the role may have been changed in between. */
function resumption(user: User, request: QueryRequest): string {
  const { parameters, settings } = split(request);
  return statements([
    `SET ROLE ${identifier(user.role)}`,
    ...(request.database ? [`USE ${identifier(request.database)}`] : []),
    ...parameters.map((parameter) => set([parameter])),
    set(settings),
  ]);
}

function split({ settings }: QueryRequest) {
  const isParameter = ([name]: readonly [string, string]) => name.startsWith("param_");
  return {
    parameters: settings.filter(isParameter),
    settings: settings.filter((setting) => !isParameter(setting)),
  };
}

function statements(texts: readonly string[]): string {
  return texts.filter((text) => text !== "").join(";\n");
}

/** Where the engine in-process starts from other defaults than a server. */
const serverDefaults: Readonly<Record<string, string>> = {
  implicit_select: "0",
  allow_introspection_functions: "0",
};

function set(settings: readonly (readonly [name: string, value: string])[]): string {
  if (settings.length === 0) return "";
  return `SET ${settings.map(([name, value]) => `${name} = ${literal(value)}`).join(", ")}`;
}

export function literal(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&").replace(/\0/g, "\\0")}'`;
}

export function identifier(text: string): string {
  return `\`${text.replace(/[\\`]/g, "\\$&").replace(/\0/g, "\\0")}\``;
}

/** The statement's text has one character a byte; the engine takes a string, in which bytes of no character would be lost. */
function utf8(text: string): string {
  const bytes = Buffer.from(text, "latin1");
  if (!isUtf8(bytes))
    throw new Failure(
      36,
      "The query is not UTF-8; only the data of an INSERT can be something else",
      "BAD_ARGUMENTS",
    );
  return bytes.toString("utf8");
}
