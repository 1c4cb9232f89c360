import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

export interface NetworkArgs {
  /** Name of the Docker network. */
  readonly name: string;
}

/** The bridge network on which the services reach each other by their names. */
export class Network extends pulumi.ComponentResource {
  readonly network: docker.Network;

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("cdc:service:Network", name, {}, opts);
    this.network = new docker.Network(
      `${name}-bridge`,
      { name: args.name, driver: "bridge" },
      { parent: this, deleteBeforeReplace: true },
    );
    this.registerOutputs({ name: this.network.name });
  }
}
