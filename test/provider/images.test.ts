import { randomBytes } from "node:crypto";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureLocalImages, localServices } from "../../offline/images";
import type { ServiceName } from "../../src/images";
import { inState } from "../../src/lib/paths";
import { waitFor } from "../../src/lib/retry";
import { execIn } from "../support/servers";

/** What offline/README.md says about an official image, and how our stack runs it. */
interface Expectation {
  readonly user: string;
  readonly entrypoint: readonly string[] | null;
  readonly command: readonly string[];
  readonly ports: readonly number[];
  readonly volumes?: readonly string[];
  readonly run: {
    readonly env?: readonly string[];
    readonly command?: readonly string[];
    readonly user?: string;
    readonly capabilities?: readonly string[];
    readonly readOnly?: boolean;
    readonly mounts?: readonly Docker.MountSettings[];
    readonly memoryMb: number;
    /** Number that the process must run under in the end. */
    readonly uid: number;
  };
  readonly health: readonly string[];
  /** Shows that it does its work: a command inside, and what its output must hold. */
  readonly proof?: { readonly command: readonly string[]; readonly output: RegExp };
}

const fromRoot = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"];
const wget = (url: string) => ["wget", "-q", "-O", "/dev/null", url];
const print = (url: string) => ["wget", "-q", "-O", "-", url];

