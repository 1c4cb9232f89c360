import * as pulumi from "@pulumi/pulumi";
import { literally } from "../lib/literal";
import { type ServiceArgs, ServiceContainer } from "./container";

export interface KafkaExporterArgs extends ServiceArgs {
  /** Port on the host. */
  readonly port: number;
  /** The brokers on the network. */
  readonly bootstrapServers: string;
  /** The consumer group that is watched: of others it is not known whether anybody waits for them. */
  readonly consumerGroup: string;
}

/** kafka_exporter: metrics of topics and consumer groups. */
export class KafkaExporter extends pulumi.ComponentResource {
  constructor(name: string, args: KafkaExporterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc:service:KafkaExporter", name, {}, opts);
    new ServiceContainer(
      `${name}-container`,
      args,
      {
        service: "kafka-exporter",
        // Kafka's own topics begin with two underscores; of those, Debezium's heartbeat topic is the pipeline's.
        command: [
          `--kafka.server=${args.bootstrapServers}`,
          `--group.filter=^${literally(args.consumerGroup)}$`,
          "--topic.exclude=^__(consumer_offsets|transaction_state|share_group_state)$",
        ],
        ports: [{ inside: 9308, published: args.port }],
        healthcheck: { command: ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:9308/healthz"] },
        readOnly: true,
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}
