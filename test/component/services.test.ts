import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { parse, parseDocument } from "yaml";
import { parseSettings } from "../../src/agent/settings";
import { Agent } from "../../src/components/agent";
import { Alertmanager } from "../../src/components/alertmanager";
import { ClickHouse } from "../../src/components/clickhouse";
import { ClickHouseExporter } from "../../src/components/clickhouse-exporter";
import { Connect, type ConnectArgs } from "../../src/components/connect";
import type { ServiceArgs } from "../../src/components/container";
import { Grafana } from "../../src/components/grafana";
import { Kafdrop } from "../../src/components/kafdrop";
import { Kafka } from "../../src/components/kafka";
import { KafkaExporter } from "../../src/components/kafka-exporter";
import { NodeExporter } from "../../src/components/node-exporter";
import type { Credentials } from "../../src/components/password";
import { Portainer } from "../../src/components/portainer";
import { Postgres } from "../../src/components/postgres";
import { PostgresExporter } from "../../src/components/postgres-exporter";
import { Prometheus } from "../../src/components/prometheus";
import { readProjectFile } from "../../src/lib/paths";
import { find, passwordOf, type Recorded, record } from "../support/record";

/** Runs the constructor of a component; returns the resources. */
async function built(make: (common: ServiceArgs) => pulumi.ComponentResource) {
  const { resources } = await record(() =>
    make({
      image: "the-image:1",
      network: new docker.Network("net", { name: "cdc-network" }),
      memoryMb: 1024,
      bindAddress: "127.0.0.1",
      startTimeoutSeconds: 240,
    }),
  );
  return resources;
}

/** The inputs of the only container; its labels by name, without the ones that are the same everywhere. */
function container(resources: readonly Recorded[]) {
  const found = resources.filter(({ type }) => type === "docker:index/container:Container");
  expect(found).toHaveLength(1);
  const { labels, ...inputs } = (found[0] as Recorded).inputs;
  return inputs;
}

/** What every container has. */
function usual(service: string) {
  return {
    name: service,
    hostname: service,
    image: "sha256:the-image:1",
    networkMode: "cdc-network",
    cgroupParent: `cdc-${service.replaceAll("-", "_")}.slice`,
    memory: 1024,
    memorySwap: 1024,
    capabilities: { drops: ["ALL"] },
    securityOpts: ["no-new-privileges"],
    restart: "unless-stopped",
    stopTimeout: 10,
    destroyGraceSeconds: 10,
    logDriver: "json-file",
    logOpts: { "max-size": "10m", "max-file": "3" },
    wait: true,
    waitTimeout: 240,
  };
}

function port(internal: number, external: number) {
  return { internal, external, ip: "127.0.0.1", protocol: "tcp" };
}

function healthcheck(interval: string, ...command: string[]) {
  return { tests: ["CMD", ...command], interval, timeout: "10s", retries: 3, startPeriod: "3m0s" };
}

function wget(url: string) {
  return healthcheck("10s", "wget", "-q", "-O", "/dev/null", url);
}

function credentials(user: string): Credentials {
  return { user, password: `the-password-of-${user}` as unknown as pulumi.Output<string> };
}

const startsAsRoot = {
  drops: ["ALL"],
  adds: ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_SETGID", "CAP_SETUID"],
};

const postgresArgs = {
  port: 15432,
  database: "inventory",
  demo: true,
  maxSlotWalKeepSizeMb: 4096,
  settings: { max_connections: "50", wal_compression: "off" },
  keepData: false,
};

