import * as net from "node:net";
import Docker from "dockerode";
import { pack } from "tar-stream";
import { inject } from "vitest";
import { ensureLocalImages } from "../../offline/images";
import { pulled } from "../../offline/plugins/docker/remote-image";
import { readResolvedImages, type ServiceName } from "../../src/images";
import { inState, readProjectFile } from "../../src/lib/paths";
import { messageOf, waitFor } from "../../src/lib/retry";
import { labels, type Run, runLabels } from "./servers-setup";

/** A server in a container of its own that this run of the tests shares: started by the first test that asks for it. */
export interface Server {
  /** Where this machine reaches it. */
  readonly host: "127.0.0.1";
  readonly port: number;
  /** Host name on the tests' network, with the server's usual port. */
  readonly name: string;
  readonly container: Docker.Container;
}

export type ServerName = "postgres" | "kafka" | "connect" | "clickhouse";

export const postgresAdmin = { user: "postgres", password: "admin-secret" } as const;
/** The role that connectors log in with: `${file:/etc/cdc/connect/postgres.properties:user}` and `…:password`. */
export const connectorRole = { user: "debezium", password: "connector-secret" } as const;
export const clickhouseAdmin = { user: "cdc", password: "clickhouse-secret" } as const;
/** `bootstrap.servers` for what runs on the tests' network. */
export const kafkaInside = "kafka:9092";

interface Recipe {
  /** The port that this machine reaches, inside of the container. */
  readonly port: number;
  readonly env?: (publishedPort: number) => Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly health: readonly string[];
  readonly memoryMb: number;
  readonly needs?: readonly ServerName[];
}

const recipes: Readonly<Record<ServerName, Recipe>> = {
  postgres: {
    port: 5432,
    env: () => ({
      POSTGRES_PASSWORD: postgresAdmin.password,
      POSTGRES_INITDB_ARGS: "--auth-host=scram-sha-256",
    }),
    // Nothing has to outlive a crash here.
    command: ["postgres", "-c", "wal_level=logical", "-c", "fsync=off", "-c", "max_replication_slots=20"],
    files: { "/demo.sql": readProjectFile("sql", "postgres", "demo.sql") },
    health: ["pg_isready", "-q", "-h", "127.0.0.1", "-U", "postgres"],
    memoryMb: 512,
  },
  kafka: {
    port: 29092,
    env: (publishedPort) => ({
      KAFKA_NODE_ID: "1",
      KAFKA_PROCESS_ROLES: "broker,controller",
      KAFKA_CONTROLLER_QUORUM_VOTERS: "1@localhost:9093",
      KAFKA_LISTENERS: "INTERNAL://:9092,EXTERNAL://:29092,CONTROLLER://:9093",
      KAFKA_ADVERTISED_LISTENERS: `INTERNAL://${kafkaInside},EXTERNAL://127.0.0.1:${publishedPort}`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
      KAFKA_INTER_BROKER_LISTENER_NAME: "INTERNAL",
      KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "1",
      KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: "1",
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1",
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1",
      KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS: "1",
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0",
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
      KAFKA_HEAP_OPTS: "-Xms128m -Xmx320m",
    }),
    health: ["bash", "-c", "</dev/tcp/127.0.0.1/9092"],
    memoryMb: 768,
  },
  connect: {
    port: 8083,
    env: () => ({
      BOOTSTRAP_SERVERS: kafkaInside,
      GROUP_ID: "cdc-connect",
      ADVERTISED_HOST_NAME: "connect",
      CONFIG_STORAGE_TOPIC: "cdc-connect-config",
      OFFSET_STORAGE_TOPIC: "cdc-connect-offsets",
      STATUS_STORAGE_TOPIC: "cdc-connect-status",
      CONNECT_CONFIG_STORAGE_REPLICATION_FACTOR: "1",
      CONNECT_OFFSET_STORAGE_REPLICATION_FACTOR: "1",
      CONNECT_STATUS_STORAGE_REPLICATION_FACTOR: "1",
      CONNECT_OFFSET_STORAGE_PARTITIONS: "1",
      CONNECT_STATUS_STORAGE_PARTITIONS: "1",
      CONNECT_KEY_CONVERTER_SCHEMAS_ENABLE: "false",
      CONNECT_VALUE_CONVERTER_SCHEMAS_ENABLE: "false",
      CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT: "enabled",
      CONNECT_CONFIG_PROVIDERS: "file",
      CONNECT_CONFIG_PROVIDERS_FILE_CLASS: "org.apache.kafka.common.config.provider.FileConfigProvider",
      CONNECT_SCHEDULED_REBALANCE_MAX_DELAY_MS: "0",
      HEAP_OPTS: "-Xms128m -Xmx512m",
    }),
    files: {
      "/etc/cdc/connect/postgres.properties": `user=${connectorRole.user}\npassword=${connectorRole.password}\n`,
    },
    health: ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8083/health"],
    memoryMb: 1024,
    needs: ["kafka"],
  },
  clickhouse: {
    port: 8123,
    env: () => ({ CLICKHOUSE_SKIP_USER_SETUP: "1" }),
    files: {
      // As in the stack: a consumer that was killed is given up soon.
      "/etc/clickhouse-server/config.d/test.xml":
        "<clickhouse><kafka><session_timeout_ms>10000</session_timeout_ms></kafka></clickhouse>",
      "/etc/clickhouse-server/users.d/test.xml": `<clickhouse><users><${clickhouseAdmin.user}>
        <password>${clickhouseAdmin.password}</password><networks><ip>::/0</ip></networks>
        <profile>default</profile><quota>default</quota></${clickhouseAdmin.user}></users></clickhouse>`,
    },
    health: ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8123/ping"],
    memoryMb: 2048,
  },
};

