import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { loadConfig, textAt } from "./config";
import { Engine } from "./engine";
import { failureFrom } from "./failure";
import { initialize } from "./init";
import { listen } from "./listen";
import { type Level, log, setLevel } from "./log";
import { memoryLimit } from "./memory";
import { AsynchronousMetrics } from "./metrics";
import { Front, isFatal } from "./server";
import { readUsers } from "./users";
import { type Element, element, writeXml } from "./xml";

const usualConfig = "/etc/clickhouse-server/config.xml";
/** Queries and INSERTs under way have this long to end when the server is told to stop; Docker waits 10 s. */
const graceMs = 6_000;
const watchEveryMs = 5_000;
const watchForMs = 60_000;

async function main(): Promise<void> {
  const file = option("--config-file") ?? usualConfig;
  const config = loadConfig(file);
  const level = setLevel(textAt(config, "logger.level"));
  const dataPath = path.resolve(textAt(config, "path") ?? "/var/lib/clickhouse");
  const users = readUsers(loadConfig(usersFile(config, file)));
  const incoming = emptyFolder(path.join(dataPath, "incoming"));
  const limit = memoryLimit(config);
  const engineConfig = writeEngineConfig(config, users.engine, dataPath, limit);
  log(
    "information",
    `starting ClickHouse in ${dataPath}, at most ${Math.round(limit / 1048576)} MiB of memory`,
  );
  const engine = start(dataPath, engineConfig, level);
  const version = text(await engine.run("SELECT version()"));
  await initialize(engine, dataPath, {
    database: process.env.CLICKHOUSE_DB,
    scripts: "/docker-entrypoint-initdb.d",
  });
  const metrics = new AsynchronousMetrics(engine, dataPath);
  await metrics.start(Number(textAt(config, "asynchronous_metrics_update_period_s") ?? 5));
  const front = new Front({
    engine,
    users: users.users,
    version,
    displayName: textAt(config, "display_name") ?? os.hostname(),
    timezone: text(await engine.run("SELECT serverTimezone()")),
    incoming,
    maxQueries: threads() - 4,
    keepAliveSeconds: Number(textAt(config, "keep_alive_timeout") ?? 30),
    onDead: die,
  });
  await listen(front, config);
  log("information", `ClickHouse ${version} is ready. ${noTcp}`);
  watch(engine);
  stopOnSignal(async () => {
    metrics.stop();
    const left = await front.stop(graceMs);
    // A connection must not be closed under a query; consumers go on from their last commit all the same.
    if (left > 0) log("warning", `ending with ${left} queries under way`);
    else engine.shutdown();
  });
}

const noTcp =
  "The local image speaks HTTP only: there is no native protocol on port 9000, and no clickhouse-client";

function option(name: string): string | undefined {
  const given = process.argv.slice(2);
  const index = given.findIndex((argument) => argument === name || argument.startsWith(`${name}=`));
  if (index < 0) return undefined;
  const [, value] = (given[index] as string).split("=", 2);
  return value ?? given[index + 1];
}

function usersFile(config: Element, file: string): string {
  const named =
    textAt(config, "user_directories.users_xml.path") ?? textAt(config, "users_config") ?? "users.xml";
  return path.resolve(path.dirname(file), named);
}

/** Data of INSERTs that a killed server was receiving is of no use any more. */
function emptyFolder(folder: string): string {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** What belongs to the front, or to a server with ports of its own. */
const notForEngine: ReadonlySet<string> = new Set([
  "users_config",
  "user_directories",
  "logger",
  "path",
  "max_server_memory_usage",
  "max_server_memory_usage_to_ram_ratio",
  "listen_host",
  "listen_try",
  "http_port",
  "tcp_port",
  "mysql_port",
  "postgresql_port",
  "interserver_http_port",
]);

function writeEngineConfig(config: Element, users: Element, dataPath: string, limit: number): string {
  const folder = path.join(dataPath, "preprocessed_configs");
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const usersFile = path.join(folder, "users.xml");
  const configFile = path.join(folder, "config.xml");
  const engineConfig = element("clickhouse", [
    ...config.children.filter(({ name }) => !notForEngine.has(name)),
    element("path", `${dataPath}/`),
    element("users_config", usersFile),
    element("user_directories", [element("users_xml", [element("path", usersFile)])]),
    element("logger", [element("console", "1")]),
    element("max_server_memory_usage", String(limit)),
  ]);
  // They hold passwords of other systems.
  fs.writeFileSync(usersFile, writeXml(users), { mode: 0o600 });
  fs.writeFileSync(configFile, writeXml(engineConfig), { mode: 0o600 });
  return configFile;
}

function start(dataPath: string, configFile: string, level: Level): Engine {
  return new Engine(dataPath, [`--config-file=${configFile}`, `--log-level=${level}`]);
}

/** An engine that does not answer any more is of no use: the container's restart policy makes a new one. */
function watch(engine: Engine): void {
  let asking = false;
  let since = 0;
  setInterval(() => {
    if (asking) {
      if (Date.now() - since > watchForMs) die(`the engine has not answered for ${watchForMs / 1000} s`);
      return;
    }
    asking = true;
    since = Date.now();
    engine
      .run("SELECT 1")
      .catch((error) => {
        const failure = failureFrom(error);
        if (isFatal(failure)) die(failure.message);
      })
      .finally(() => {
        asking = false;
      });
  }, watchEveryMs).unref();
}

function die(reason: string): never {
  log("fatal", reason);
  process.exit(1);
}

function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    log("information", `${signal}: stopping`);
    stop().then(
      () => {
        log("information", "stopped");
        process.exit(0);
      },
      (error: Error) => die(`stopping: ${error.message}`),
    );
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}

function threads(): number {
  return Number(process.env.UV_THREADPOOL_SIZE ?? 4);
}

function text(result: { bytes: Buffer }): string {
  return result.bytes.toString("utf8").trim();
}

main().catch((error: Error) => die(error.message));