/** In the order in which they can start. */
const expectations: Readonly<Partial<Record<ServiceName, Expectation>>> = {
  postgres: {
    user: "",
    entrypoint: ["docker-entrypoint.sh"],
    command: ["postgres"],
    ports: [5432],
    volumes: ["/var/lib/postgresql/data"],
    run: {
      env: ["POSTGRES_PASSWORD=secret", "POSTGRES_DB=inventory", "POSTGRES_INITDB_ARGS=--data-checksums"],
      command: ["postgres", "-c", "wal_level=logical"],
      capabilities: fromRoot,
      memoryMb: 512,
      uid: 999,
    },
    health: ["pg_isready", "-q", "-h", "127.0.0.1", "-U", "postgres", "-d", "inventory"],
  },
  kafka: {
    user: "appuser",
    entrypoint: null,
    command: ["/etc/kafka/docker/run"],
    ports: [9092],
    volumes: ["/etc/kafka/secrets", "/mnt/shared/config", "/var/lib/kafka/data"],
    run: {
      env: [
        "CLUSTER_ID=5L6g3nShT-eMCtK--X86sw",
        "KAFKA_NODE_ID=1",
        "KAFKA_PROCESS_ROLES=broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS=1@localhost:9093",
        "KAFKA_LISTENERS=INTERNAL://:9092,EXTERNAL://:29092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS=INTERNAL://kafka:9092,EXTERNAL://localhost:29092",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_INTER_BROKER_LISTENER_NAME=INTERNAL",
        "KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER",
        "KAFKA_LOG_DIRS=/var/lib/kafka/data",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR=1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR=1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR=1",
        "KAFKA_HEAP_OPTS=-Xms256m -Xmx256m",
      ],
      memoryMb: 768,
      uid: 1000,
    },
    health: ["bash", "-c", "</dev/tcp/127.0.0.1/9092"],
  },
  connect: {
    user: "kafka",
    entrypoint: ["/docker-entrypoint.sh"],
    command: ["start"],
    ports: [8083, 8778, 9092],
    volumes: ["/kafka/config", "/kafka/data", "/kafka/logs"],
    run: {
      env: [
        "BOOTSTRAP_SERVERS=kafka:9092",
        "GROUP_ID=cdc-connect",
        "ADVERTISED_HOST_NAME=connect",
        "CONFIG_STORAGE_TOPIC=cdc-connect-config",
        "OFFSET_STORAGE_TOPIC=cdc-connect-offsets",
        "STATUS_STORAGE_TOPIC=cdc-connect-status",
        "CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT=enabled",
        "CONNECT_OFFSET_STORAGE_PARTITIONS=5",
        // Plugins by their manifests: to look into every class costs half a minute of processor time.
        "CONNECT_PLUGIN_DISCOVERY=service_load",
        "HEAP_OPTS=-Xms128m -Xmx256m",
      ],
      memoryMb: 768,
      uid: 1001,
    },
    health: ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8083/health"],
    proof: {
      command: ["curl", "-fsS", "http://127.0.0.1:8083/connector-plugins"],
      output: /io\.debezium\.connector\.postgresql\.PostgresConnector/,
    },
  },
  clickhouse: {
    user: "",
    entrypoint: ["/entrypoint.sh"],
    command: [],
    // The engine in-process has no native protocol: 9000 and 9009 are the official image's.
    ports: [8123],
    volumes: ["/var/lib/clickhouse"],
    run: {
      env: ["CLICKHOUSE_SKIP_USER_SETUP=1"],
      capabilities: fromRoot,
      memoryMb: 1536,
      uid: 101,
    },
    health: wget("http://127.0.0.1:8123/ping"),
  },
  "node-exporter": {
    user: "nobody",
    entrypoint: ["/bin/node_exporter"],
    command: [],
    ports: [9100],
    run: {
      command: ["--path.rootfs=/host", "--path.procfs=/host/proc", "--path.sysfs=/host/sys"],
      mounts: [{ Type: "bind", Source: "/", Target: "/host", ReadOnly: true }],
      readOnly: true,
      memoryMb: 64,
      uid: 65534,
    },
    health: wget("http://127.0.0.1:9100/"),
    proof: { command: print("http://127.0.0.1:9100/metrics"), output: /^node_memory_MemAvailable_bytes /m },
  },
  "postgres-exporter": {
    user: "nobody",
    entrypoint: ["/bin/postgres_exporter"],
    command: [],
    ports: [9187],
    run: {
      env: [
        "DATA_SOURCE_URI=postgres:5432/inventory?sslmode=disable",
        "DATA_SOURCE_USER=postgres",
        "DATA_SOURCE_PASS=secret",
      ],
      memoryMb: 64,
      uid: 65534,
    },
    health: wget("http://127.0.0.1:9187/"),
    proof: { command: print("http://127.0.0.1:9187/metrics"), output: /^pg_up 1$/m },
  },
  "kafka-exporter": {
    user: "nobody",
    entrypoint: ["/bin/kafka_exporter"],
    command: [],
    ports: [9308],
    run: { command: ["--kafka.server=kafka:9092"], readOnly: true, memoryMb: 128, uid: 65534 },
    health: wget("http://127.0.0.1:9308/healthz"),
    proof: { command: print("http://127.0.0.1:9308/metrics"), output: /^kafka_brokers 1$/m },
  },
  "clickhouse-exporter": {
    user: "",
    entrypoint: ["docker-entrypoint.sh"],
    command: ["node"],
    ports: [],
    run: {
      command: ["node", "-e", "require('http').createServer((_, answer) => answer.end()).listen(9116)"],
      user: "1000:1000",
      memoryMb: 128,
      uid: 1000,
    },
    health: [
      "node",
      "-e",
      "fetch('http://127.0.0.1:9116/').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))",
    ],
  },
  prometheus: {
    user: "nobody",
    entrypoint: ["/bin/prometheus"],
    command: ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"],
    ports: [9090],
    volumes: ["/prometheus"],
    run: { memoryMb: 256, uid: 65534 },
    health: wget("http://127.0.0.1:9090/-/ready"),
    proof: { command: ["promtool", "check", "config", "/etc/prometheus/prometheus.yml"], output: /SUCCESS/ },
  },
  alertmanager: {
    user: "nobody",
    entrypoint: ["/bin/alertmanager"],
    command: ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"],
    ports: [9093],
    volumes: ["/alertmanager"],
    run: { memoryMb: 96, uid: 65534 },
    health: wget("http://127.0.0.1:9093/-/ready"),
    proof: { command: ["amtool", "check-config", "/etc/alertmanager/alertmanager.yml"], output: /SUCCESS/ },
  },
  grafana: {
    user: "472",
    entrypoint: ["/run.sh"],
    command: [],
    ports: [3000],
    volumes: ["/var/lib/grafana"],
    run: { readOnly: true, memoryMb: 192, uid: 472 },
    health: wget("http://127.0.0.1:3000/api/health"),
    proof: {
      command: print("http://127.0.0.1:3000/api/health"),
      output: /"database":"ok","version":"dashboard page"/,
    },
  },
};

/** The agent's is the exporter's: Node. */
const triedServices = localServices.filter((service) => service !== "cdc-agent");

