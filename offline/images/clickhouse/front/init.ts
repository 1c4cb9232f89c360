import * as fs from "node:fs";
import * as path from "node:path";
import * as zlib from "node:zlib";
import type { Engine } from "./engine";
import { log } from "./log";
import { identifier } from "./query";

/** What the official entrypoint does once, on a new volume: makes a database, runs files of SQL. */
export interface FirstStart {
  /** CLICKHOUSE_DB */
  readonly database: string | undefined;
  /** Folder with .sql and .sql.gz files; others cannot be run, for there is no clickhouse-client. */
  readonly scripts: string;
}

/**
 * Prepares a new volume. What it holds says whether that was done: a first start that was cut short is done again.
 * @throws Failure of a file's SQL; the server does not start then
 */
export async function initialize(
  engine: Engine,
  dataPath: string,
  { database, scripts }: FirstStart,
): Promise<void> {
  const mark = path.join(dataPath, "initialized");
  if (fs.existsSync(mark)) return;
  if (database) await engine.run(`CREATE DATABASE IF NOT EXISTS ${identifier(database)}`);
  for (const name of fs.existsSync(scripts) ? fs.readdirSync(scripts).sort() : []) {
    const file = path.join(scripts, name);
    const sql = readSql(file);
    if (sql === undefined)
      log("warning", `${file}: only .sql and .sql.gz are run in the local image; left alone`);
    else if (sql.trim() !== "") {
      log("information", `running ${file}`);
      await engine.run(sql);
    }
  }
  fs.writeFileSync(mark, "");
}

function readSql(file: string): string | undefined {
  if (file.endsWith(".sql")) return fs.readFileSync(file, "utf8");
  if (file.endsWith(".sql.gz")) return zlib.gunzipSync(fs.readFileSync(file)).toString("utf8");
  return undefined;
}
