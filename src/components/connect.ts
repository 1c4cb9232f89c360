import * as pulumi from "@pulumi/pulumi";
import type { JmxExporter } from "../images";
import { jmxFiles, type ServiceArgs, ServiceContainer } from "./container";
import type { Credentials } from "./password";

export interface ConnectArgs extends ServiceArgs {
  /** Port of the REST interface on the host. */
  readonly port: number;
  /** The Kafka that it writes to and keeps its own state in. */
  readonly bootstrapServers: string;
  /** Java heap in MiB, at most. */
  readonly heapMb: number;
  /** The JMX exporter: in the image, a file to be put into it, or none, which leaves the worker without JMX metrics. */
  readonly jmxExporter: JmxExporter | undefined;
  /** Debezium's role in Postgres; connectors refer to it as `${file:…:user}` and `${file:…:password}`. */
  readonly postgres: Credentials;
}

/** Kafka Connect with Debezium: one worker. */
export class Connect extends pulumi.ComponentResource {
  /** Its REST interface, on the network. */
  readonly url = "http://connect:8083";
  /** Where connectors find `user` and `password` of their role in Postgres. */
  readonly credentialsFile = credentialsFile;

  constructor(name: string, args: ConnectArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc:service:Connect", name, {}, opts);
    new ServiceContainer(
      `${name}-container`,
      args,
      {
        service: "connect",
        env: workerSettings(args),
        files: [
          ...(args.jmxExporter ? jmxFiles(args.jmxExporter, jmxJar, jmxRules) : []),
          {
            path: credentialsFile,
            content: pulumi.interpolate`user=${args.postgres.user}\npassword=${args.postgres.password}\n`,
          },
        ],
        ports: [{ inside: 8083, published: args.port }],
        // 200 only when the worker takes requests, which a worker that still joins its group does not.
        healthcheck: {
          command: ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8083/health"],
          everySeconds: 5,
        },
        stopSeconds: 30,
      },
      { parent: this },
    );
    this.registerOutputs({ url: this.url, credentialsFile });
  }
}

/** Where the image's entrypoint looks for the JMX exporter and its rules. The official one does not hold them. */
const jmxJar = "/kafka/libs/jmx_prometheus_javaagent.jar";
const jmxRules = { path: "/kafka/config/metrics.yaml", rules: "connect.yml" };

const credentialsFile = "/etc/cdc/connect/postgres.properties";

function workerSettings({ bootstrapServers, heapMb, jmxExporter }: ConnectArgs): Record<string, string> {
  return {
    BOOTSTRAP_SERVERS: bootstrapServers,
    GROUP_ID: "cdc-connect",
    ADVERTISED_HOST_NAME: "connect",
    CONFIG_STORAGE_TOPIC: "cdc-connect-config",
    OFFSET_STORAGE_TOPIC: "cdc-connect-offsets",
    STATUS_STORAGE_TOPIC: "cdc-connect-status",
    CONNECT_CONFIG_STORAGE_REPLICATION_FACTOR: "1",
    CONNECT_OFFSET_STORAGE_REPLICATION_FACTOR: "1",
    CONNECT_STATUS_STORAGE_REPLICATION_FACTOR: "1",
    CONNECT_OFFSET_STORAGE_PARTITIONS: "5",
    KEY_CONVERTER: "org.apache.kafka.connect.json.JsonConverter",
    VALUE_CONVERTER: "org.apache.kafka.connect.json.JsonConverter",
    CONNECT_KEY_CONVERTER_SCHEMAS_ENABLE: "false",
    CONNECT_VALUE_CONVERTER_SCHEMAS_ENABLE: "false",
    // Events and the position they were read at are one transaction in Kafka.
    CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT: "enabled",
    CONNECT_CONFIG_PROVIDERS: "file",
    CONNECT_CONFIG_PROVIDERS_FILE_CLASS: "org.apache.kafka.common.config.provider.FileConfigProvider",
    CONNECT_CONFIG_PROVIDERS_FILE_PARAM_ALLOWED_PATHS: "/etc/cdc/connect",
    CONNECT_CONNECTOR_CLIENT_CONFIG_OVERRIDE_POLICY: "All",
    // There is one worker: whoever waits for another one to come back (five minutes) waits for nothing.
    CONNECT_SCHEDULED_REBALANCE_MAX_DELAY_MS: "0",
    // All plugins have manifests. To look for those that have none takes seconds at each start.
    CONNECT_PLUGIN_DISCOVERY: "service_load",
    OFFSET_FLUSH_INTERVAL_MS: "5000",
    // On port 9404.
    ...(jmxExporter && { ENABLE_JMX_EXPORTER: "true" }),
    HEAP_OPTS: `-Xms${Math.min(256, heapMb)}m -Xmx${heapMb}m`,
  };
}
