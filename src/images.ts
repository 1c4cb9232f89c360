import { readIfThere } from "./lib/files";
import { inState } from "./lib/paths";
import { messageOf } from "./lib/retry";

/** The services of the stack, in the order in which the data flows; each is also a container and host name. */
export const serviceNames = [
  "postgres",
  "kafka",
  "connect",
  "clickhouse",
  "node-exporter",
  "postgres-exporter",
  "kafka-exporter",
  "clickhouse-exporter",
  "cdc-agent",
  "prometheus",
  "alertmanager",
  "grafana",
  "kafdrop",
  "portainer",
] as const;

export type ServiceName = (typeof serviceNames)[number];

/**
 * The official image of each service, pinned. What was checked about each, and where, is in offline/README.md; where a
 * digest was seen published, it is part of the reference and the engine checks it.
 */
export const officialImages: Readonly<Record<ServiceName, string>> = {
  postgres: "docker.io/library/postgres:16.15-bookworm",
  kafka:
    "docker.io/apache/kafka:4.3.1@sha256:77e3df9054047a88b520d0cc46e16696d3b22022e1d580aeccd2632df6532837",
  connect: "quay.io/debezium/connect:3.6.3.Final",
  clickhouse:
    "docker.io/clickhouse/clickhouse-server:26.3.33.24@sha256:810861a2e2d0188744f5f23b2d3ec9ff95812bcb9ddbb8fed13a377a7f305893",
  "node-exporter":
    "quay.io/prometheus/node-exporter:v1.12.1@sha256:8c9bac11973b94b59be88d6e11fee4429aa743c8846cdc75d65b18db33f6a106",
  "postgres-exporter": "quay.io/prometheuscommunity/postgres-exporter:v0.19.1",
  "kafka-exporter": "docker.io/danielqsj/kafka-exporter:v1.10.0",
  "clickhouse-exporter": "docker.io/library/node:22.23.2-bookworm-slim",
  "cdc-agent": "docker.io/library/node:22.23.2-bookworm-slim",
  prometheus: "docker.io/prom/prometheus:v3.13.5",
  alertmanager: "docker.io/prom/alertmanager:v0.34.1",
  grafana:
    "docker.io/grafana/grafana:13.2.2@sha256:ac461fb352abc50da10a51c7d02462e9c05488f11f53f14b3ad79a8145f638a0",
  kafdrop: "docker.io/obsidiandynamics/kafdrop:4.2.0",
  portainer:
    "docker.io/portainer/portainer-ce:2.45.3-alpine@sha256:3d2e116d0aab38f13ee2b893e4fd931e69a09574eee0b597711a68d76754cce1",
};

/** A file of this machine that goes into a container. */
export interface LocalFile {
  /** Absolute. */
  readonly path: string;
  /** Of its content, hexadecimal. */
  readonly sha256: string;
}

/** Where the JMX exporter of a service comes from. */
export type JmxExporter = "in the image" | LocalFile;

export type ImageMode = "registry" | "local";

/** Which image each service runs on, as the bring-up has found it and noted it in the state folder. */
export interface ResolvedImages {
  /** Official images from their registries, or images that were built here from packages. */
  readonly mode: ImageMode;
  readonly images: Readonly<Partial<Record<ServiceName, string>>>;
  /** Wanted services that have no image in this mode: they are left out of the stack. */
  readonly missing: readonly ServiceName[];
  /** Why this mode, a clause for the user. */
  readonly why: string;
  /** Where the JMX exporter is on this machine; absent where the images hold it, or where it can't be had. */
  readonly jmxExporter?: LocalFile;
}

/** Where the bring-up notes the images for the Pulumi program. */
export function imagesFile(): string {
  return inState("images.json");
}

/**
 * The images that the bring-up has chosen; undefined when it has not run yet.
 * @throws Error where the note is there and says nothing: to take that for "not run yet" would mean other images, and
 * replace every container.
 */
export function readResolvedImages(): ResolvedImages | undefined {
  const file = imagesFile();
  const text = readIfThere(file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(
      `${file}, which says which images the stack runs on, is not JSON (${messageOf(error)}). Take it away, then run ` +
        `npm run up, which chooses the images anew: rm ${file}`,
    );
  }
}
