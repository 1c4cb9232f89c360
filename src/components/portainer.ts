import * as pulumi from "@pulumi/pulumi";
import { dataVolume, type ServiceArgs, ServiceContainer } from "./container";
import { type Credentials, newPassword } from "./password";

export interface PortainerArgs extends ServiceArgs {
  /** Port of the HTTPS interface on the host. */
  readonly port: number;
}

/** Portainer: the engine's containers in the browser. It alone sees the engine's socket, which makes it root on the host. */
export class Portainer extends pulumi.ComponentResource {
  readonly admin: Credentials;

  constructor(name: string, args: PortainerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc:service:Portainer", name, {}, opts);
    const password = newPassword(`${name}-password`, { parent: this });
    const volume = dataVolume(`${name}-data`, "portainer", { parent: this });
    new ServiceContainer(
      `${name}-container`,
      args,
      {
        service: "portainer",
        command: [`--admin-password-file=${passwordFile}`],
        files: [{ path: passwordFile, content: password, mode: "0400" }],
        volumes: [{ volume, path: "/data" }],
        hostPaths: [{ host: "/var/run/docker.sock", path: "/var/run/docker.sock", readOnly: false }],
        ports: [{ inside: 9443, published: args.port }],
        healthcheck: {
          command: ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:9000/api/system/status"],
        },
      },
      { parent: this },
    );
    this.admin = { user: "admin", password };
    this.registerOutputs();
  }
}

const passwordFile = "/etc/cdc/portainer/admin-password";
