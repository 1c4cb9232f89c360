import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import type { JmxExporter } from "../images";
import { type ContainerFacts, dataVolume, jmxFiles, type ServiceArgs, ServiceContainer } from "./container";

export interface KafkaArgs extends ServiceArgs {
  /** Port on the host. */
  readonly port: number;
  /** Host name under which clients outside of the network reach the broker. */
  readonly advertisedHost: string;
  /** Java heap in MiB. */
  readonly heapMb: number;
  /** Whether the data volume is protected from being deleted. */
  readonly keepData: boolean;
  /** The JMX exporter: in the image, a file to be put into it, or none, which leaves the broker without JMX metrics. */
  readonly jmxExporter: JmxExporter | undefined;
}

/** Apache Kafka, the event stream: one node that is broker and controller (KRaft). */
export class Kafka extends pulumi.ComponentResource {
  /** Where clients on the network begin. */
  readonly bootstrapServers = "kafka:9092";

  constructor(name: string, args: KafkaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc:service:Kafka", name, {}, opts);
    const volume = dataVolume(`${name}-data`, "kafka", { parent: this, keepData: args.keepData });
    new ServiceContainer(
      `${name}-container`,
      args,
      {
        service: "kafka",
        env: brokerSettings(args),
        ...jmxExporter(args),
        volumes: [{ volume, path: dataPath }],
        ports: [{ inside: externalPort, published: args.port }],
        healthcheck: { command: ["bash", "-c", "</dev/tcp/127.0.0.1/9092"], everySeconds: 5 },
        // A controlled shutdown closes its logs; one that is killed reads them all again.
        stopSeconds: 60,
      },
      { parent: this },
    );
    this.registerOutputs({ bootstrapServers: this.bootstrapServers });
  }
}

type JmxFacts = Pick<ContainerFacts, "command" | "files">;

/** Only for the broker: in the environment of the container, every tool that is run in it would start the exporter, too. */
function jmxExporter({ jmxExporter: exporter }: KafkaArgs): JmxFacts {
  if (exporter === undefined) return {};
  const jar = "/opt/jmx/jmx_prometheus_javaagent.jar";
  const rules = "/etc/cdc/kafka/jmx.yml";
  const option = `-javaagent:${jar}=9404:${rules}`;
  return {
    command: ["bash", "-c", `KAFKA_OPTS="$KAFKA_OPTS ${option}" exec /etc/kafka/docker/run`],
    files: jmxFiles(exporter, jar, { path: rules, rules: "kafka.yml" }),
  };
}

const dataPath = "/var/lib/kafka/data";
/** Inside the container, for clients that come from the host. */
const externalPort = 29092;

function brokerSettings(args: KafkaArgs): Record<string, string> {
  return {
    CLUSTER_ID: clusterId(`${pulumi.getProject()}/${pulumi.getStack()}`),
    KAFKA_NODE_ID: "1",
    KAFKA_PROCESS_ROLES: "broker,controller",
    KAFKA_CONTROLLER_QUORUM_VOTERS: "1@localhost:9093",
    KAFKA_LISTENERS: `INTERNAL://:9092,EXTERNAL://:${externalPort},CONTROLLER://:9093`,
    KAFKA_ADVERTISED_LISTENERS: `INTERNAL://kafka:9092,EXTERNAL://${args.advertisedHost}:${args.port}`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
    KAFKA_INTER_BROKER_LISTENER_NAME: "INTERNAL",
    KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
    KAFKA_LOG_DIRS: dataPath,
    // A misspelt topic is an error, not a new topic. Those of the pipeline are resources.
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
    KAFKA_DEFAULT_REPLICATION_FACTOR: "1",
    KAFKA_MIN_INSYNC_REPLICAS: "1",
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "1",
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1",
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1",
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: "1",
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: "1",
    // For clusters of many groups there are 50 each; on one broker they only cost files and time at the start.
    KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: "10",
    KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS: "10",
    // ClickHouse may be away for longer than the usual week and still find its place.
    KAFKA_OFFSETS_RETENTION_MINUTES: String(30 * 24 * 60),
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0",
    KAFKA_HEAP_OPTS: `-Xms${args.heapMb}m -Xmx${args.heapMb}m`,
    KAFKA_JVM_PERFORMANCE_OPTS: performanceOptions,
  };
}

/**
 * Kafka's own (bin/kafka-run-class.sh of 4.x). It leaves them out where the variable is set, as the official image does
 * to name its class archive (docker/jvm/launch): with less than 1792 MiB Java would then choose the serial collector.
 */
const performanceOptions =
  "-server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 " +
  "-XX:+ExplicitGCInvokesConcurrent -XX:MaxInlineLevel=15 -Djava.awt.headless=true";

/**
 * Kafka writes the id into its volume and starts on no other. So it comes from the stack's name: a volume that
 * outlived the state is still readable. 16 bytes as Kafka's Uuid prints them, never with a leading dash.
 */
export function clusterId(stack: string): string {
  const bytes = createHash("sha256").update(stack).digest().subarray(0, 16);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString("base64url");
}