test("Postgres: logical WAL, passwords in files, demo data on a new volume", async () => {
  const resources = await built((common) => new Postgres("postgres", { ...common, ...postgresArgs }));
  expect(container(resources)).toEqual({
    ...usual("postgres"),
    command: [
      "postgres",
      ...["-c", "wal_level=logical"],
      ...["-c", "max_wal_senders=10"],
      ...["-c", "max_replication_slots=10"],
      ...["-c", "max_slot_wal_keep_size=4096MB"],
      ...["-c", "max_wal_size=2GB"],
      ...["-c", "wal_compression=off"],
      ...["-c", "password_encryption=scram-sha-256"],
      ...["-c", "shared_buffers=256MB"],
      ...["-c", "effective_cache_size=640MB"],
      ...["-c", "maintenance_work_mem=64MB"],
      ...["-c", "max_connections=50"],
    ],
    envs: [
      "POSTGRES_DB=inventory",
      "POSTGRES_INITDB_ARGS=--auth-host=scram-sha-256 --data-checksums",
      "POSTGRES_PASSWORD_FILE=/etc/cdc/postgres/password",
      "POSTGRES_USER=postgres",
    ],
    uploads: [
      { file: "/etc/cdc/postgres/password", content: passwordOf("postgres-password"), permissions: "0400" },
      {
        file: "/docker-entrypoint-initdb.d/10-demo.sql",
        content: readProjectFile("sql", "postgres", "demo.sql"),
        permissions: "0444",
      },
    ],
    volumes: [{ volumeName: "cdc-postgres-data", containerPath: "/var/lib/postgresql/data" }],
    ports: [port(5432, 15432)],
    shmSize: 256,
    capabilities: startsAsRoot,
    stopTimeout: 60,
    destroyGraceSeconds: 60,
    healthcheck: healthcheck(
      "5s",
      ...["pg_isready", "-q", "-h", "127.0.0.1", "-U", "postgres", "-d", "inventory"],
    ),
  });
  expect(find(resources, "postgres-container-image").inputs).toEqual({
    name: "the-image:1",
    keepLocally: true,
  });
  expect(find(resources, "postgres-data").inputs).toEqual({
    name: "cdc-postgres-data",
    driver: "local",
    labels: [{ label: "cdc.service", value: "postgres" }],
  });
  expect(find(resources, "postgres-password").inputs).toEqual({ length: 24, special: false });
});

test("Postgres: no demo, no demo file", async () => {
  const resources = await built(
    (common) => new Postgres("postgres", { ...common, ...postgresArgs, demo: false }),
  );
  expect(container(resources).uploads).toEqual([
    { file: "/etc/cdc/postgres/password", content: passwordOf("postgres-password"), permissions: "0400" },
  ]);
});

test("keepData protects the data, and the password that is in it", async () => {
  const protectedOnes = async (keepData: boolean) => {
    const resources = await built(
      (common) => new Postgres("postgres", { ...common, ...postgresArgs, keepData }),
    );
    return resources.filter((resource) => resource.isProtected).map(({ name }) => name);
  };
  expect((await protectedOnes(true)).sort()).toEqual(["postgres-data", "postgres-password"]);
  expect(await protectedOnes(false)).toEqual([]);
});

test("Kafka: one KRaft node with a listener for the network and one for the host", async () => {
  const resources = await built(
    (common) =>
      new Kafka("kafka", {
        ...common,
        port: 19092,
        advertisedHost: "localhost",
        heapMb: 640,
        keepData: false,
        jmxExporter: undefined,
      }),
  );
  expect(container(resources)).toEqual({
    ...usual("kafka"),
    envs: [
      "CLUSTER_ID=T4XzWYoZt_BgH2y6VAqQug",
      "KAFKA_ADVERTISED_LISTENERS=INTERNAL://kafka:9092,EXTERNAL://localhost:19092",
      "KAFKA_AUTO_CREATE_TOPICS_ENABLE=false",
      "KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER",
      "KAFKA_CONTROLLER_QUORUM_VOTERS=1@localhost:9093",
      "KAFKA_DEFAULT_REPLICATION_FACTOR=1",
      "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS=0",
      "KAFKA_HEAP_OPTS=-Xms640m -Xmx640m",
      "KAFKA_INTER_BROKER_LISTENER_NAME=INTERNAL",
      "KAFKA_JVM_PERFORMANCE_OPTS=-server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent -XX:MaxInlineLevel=15 -Djava.awt.headless=true",
      "KAFKA_LISTENERS=INTERNAL://:9092,EXTERNAL://:29092,CONTROLLER://:9093",
      "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
      "KAFKA_LOG_DIRS=/var/lib/kafka/data",
      "KAFKA_MIN_INSYNC_REPLICAS=1",
      "KAFKA_NODE_ID=1",
      "KAFKA_OFFSETS_RETENTION_MINUTES=43200",
      "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS=10",
      "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR=1",
      "KAFKA_PROCESS_ROLES=broker,controller",
      "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR=1",
      "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR=1",
      "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR=1",
      "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS=10",
      "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR=1",
    ],
    volumes: [{ volumeName: "cdc-kafka-data", containerPath: "/var/lib/kafka/data" }],
    ports: [port(29092, 19092)],
    stopTimeout: 60,
    destroyGraceSeconds: 60,
    healthcheck: healthcheck("5s", "bash", "-c", "</dev/tcp/127.0.0.1/9092"),
  });
});

