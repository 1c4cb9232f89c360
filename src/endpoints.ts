import type { CdcConfig, PublishedPort } from "./config";
import type { ServiceName } from "./images";

/** URL of each service, as the machine that runs Pulumi reaches it. */
export type Endpoints = Readonly<Partial<Record<PublishedPort, string>>>;

/** Where the published ports are, as the machine that runs Pulumi reaches them. */
export interface Addresses {
  readonly postgres: { readonly host: string; readonly port: number };
  /** `host:port` under which the broker says that it can be reached. */
  readonly kafka: string;
  readonly connect: string;
  readonly clickhouse: string;
}

export function addressesOf(config: CdcConfig): Addresses {
  const { ports } = config;
  const host = reachable(config.bindAddress);
  const http = (port: number) => `http://${inUrl(host)}:${port}`;
  return {
    postgres: { host, port: ports.postgres },
    kafka: `${inUrl(advertisedHost(config))}:${ports.kafka}`,
    connect: http(ports.connect),
    clickhouse: http(ports.clickhouse),
  };
}

/** The host name by which the broker sends its clients outside of the network to itself. */
export function advertisedHost({ bindAddress, kafka }: CdcConfig): string {
  if (kafka.advertisedHost) return kafka.advertisedHost;
  const host = reachable(bindAddress);
  return host === "127.0.0.1" || host === "::1" ? "localhost" : host;
}

/** The URLs of the services that are on. */
export function endpointsOf(config: CdcConfig, services: readonly ServiceName[]): Endpoints {
  const { postgres, kafka, connect, clickhouse } = addressesOf(config);
  const host = inUrl(reachable(config.bindAddress));
  const own: Endpoints = {
    postgres: `postgresql://${inUrl(postgres.host)}:${postgres.port}/${config.postgres.database}`,
    kafka,
    connect,
    clickhouse,
    portainer: `https://${host}:${config.ports.portainer}`,
  };
  const urls = services
    .filter((service) => service !== "cdc-agent")
    .map((service) => [service, own[service] ?? `http://${host}:${config.ports[service]}`] as const);
  return { ...Object.fromEntries(urls), "clickhouse-tcp": `${host}:${config.ports["clickhouse-tcp"]}` };
}

/** Ports that are published on all addresses are also on the loopback one. */
function reachable(bindAddress: string): string {
  if (bindAddress === "0.0.0.0") return "127.0.0.1";
  return bindAddress === "::" ? "::1" : bindAddress;
}

function inUrl(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
