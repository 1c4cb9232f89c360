import * as pulumi from "@pulumi/pulumi";
import { type ServiceArgs, ServiceContainer } from "./container";

export interface KafdropArgs extends ServiceArgs {
  /** Port on the host. */
  readonly port: number;
  /** The brokers on the network. */
  readonly bootstrapServers: string;
}

/** Kafdrop: topics and messages in the browser. */
export class Kafdrop extends pulumi.ComponentResource {
  constructor(name: string, args: KafdropArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc:service:Kafdrop", name, {}, opts);
    new ServiceContainer(
      `${name}-container`,
      args,
      {
        service: "kafdrop",
        env: {
          KAFKA_BROKERCONNECT: args.bootstrapServers,
          JVM_OPTS: [
            ...["-Xms32M", `-Xmx${Math.floor(args.memoryMb / 2)}M`],
            ...Object.entries(harmless).map(([name, value]) => `-D${name}=${value}`),
          ].join(" "),
        },
        ports: [{ inside: 9000, published: args.port }],
        healthcheck: { command: ["bash", "-c", healthScript] },
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}

/**
 * Kafdrop has no login, and by default lets the pages of any site that is open in the same browser read messages and
 * delete topics (kafdrop/config/CorsConfiguration.java, kafdrop/controller/TopicController.java). Topics are the
 * pipeline's: it shows them, no more.
 */
const harmless = {
  "cors.enabled": "false",
  "topic.deleteEnabled": "false",
  "topic.createEnabled": "false",
  "management.endpoints.web.exposure.include": "health",
};

/** The image has no HTTP client. */
const healthScript =
  'exec 3<>/dev/tcp/127.0.0.1/9000; printf "GET /actuator/health HTTP/1.0\\r\\n\\r\\n" >&3; grep -q UP <&3';