test("Kafka: the JMX exporter is the broker's alone, and is put into an image that lacks it", async () => {
  const withExporter = async (jmxExporter: "in the image" | { path: string; sha256: string }) => {
    const resources = await built(
      (common) =>
        new Kafka("kafka", {
          ...common,
          port: 19092,
          advertisedHost: "localhost",
          heapMb: 640,
          keepData: false,
          jmxExporter,
        }),
    );
    const { command, uploads, envs } = container(resources);
    expect(envs.join()).not.toContain("KAFKA_OPTS");
    return { command, uploads };
  };
  const command = [
    "bash",
    "-c",
    'KAFKA_OPTS="$KAFKA_OPTS -javaagent:/opt/jmx/jmx_prometheus_javaagent.jar=9404:/etc/cdc/kafka/jmx.yml" ' +
      "exec /etc/kafka/docker/run",
  ];
  const rules = {
    file: "/etc/cdc/kafka/jmx.yml",
    content: readProjectFile("prometheus", "jmx", "kafka.yml"),
    permissions: "0444",
  };
  expect(await withExporter("in the image")).toEqual({ command, uploads: [rules] });
  expect(await withExporter({ path: "/cache/jmx.jar", sha256: "abc" })).toEqual({
    command,
    uploads: [
      {
        file: "/opt/jmx/jmx_prometheus_javaagent.jar",
        source: "/cache/jmx.jar",
        sourceHash: "abc",
        permissions: "0444",
      },
      rules,
    ],
  });
});

const connectArgs = {
  port: 18083,
  bootstrapServers: "kafka:9092",
  heapMb: 768,
  postgres: credentials("debezium"),
};

test("Connect: the JMX exporter is put into an image that lacks it, and is off where there is none", async () => {
  const withExporter = async (jmxExporter: ConnectArgs["jmxExporter"]) => {
    const resources = await built(
      (common) => new Connect("connect", { ...common, ...connectArgs, jmxExporter }),
    );
    const { uploads, envs } = container(resources);
    return {
      files: uploads.map(({ file }: { file: string }) => file),
      isOn: envs.includes("ENABLE_JMX_EXPORTER=true"),
    };
  };
  const credentialsFile = "/etc/cdc/connect/postgres.properties";
  const rules = "/kafka/config/metrics.yaml";
  expect(await withExporter({ path: "/cache/jmx.jar", sha256: "abc" })).toEqual({
    // Where Debezium's entrypoint looks for it.
    files: ["/kafka/libs/jmx_prometheus_javaagent.jar", rules, credentialsFile],
    isOn: true,
  });
  expect(await withExporter("in the image")).toEqual({ files: [rules, credentialsFile], isOn: true });
  expect(await withExporter(undefined)).toEqual({ files: [credentialsFile], isOn: false });
});