const docker = new Docker();
const network = `cdc-test-images-${randomBytes(4).toString("hex")}`;
const options = { onStep: (text: string) => console.log(text), logFile: inState("logs", "test-images.log") };
let images: Partial<Record<ServiceName, string>>;

beforeAll(async () => {
  images = await ensureLocalImages(localServices, options);
  await docker.createNetwork({ Name: network });
}, 30 * 60_000);

afterAll(async () => {
  const removed = triedServices.map((service) => containerOf(service).remove({ force: true, v: true }));
  await Promise.all(removed.map((done) => done.catch(unlessGone)));
  await docker.getNetwork(network).remove().catch(unlessGone);
});

test("images that exist are found, and nothing is built", async () => {
  const steps: string[] = [];
  const again = await ensureLocalImages(localServices, { ...options, onStep: (text) => steps.push(text) });
  expect({ again, steps }).toEqual({ again: images, steps: [] });
});

test("every local image is tried here", () => {
  expect(Object.keys(expectations).sort()).toEqual([...triedServices].sort());
});

describe.each(Object.entries(expectations) as [ServiceName, Expectation][])("%s", (service, expected) => {
  test("has the user, entrypoint, command, ports and volumes of the official image", async () => {
    const { Config } = await docker.getImage(images[service] ?? "").inspect();
    expect({
      user: Config.User,
      entrypoint: Config.Entrypoint,
      command: Config.Cmd ?? [],
      ports: Object.keys(Config.ExposedPorts ?? {}).sort(),
      volumes: Object.keys(Config.Volumes ?? {}).sort(),
    }).toEqual({
      user: expected.user,
      entrypoint: expected.entrypoint,
      command: expected.command,
      ports: expected.ports.map((port) => `${port}/tcp`).sort(),
      volumes: expected.volumes ?? [],
    });
  });

  test("becomes healthy without privileges, under the user that it should, and does its work", {
    timeout: 5 * 60_000,
  }, async () => {
    const container = await start(service, expected);
    // Long, for a machine that does much else at the same time.
    const patience = { timeoutMs: 4 * 60_000, isFatal: (error: unknown) => error instanceof Ended };
    await waitFor(() => isHealthy(container), { what: service, ...patience });
    expect(await uidOf(container)).toBe(expected.run.uid);
    const { proof } = expected;
    if (proof)
      await waitFor(async () => proof.output.test((await execIn(container, proof.command)).output), {
        what: `${service}: ${proof.output} from ${proof.command.join(" ")}`,
        timeoutMs: 30_000,
      });
  });
});

class Ended extends Error {}

async function isHealthy(container: Docker.Container): Promise<boolean> {
  const { State } = await container.inspect();
  if (!State.Running) throw new Ended(String(await container.logs({ stdout: true, stderr: true, tail: 20 })));
  return State.Health?.Status === "healthy";
}

function containerOf(service: ServiceName): Docker.Container {
  return docker.getContainer(`${network}-${service}`);
}

async function start(service: ServiceName, { run, health }: Expectation): Promise<Docker.Container> {
  const container = await docker.createContainer({
    name: `${network}-${service}`,
    Hostname: service,
    Image: images[service] ?? "",
    ...(run.env && { Env: [...run.env] }),
    ...(run.command && { Cmd: [...run.command] }),
    ...(run.user && { User: run.user }),
    Healthcheck: {
      Test: ["CMD", ...health],
      Interval: 1e9,
      Timeout: 5e9,
      Retries: 3,
      StartPeriod: 60e9,
    },
    HostConfig: {
      NetworkMode: network,
      CapDrop: ["ALL"],
      CapAdd: [...(run.capabilities ?? [])],
      SecurityOpt: ["no-new-privileges"],
      Memory: run.memoryMb * 1024 * 1024,
      MemorySwap: run.memoryMb * 1024 * 1024,
      ReadonlyRootfs: run.readOnly ?? false,
      Mounts: [...(run.mounts ?? [])],
    },
    NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [service] } } },
  });
  await container.start();
  return container;
}

/** The user of a container's first process, as the engine's machine counts. */
async function uidOf(container: Docker.Container): Promise<number> {
  const { Processes } = await container.top({ ps_args: "-eo pid,uid,args" });
  const uids = Processes.map(([, uid]: string[]) => Number(uid));
  return uids[0] ?? Number.NaN;
}

function unlessGone(error: { statusCode?: number }): void {
  if (error.statusCode !== 404) throw error;
}
