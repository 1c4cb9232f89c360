import * as pulumi from "@pulumi/pulumi";
import { type ServiceArgs, ServiceContainer } from "./container";

export interface NodeExporterArgs extends ServiceArgs {
  /** Port on the host. */
  readonly port: number;
}

/** node_exporter: metrics of the host. */
export class NodeExporter extends pulumi.ComponentResource {
  constructor(name: string, args: NodeExporterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc:service:NodeExporter", name, {}, opts);
    new ServiceContainer(
      `${name}-container`,
      args,
      {
        service: "node-exporter",
        command: ["--path.rootfs=/host", "--path.procfs=/host/proc", "--path.sysfs=/host/sys"],
        hostPaths: [{ host: "/", path: "/host", readOnly: true }],
        ports: [{ inside: 9100, published: args.port }],
        healthcheck: { command: ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:9100/"] },
        readOnly: true,
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}
