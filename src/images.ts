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
  "prometheus",
  "grafana",
  "kafdrop",
  "portainer",
] as const;

export type ServiceName = (typeof serviceNames)[number];
