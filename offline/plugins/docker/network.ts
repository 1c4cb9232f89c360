import type Docker from "dockerode";
import type { NetworkCreateOptions } from "dockerode";
import type { Kind } from "../provider/kind";
import { bool, map, object, type Properties, set, string, type Values } from "../provider/schema";
import { asking, askingFor, type Engine, labels, removeWhenFree } from "./engine";
import { type Existing, makeNamed } from "./unfinished";

// Traits and behaviour: resource_docker_network.go and resource_docker_network_funcs.go of terraform-provider-docker.
const properties: Properties = {
  attachable: bool({ forceNew: true }),
  driver: string({ forceNew: true, computed: true }),
  ingress: bool({ forceNew: true }),
  internal: bool({ forceNew: true, computed: true }),
  ipamConfigs: set(
    object({
      auxAddress: map({ forceNew: true }),
      gateway: string({ forceNew: true }),
      ipRange: string({ forceNew: true }),
      subnet: string({ forceNew: true }),
    }),
    { forceNew: true, computed: true },
  ),
  ipamDriver: string({ forceNew: true, default: "default" }),
  ipamOptions: map({ forceNew: true }),
  ipv6: bool({ forceNew: true }),
  labels: set(labels.property, { forceNew: true }),
  name: string({ forceNew: true }),
  options: map({ forceNew: true, computed: true }),
  scope: string({ output: true }),
};

export const network: Kind<Engine> = {
  properties,
  autonamed: true,
  schemaVersion: "1",

  async create({ service: { docker, unfinished }, urn }, inputs) {
    const name = inputs.name as string;
    const id = await makeNamed(unfinished, {
      urn,
      find: () => existing(docker, name),
      remove: (rest) => docker.getNetwork(rest).remove(),
      make: async () =>
        (await asking(`create network "${name}"`, () => docker.createNetwork(options(inputs)))).id,
    });
    unfinished.told(urn);
    return { id };
  },

  async read({ service: { docker } }, id) {
    const found = await askingFor(`inspect network ${id}`, () => docker.getNetwork(id).inspect());
    if (found === undefined) return undefined;
    return { id: found.Id, state: stateOf(found) };
  },

  async delete({ service: { docker }, signal }, id) {
    await removeWhenFree(
      `network ${id}`,
      () => docker.getNetwork(id).remove(),
      /has active endpoints/i,
      signal,
    );
  },
};

async function existing(docker: Docker, name: string): Promise<Existing | undefined> {
  // Asked by name, the engine may also answer with a network whose id begins so.
  const found = await askingFor(`inspect network ${name}`, () => docker.getNetwork(name).inspect());
  if (found?.Name !== name) return undefined;
  const unused = Object.keys(found.Containers ?? {}).length === 0;
  return { id: found.Id, created: Date.parse(found.Created), unused };
}

function options(inputs: Values): NetworkCreateOptions {
  const ipam = (inputs.ipamConfigs ?? []) as Values[];
  return {
    Name: inputs.name as string,
    CheckDuplicate: true,
    Driver: inputs.driver as string | undefined,
    Internal: inputs.internal as boolean | undefined,
    Attachable: inputs.attachable as boolean | undefined,
    Ingress: inputs.ingress as boolean | undefined,
    EnableIPv6: inputs.ipv6 as boolean | undefined,
    Options: inputs.options as Record<string, string> | undefined,
    Labels: labels.toEngine(inputs.labels),
    IPAM: {
      Driver: inputs.ipamDriver as string,
      Config: ipam.map(({ subnet, ipRange, gateway, auxAddress }) => ({
        Subnet: subnet,
        IPRange: ipRange,
        Gateway: gateway,
        AuxiliaryAddresses: auxAddress,
      })) as never,
      Options: inputs.ipamOptions as Record<string, string> | undefined,
    },
  };
}

interface IpamConfig {
  readonly Subnet?: string;
  readonly IPRange?: string;
  readonly Gateway?: string;
  readonly AuxiliaryAddresses?: Readonly<Record<string, string>>;
}

// biome-ignore lint/suspicious/noExplicitAny: the engine's answer has fields that its typings lack
function stateOf(found: any): Values {
  const ipam = (found.IPAM?.Config ?? []) as IpamConfig[];
  return {
    attachable: found.Attachable,
    driver: found.Driver,
    ingress: found.Ingress,
    internal: found.Internal,
    ipamConfigs: ipam.map((config) => ({
      subnet: config.Subnet || undefined,
      ipRange: config.IPRange || undefined,
      gateway: config.Gateway || undefined,
      auxAddress: config.AuxiliaryAddresses,
    })),
    ipamDriver: found.IPAM?.Driver,
    ipamOptions: found.IPAM?.Options ?? {},
    ipv6: found.EnableIPv6,
    labels: labels.fromEngine(found.Labels),
    name: found.Name,
    options: found.Options ?? {},
    scope: found.Scope,
  };
}