test("Connect: exactly-once, credentials of the source in a file", async () => {
  const resources = await built(
    (common) => new Connect("connect", { ...common, ...connectArgs, jmxExporter: "in the image" }),
  );
  expect(container(resources)).toEqual({
    ...usual("connect"),
    envs: [
      "ADVERTISED_HOST_NAME=connect",
      "BOOTSTRAP_SERVERS=kafka:9092",
      "CONFIG_STORAGE_TOPIC=cdc-connect-config",
      "CONNECT_CONFIG_PROVIDERS=file",
      "CONNECT_CONFIG_PROVIDERS_FILE_CLASS=org.apache.kafka.common.config.provider.FileConfigProvider",
      "CONNECT_CONFIG_PROVIDERS_FILE_PARAM_ALLOWED_PATHS=/etc/cdc/connect",
      "CONNECT_CONFIG_STORAGE_REPLICATION_FACTOR=1",
      "CONNECT_CONNECTOR_CLIENT_CONFIG_OVERRIDE_POLICY=All",
      "CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT=enabled",
      "CONNECT_KEY_CONVERTER_SCHEMAS_ENABLE=false",
      "CONNECT_OFFSET_STORAGE_PARTITIONS=5",
      "CONNECT_OFFSET_STORAGE_REPLICATION_FACTOR=1",
      "CONNECT_PLUGIN_DISCOVERY=service_load",
      "CONNECT_SCHEDULED_REBALANCE_MAX_DELAY_MS=0",
      "CONNECT_STATUS_STORAGE_REPLICATION_FACTOR=1",
      "CONNECT_VALUE_CONVERTER_SCHEMAS_ENABLE=false",
      "ENABLE_JMX_EXPORTER=true",
      "GROUP_ID=cdc-connect",
      "HEAP_OPTS=-Xms256m -Xmx768m",
      "KEY_CONVERTER=org.apache.kafka.connect.json.JsonConverter",
      "OFFSET_FLUSH_INTERVAL_MS=5000",
      "OFFSET_STORAGE_TOPIC=cdc-connect-offsets",
      "STATUS_STORAGE_TOPIC=cdc-connect-status",
      "VALUE_CONVERTER=org.apache.kafka.connect.json.JsonConverter",
    ],
    uploads: [
      {
        file: "/kafka/config/metrics.yaml",
        content: readProjectFile("prometheus", "jmx", "connect.yml"),
        permissions: "0444",
      },
      {
        file: "/etc/cdc/connect/postgres.properties",
        content: "user=debezium\npassword=the-password-of-debezium\n",
        permissions: "0444",
      },
    ],
    ports: [port(8083, 18083)],
    stopTimeout: 30,
    destroyGraceSeconds: 30,
    healthcheck: healthcheck("5s", "curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8083/health"),
  });
});

