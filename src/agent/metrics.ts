import { Counter, Gauge, Histogram, Registry } from "prom-client";

export const probes = ["canary", "connector", "slot", "errors", "comparison", "containers"] as const;
export type ProbeName = (typeof probes)[number];

export const stages = ["capture", "publish", "consume", "visible"] as const;
export type Stage = (typeof stages)[number];

export const comparisonResults = ["equal", "different", "unsettled", "failed"] as const;
export type ComparisonResult = (typeof comparisonResults)[number];

/** Fine around the latencies that are aimed at (75 ms, 150 ms), coarse up to an outage of an hour. */
const latencyBuckets = [
  ...[0.025, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30],
  ...[60, 300, 900, 3600],
];
const stageBuckets = [0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2, 5, 10, 60];

export type AgentMetrics = ReturnType<typeof newMetrics>;

/** All metrics of the agent, as docs/metrics.md promises them, in a registry of their own. */
export function newMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge<Label>({ name, help, labelNames, registers });
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter<Label>({ name, help, labelNames, registers });
  return {
    registry,
    canaryLatency: new Histogram({
      name: "cdc_canary_latency_seconds",
      help: "From the canary's commit in Postgres until a query in ClickHouse sees it",
      buckets: latencyBuckets,
      registers,
    }),
    canaryStage: new Histogram({
      name: "cdc_canary_stage_seconds",
      help: "The share of each stage in the canary's latency",
      labelNames: ["stage"],
      buckets: stageBuckets,
      registers,
    }),
    canaryWritten: counter("cdc_canary_written_total", "Canaries committed in Postgres"),
    canaryArrived: counter("cdc_canary_arrived_total", "Canaries seen in ClickHouse"),
    canaryWaiting: gauge(
      "cdc_canary_waiting_seconds",
      "Age of the oldest canary that has not arrived; 0 when none is on its way",
    ),
    connectorState: gauge(
      "cdc_connector_state",
      "1 for the state that the connector is in; all 0 when Kafka Connect does not answer",
      "connector",
      "state",
    ),
    connectorTasks: gauge("cdc_connector_tasks", "Tasks in each state", "connector", "state"),
    slotPresent: gauge("cdc_slot_present", "Whether the replication slot exists", "slot"),
    slotActive: gauge("cdc_slot_active", "Whether the replication slot is being read", "slot"),
    slotLost: gauge("cdc_slot_lost", "Whether Postgres has given the replication slot up", "slot"),
    slotLag: gauge("cdc_slot_lag_bytes", "WAL that the connector has not confirmed", "slot"),
    slotRetained: gauge("cdc_slot_retained_bytes", "WAL that Postgres keeps for the slot", "slot"),
    slotLimit: gauge("cdc_slot_limit_bytes", "WAL that Postgres keeps for a slot at most", "slot"),
    errorsWaiting: gauge(
      "cdc_table_errors_waiting",
      "Events of the table that could not be read, in T_errors",
      "table",
    ),
    sourceRows: gauge("cdc_table_source_rows", "Rows compared, in Postgres", "table"),
    targetRows: gauge("cdc_table_target_rows", "Rows compared, in ClickHouse", "table"),
    rowsDiffering: gauge(
      "cdc_table_rows_differing",
      "0 when count and checksum agree; otherwise at least how many rows differ",
      "table",
    ),
    comparedAt: gauge(
      "cdc_table_compared_timestamp_seconds",
      "When the last comparison that came to a result ended",
      "table",
    ),
    comparisonSeconds: gauge("cdc_table_comparison_seconds", "How long the last comparison took", "table"),
    withoutResult: gauge(
      "cdc_table_comparisons_without_result",
      "Comparisons in a row that came to no result",
      "table",
    ),
    comparisons: counter("cdc_table_comparisons_total", "Comparisons by result", "table", "result"),
    probeSuccess: gauge("cdc_agent_probe_success", "Whether the agent's last look worked", "probe"),
    containerMemory: gauge(
      "cdc_container_memory_bytes",
      "Memory in use without reclaimable page cache",
      "service",
    ),
    containerMemoryLimit: gauge("cdc_container_memory_limit_bytes", "Memory limit", "service"),
    containerCpu: counter("cdc_container_cpu_seconds_total", "CPU time", "service"),
    containerStart: gauge(
      "cdc_container_start_timestamp_seconds",
      "When the container was started: each change is a restart",
      "service",
    ),
    hostReceived: counter(
      "cdc_host_network_receive_bytes_total",
      "Bytes that a network device of the host received",
      "device",
    ),
    hostTransmitted: counter(
      "cdc_host_network_transmit_bytes_total",
      "Bytes that a network device of the host sent",
      "device",
    ),
    containerOomKills: counter(
      "cdc_container_oom_kills_total",
      "Processes that the kernel killed for lack of memory",
      "service",
    ),
  };
}