const docker = new Docker();
const running = new Map<ServerName, Promise<Server>>();

/** The server, started if it is not yet; ends when it is healthy. */
export function server(name: ServerName): Promise<Server> {
  const known = running.get(name) ?? findOrStart(name);
  running.set(name, known);
  return known;
}

/** Runs a program in a container; any exit code is an answer. */
export async function execIn(
  container: Docker.Container,
  command: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  const exec = await container.exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true, Tty: true });
  const chunks: Buffer[] = [];
  for await (const chunk of await exec.start({ Tty: true })) chunks.push(Buffer.from(chunk));
  const { ExitCode } = await exec.inspect();
  // A terminal ends lines in its own way.
  return { code: ExitCode, output: Buffer.concat(chunks).toString().replaceAll("\r\n", "\n") };
}

/** Runs a program in a server's container. @throws Error with what it printed when it fails. */
export async function runIn({ container }: Server, command: readonly string[]): Promise<string> {
  const { code, output } = await execIn(container, command);
  if (code !== 0) throw new Error(`${command.join(" ")}: exit code ${code}\n${output}`);
  return output;
}

/** Waits until a container that was started again is as good as new. */
export async function healthy(container: Docker.Container, name: string): Promise<void> {
  await waitFor(
    async () => {
      const { State } = await container.inspect();
      if (!State.Running) throw new EndedError(`exit code ${State.ExitCode}\n${await lastLines(container)}`);
      return State.Health?.Status === "healthy";
    },
    {
      what: `${name} for the tests`,
      timeoutMs: 300_000,
      everyMs: 200,
      isFatal: (error) => error instanceof EndedError,
    },
  );
}

class EndedError extends Error {}

async function findOrStart(name: ServerName): Promise<Server> {
  const run = inject("serversRun");
  await Promise.all((recipes[name].needs ?? []).map(server));
  const label = [`${labels.run}=${run.id}`, `${labels.server}=${name}`];
  const [found] = await docker.listContainers({ all: true, filters: { label } });
  const container = found ? docker.getContainer(found.Id) : await start(name, run);
  await healthy(container, name);
  const { NetworkSettings } = await container.inspect();
  const port = Number(NetworkSettings.Ports[`${recipes[name].port}/tcp`]?.[0]?.HostPort);
  return { host: "127.0.0.1", port, name, container };
}

async function start(name: ServerName, run: Run): Promise<Docker.Container> {
  const recipe = recipes[name];
  // Chosen here: an engine's own choice would change when the container is started again.
  const port = await freePort();
  const container = await docker.createContainer({
    name: `cdc-test-${run.id}-${name}`,
    Image: await imageOf(name),
    Labels: { ...runLabels(run), [labels.server]: name },
    Env: Object.entries(recipe.env?.(port) ?? {}).map(([key, value]) => `${key}=${value}`),
    ...(recipe.command && { Cmd: [...recipe.command] }),
    ExposedPorts: { [`${recipe.port}/tcp`]: {} },
    Healthcheck: { Test: ["CMD", ...recipe.health], Interval: 500_000_000, Timeout: 5e9, Retries: 1000 },
    HostConfig: {
      NetworkMode: run.network,
      PortBindings: { [`${recipe.port}/tcp`]: [{ HostIp: "127.0.0.1", HostPort: String(port) }] },
      Memory: recipe.memoryMb * 1024 * 1024,
      MemorySwap: recipe.memoryMb * 1024 * 1024,
    },
    NetworkingConfig: { EndpointsConfig: { [run.network]: { Aliases: [name] } } },
  });
  await upload(container, recipe.files ?? {});
  await container.start();
  return container;
}

/**
 * The image that was chosen for the tests: an official one is pulled if it is not there, a local one built. Without a
 * choice it is the local one.
 */
export async function imageOf(service: ServiceName): Promise<string> {
  const chosen = readResolvedImages();
  const official = chosen?.mode === "registry" ? chosen.images[service] : undefined;
  if (official !== undefined) {
    await pullUnlessThere(official);
    return official;
  }
  const images = await ensureLocalImages([service], {
    onStep: (text) => console.log(text),
    logFile: inState("logs", "test-images.log"),
  });
  return images[service];
}

async function pullUnlessThere(image: string): Promise<void> {
  try {
    await docker.getImage(image).inspect();
    return;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode !== 404) throw error;
  }
  console.log(`pulling ${image}`);
  await pulled(docker, await docker.pull(image)).catch((error: unknown) => {
    throw new Error(`pulling ${image}: ${messageOf(error)}`);
  });
}

/** Puts files into a container, by their absolute paths; everybody there can read them. */
export async function upload(
  container: Docker.Container,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  if (Object.keys(files).length === 0) return;
  const archive = pack();
  for (const [file, content] of Object.entries(files))
    archive.entry({ name: file.slice(1), mode: 0o444 }, content);
  archive.finalize();
  await container.putArchive(archive, { path: "/" });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as net.AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

async function lastLines(container: Docker.Container): Promise<string> {
  const text = await container.logs({ stdout: true, stderr: true, tail: 15 });
  // Each line has a header of eight bytes, which begins with the number of its stream.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what the header is made of
  return text.toString("utf8").replace(/[\u0000-\u0002]\u0000{3}.{4}/gs, "");
}