test("ClickHouse: users by the hashes of their passwords, limits that fit its memory", async () => {
  const resources = await built(
    (common) =>
      new ClickHouse("clickhouse", {
        ...common,
        httpPort: 18123,
        tcpPort: 19000,
        database: "cdc",
        consumerThreads: 17,
        keepData: false,
      }),
  );
  const { uploads, ...inputs } = container(resources);
  expect(inputs).toEqual({
    ...usual("clickhouse"),
    envs: ["CLICKHOUSE_SKIP_USER_SETUP=1"],
    volumes: [{ volumeName: "cdc-clickhouse-data", containerPath: "/var/lib/clickhouse" }],
    ports: [port(8123, 18123), port(9000, 19000)],
    capabilities: startsAsRoot,
    stopTimeout: 60,
    destroyGraceSeconds: 60,
    healthcheck: healthcheck("5s", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8123/ping"),
  });
  const files = Object.fromEntries(
    uploads.map((upload: { file: string; content: string; permissions: string }) => {
      expect(upload.permissions).toBe("0444");
      expect(upload.content).not.toMatch(/\{\{\w/);
      return [upload.file, upload.content];
    }),
  );
  const {
    "/etc/clickhouse-server/config.d/cdc.xml": server,
    "/etc/clickhouse-server/users.d/cdc.xml": users,
  } = files;
  expect(Object.keys(files)).toHaveLength(2);
  expect(server).toContain(`<max_server_memory_usage>${870 * 1024 * 1024}</max_server_memory_usage>`);
  expect(server).toContain(`<mark_cache_size>${64 * 1024 * 1024}</mark_cache_size>`);
  expect(server).toContain(
    "<background_message_broker_schedule_pool_size>17</background_message_broker_schedule_pool_size>",
  );
  expect(users).toContain('<default remove="remove"/>');
  expect(users).toContain("<query>GRANT SELECT ON cdc.*</query>");
  expect(users).toContain(
    `<constraints>
        <max_memory_usage><min>1</min><max>${512 * 1024 * 1024}</max></max_memory_usage>`,
  );
  expect(users).not.toContain("secret-of");
  // printf secret-of-clickhouse-reader-password | sha256sum
  expect(users).toContain("e998d254022d39ca114d4ed61ed97c8f297699bcf628abdc4f97cabfa31fb98f");
});

test("node-exporter: the host's files, read-only, and nothing else of the host", async () => {
  const resources = await built((common) => new NodeExporter("node-exporter", { ...common, port: 19100 }));
  expect(container(resources)).toEqual({
    ...usual("node-exporter"),
    command: ["--path.rootfs=/host", "--path.procfs=/host/proc", "--path.sysfs=/host/sys"],
    volumes: [{ hostPath: "/", containerPath: "/host", readOnly: true }],
    ports: [port(9100, 19100)],
    readOnly: true,
    healthcheck: wget("http://127.0.0.1:9100/"),
  });
});

test("postgres-exporter: its password in a file", async () => {
  const resources = await built(
    (common) =>
      new PostgresExporter("postgres-exporter", {
        ...common,
        port: 19187,
        server: "postgres:5432",
        database: "inventory",
        postgres: credentials("exporter"),
      }),
  );
  expect(container(resources)).toEqual({
    ...usual("postgres-exporter"),
    envs: [
      "DATA_SOURCE_PASS_FILE=/etc/cdc/postgres-exporter/password",
      "DATA_SOURCE_URI=postgres:5432/inventory?sslmode=disable",
      "DATA_SOURCE_USER=exporter",
    ],
    uploads: [
      {
        file: "/etc/cdc/postgres-exporter/password",
        content: "the-password-of-exporter",
        permissions: "0444",
      },
    ],
    ports: [port(9187, 19187)],
    healthcheck: wget("http://127.0.0.1:9187/"),
  });
});

test("kafka-exporter: all topics but Kafka's own", async () => {
  const resources = await built(
    (common) =>
      new KafkaExporter("kafka-exporter", {
        ...common,
        port: 19308,
        bootstrapServers: "kafka:9092",
        consumerGroup: "my.group",
      }),
  );
  expect(container(resources)).toEqual({
    ...usual("kafka-exporter"),
    command: [
      "--kafka.server=kafka:9092",
      "--group.filter=^my\\.group$",
      "--topic.exclude=^__(consumer_offsets|transaction_state|share_group_state)$",
    ],
    ports: [port(9308, 19308)],
    readOnly: true,
    healthcheck: wget("http://127.0.0.1:9308/healthz"),
  });
});

test("clickhouse-exporter: our script as JavaScript, its password in a file, not as root", async () => {
  const build = () =>
    built(
      (common) =>
        new ClickHouseExporter("clickhouse-exporter", {
          ...common,
          port: 19116,
          url: "http://clickhouse:8123",
          clickhouse: credentials("exporter"),
        }),
    );
  const { uploads, ...inputs } = container(await build());
  const script = "/etc/cdc/clickhouse-exporter/exporter.js";
  expect(inputs).toEqual({
    ...usual("clickhouse-exporter"),
    command: ["node", script, "serve"],
    user: "1000:1000",
    envs: [
      "CLICKHOUSE_PASSWORD_FILE=/etc/cdc/clickhouse-exporter/password",
      "CLICKHOUSE_URL=http://clickhouse:8123",
      "CLICKHOUSE_USER=exporter",
    ],
    ports: [port(9116, 19116)],
    healthcheck: healthcheck(
      "15s",
      "node",
      "-e",
      "fetch('http://127.0.0.1:9116/').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))",
    ),
  });
  expect(uploads[1]).toEqual({
    file: "/etc/cdc/clickhouse-exporter/password",
    content: "the-password-of-exporter",
    permissions: "0444",
  });
  expect(uploads[0]).toMatchObject({ file: script, permissions: "0444" });
  expect(uploads[0].content).not.toContain("interface ");
  expect(container(await build()).uploads).toEqual(uploads);
});

test("Prometheus: a file of ours, everything else by flags", async () => {
  const resources = await built(
    (common) =>
      new Prometheus("prometheus", {
        ...common,
        port: 19090,
        url: "http://127.0.0.1:19090",
        runbooks: "https://wiki.example.com/runbooks",
        scraped: ["prometheus", "kafka-exporter"],
        scrapeIntervalSeconds: 10,
        retentionDays: 15,
        keepData: false,
      }),
  );
  const { uploads, ...inputs } = container(resources);
  expect(inputs).toEqual({
    ...usual("prometheus"),
    command: [
      "--config.file=/etc/prometheus/prometheus.yml",
      "--storage.tsdb.path=/prometheus",
      "--storage.tsdb.retention.time=15d",
      "--web.external-url=http://127.0.0.1:19090",
      "--web.cors.origin=http://127\\.0\\.0\\.1:19090",
    ],
    volumes: [{ volumeName: "cdc-prometheus-data", containerPath: "/prometheus" }],
    ports: [port(9090, 19090)],
    stopTimeout: 30,
    destroyGraceSeconds: 30,
    healthcheck: wget("http://127.0.0.1:9090/-/ready"),
  });
  expect(uploads).toMatchObject([
    { file: "/etc/prometheus/prometheus.yml", permissions: "0444" },
    { file: "/etc/prometheus/rules/alerts.yml" },
    { file: "/etc/prometheus/rules/recording.yml" },
  ]);
  const links = [...uploads[1].content.matchAll(/runbook_url: (\S+)#/g)].map(([, link]) => link);
  expect(new Set(links)).toEqual(new Set(["https://wiki.example.com/runbooks"]));
});

test("the agent: its bundle, where to look, passwords in files, and the host's cgroups read-only", async () => {
  const resources = await built(
    (common) =>
      new Agent("agent", {
        ...common,
        memoryMb: 160,
        host: "postgres",
        port: 5432,
        database: "inventory",
        postgres: credentials("agent"),
        clickhouse: { url: "http://clickhouse:8123", database: "cdc", credentials: credentials("reader") },
        connectUrl: "http://connect:8083",
        connector: "postgres-connector",
        slot: "cdc_slot",
        tables: [{ source: "inventory.orders", target: "orders" }],
        comparisonSeconds: 60,
        services: ["kafka", "kafka-exporter"],
      }),
  );
  const { uploads, ...inputs } = container(resources);
  expect(inputs).toEqual({
    ...usual("cdc-agent"),
    memory: 160,
    memorySwap: 160,
    command: ["node", "--max-old-space-size=96", "/etc/cdc/agent/agent.js", "/etc/cdc/agent/settings.json"],
    user: "1000:1000",
    volumes: [
      { hostPath: "/sys/fs/cgroup", containerPath: "/host/cgroup", readOnly: true },
      { hostPath: "/proc/1/net/dev", containerPath: "/host/net-dev", readOnly: true },
    ],
    healthcheck: healthcheck(
      "15s",
      "node",
      "-e",
      "fetch('http://127.0.0.1:9469/healthz').then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))",
    ),
  });
  const [bundle, settings, ...passwords] = uploads;
  expect(bundle).toMatchObject({ file: "/etc/cdc/agent/agent.js", permissions: "0444" });
  expect(passwords.map(({ content }: { content: string }) => content)).toEqual([
    "the-password-of-agent",
    "the-password-of-reader",
  ]);
  expect(settings.content).not.toContain("the-password-of");
  expect(parseSettings(settings.content)).toMatchObject({
    postgres: { host: "postgres", user: "agent", passwordFile: "/etc/cdc/agent/postgres-password" },
    clickhouse: { url: "http://clickhouse:8123", user: "reader", database: "cdc" },
    tables: [{ source: "inventory.orders", target: "orders" }],
    containers: [
      { service: "kafka", cgroup: "cdc-kafka.slice" },
      { service: "kafka-exporter", cgroup: "cdc-kafka_exporter.slice" },
    ],
  });
});

test("Alertmanager: tells nobody by default", async () => {
  const resources = await built(
    (common) =>
      new Alertmanager("alertmanager", {
        ...common,
        port: 19093,
        url: "http://127.0.0.1:19093",
        receivers: {},
        keepData: false,
      }),
  );
  expect(container(resources)).toEqual({
    ...usual("alertmanager"),
    command: [
      "--config.file=/etc/alertmanager/alertmanager.yml",
      "--storage.path=/alertmanager",
      "--web.external-url=http://127.0.0.1:19093",
      "--cluster.listen-address=",
    ],
    uploads: [
      {
        file: "/etc/alertmanager/alertmanager.yml",
        content: parseDocument(readProjectFile("prometheus", "alertmanager.yml")).toString(),
        permissions: "0444",
      },
    ],
    volumes: [{ volumeName: "cdc-alertmanager-data", containerPath: "/alertmanager" }],
    ports: [port(9093, 19093)],
    healthcheck: wget("http://127.0.0.1:9093/-/ready"),
  });
});

test("Alertmanager: receivers by configuration, what is secret in files of its own", async () => {
  const resources = await built(
    (common) =>
      new Alertmanager("alertmanager", {
        ...common,
        port: 19093,
        url: "http://127.0.0.1:19093",
        receivers: {
          webhook: "https://hooks.example.com/secret-1",
          slack: { channel: "#on-call", webhookUrl: "https://hooks.slack.com/secret-2" },
          email: {
            to: "on-call@example.com",
            from: "cdc@example.com",
            smarthost: "smtp.example.com:587",
            user: "cdc",
            password: "secret-3",
            requireTls: true,
          },
        },
        keepData: false,
      }),
  );
  const [config, ...secrets] = container(resources).uploads;
  expect([...find(resources, "alertmanager-container").secrets].sort()).toEqual(
    secrets.map(({ content }: { content: string }) => content).sort(),
  );
  expect(secrets.map(({ file, content }: { file: string; content: string }) => [file, content])).toEqual([
    ["/etc/cdc/alertmanager/webhook-url", "https://hooks.example.com/secret-1"],
    ["/etc/cdc/alertmanager/slack-url", "https://hooks.slack.com/secret-2"],
    ["/etc/cdc/alertmanager/mail-password", "secret-3"],
  ]);
  expect(config.content).not.toContain("secret-");
  const { route, receivers } = parse(config.content);
  expect(route.receiver).toBe("people");
  expect(receivers).toMatchObject([
    { name: "none" },
    {
      name: "people",
      webhook_configs: [{ url_file: "/etc/cdc/alertmanager/webhook-url" }],
      slack_configs: [{ api_url_file: "/etc/cdc/alertmanager/slack-url", channel: "#on-call" }],
      email_configs: [
        {
          to: "on-call@example.com",
          auth_username: "cdc",
          auth_password_file: "/etc/cdc/alertmanager/mail-password",
        },
      ],
    },
  ]);
});

test("Grafana: passwords in files, data sources and dashboards provisioned", async () => {
  const resources = await built(
    (common) =>
      new Grafana("grafana", {
        ...common,
        port: 13000,
        services: ["clickhouse", "prometheus", "grafana"],
        scrapeIntervalSeconds: 5,
        captured: ["orders", "customers", "products"].map((name) => ({ table: `inventory.${name}` })),
        clickhouse: credentials("reader"),
        database: "cdc",
      }),
  );
  const { uploads, ...inputs } = container(resources);
  expect(inputs).toEqual({
    ...usual("grafana"),
    envs: [
      "CDC_CLICKHOUSE_DATABASE=cdc",
      "CDC_CLICKHOUSE_USER=reader",
      "GF_ANALYTICS_CHECK_FOR_UPDATES=false",
      "GF_ANALYTICS_REPORTING_ENABLED=false",
      "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH=/etc/cdc/grafana/dashboards/cdc-pipeline.json",
      "GF_PLUGINS_PREINSTALL_SYNC=grafana-clickhouse-datasource@4.20.0",
      "GF_SECURITY_ADMIN_PASSWORD__FILE=/etc/cdc/grafana/admin-password",
      "GF_SECURITY_ADMIN_USER=admin",
      "GF_USERS_ALLOW_SIGN_UP=false",
    ],
    volumes: [{ volumeName: "cdc-grafana-data", containerPath: "/var/lib/grafana" }],
    ports: [port(3000, 13000)],
    stopTimeout: 30,
    destroyGraceSeconds: 30,
    healthcheck: wget("http://127.0.0.1:3000/api/health"),
  });
  expect(uploads.map(({ file }: { file: string }) => file)).toEqual([
    "/etc/cdc/grafana/admin-password",
    "/etc/cdc/grafana/clickhouse-password",
    "/etc/grafana/provisioning/datasources/cdc.yaml",
    "/etc/grafana/provisioning/dashboards/cdc.yaml",
    "/etc/cdc/grafana/dashboards/cdc-alerts.json",
    "/etc/cdc/grafana/dashboards/cdc-business.json",
    "/etc/cdc/grafana/dashboards/cdc-infrastructure.json",
    "/etc/cdc/grafana/dashboards/cdc-pipeline.json",
  ]);
});

test("Kafdrop: the network's brokers, half of its memory for the heap", async () => {
  const resources = await built(
    (common) => new Kafdrop("kafdrop", { ...common, port: 19001, bootstrapServers: "kafka:9092" }),
  );
  expect(container(resources)).toEqual({
    ...usual("kafdrop"),
    envs: [
      "JVM_OPTS=-Xms32M -Xmx512M -Dcors.enabled=false -Dtopic.deleteEnabled=false -Dtopic.createEnabled=false " +
        "-Dmanagement.endpoints.web.exposure.include=health",
      "KAFKA_BROKERCONNECT=kafka:9092",
    ],
    ports: [port(9000, 19001)],
    healthcheck: healthcheck(
      "10s",
      "bash",
      "-c",
      'exec 3<>/dev/tcp/127.0.0.1/9000; printf "GET /actuator/health HTTP/1.0\\r\\n\\r\\n" >&3; grep -q UP <&3',
    ),
  });
});

test("Portainer: HTTPS alone is published, the password is in a file, the socket is its own", async () => {
  const resources = await built((common) => new Portainer("portainer", { ...common, port: 19443 }));
  expect(container(resources)).toEqual({
    ...usual("portainer"),
    command: ["--admin-password-file=/etc/cdc/portainer/admin-password"],
    uploads: [
      {
        file: "/etc/cdc/portainer/admin-password",
        content: passwordOf("portainer-password"),
        permissions: "0400",
      },
    ],
    volumes: [
      { volumeName: "cdc-portainer-data", containerPath: "/data" },
      { hostPath: "/var/run/docker.sock", containerPath: "/var/run/docker.sock", readOnly: false },
    ],
    ports: [port(9443, 19443)],
    healthcheck: wget("http://127.0.0.1:9000/api/system/status"),
  });
});
