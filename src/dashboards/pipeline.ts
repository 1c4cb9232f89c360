import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { board, labelChoice, type Section } from "./board";
import { above, atLeast, barPanel, statePanel, statPanel, tablePanel, timePanel, words } from "./panels";
import { now, over, rows } from "./queries";
import { limits, none } from "./thresholds";

/** Whether rows flow from Postgres to ClickHouse: the verdict first, then each stage in the order of the flow. */
export function pipeline(): Dashboard {
  return board({
    uid: "cdc-pipeline",
    title: "CDC Pipeline Status",
    description:
      "Is it healthy, how late is it, is anything lost; then each stage from Postgres to ClickHouse",
    time: { from: "now-30m", to: "now" },
    refresh: "10s",
    variables: [
      labelChoice({
        name: "table",
        label: "Table",
        description: "Captured tables, by their name in Postgres",
        metric: "cdc_table_source_rows",
      }),
      labelChoice({
        name: "topic",
        label: "Topic",
        description: "Topics of the pipeline",
        metric: "cdc:topic_events:rate1m",
      }),
    ],
    sections: [verdict, slot, connector, kafka, clickhouse, latency, correctness],
  });
}

const yesNo = words({ 0: ["no", "red"], 1: ["yes", "green"] });

const verdict: Section = {
  title: "Is it healthy, how late is it, is anything lost?",
  panels: [
    statPanel({
      title: "Healthy",
      description:
        "Yes while canaries arrive, connector and tasks run, the slot is read, and nothing is lost or different. " +
        "Bad: no. The tiles beside it and the rows below show which part it is. Unknown: Prometheus has no rules.",
      queries: [now("cdc:healthy:bool")],
      unit: "none",
      mappings: [yesNo],
      thresholds: atLeast(1),
      none: "unknown",
      background: true,
    }),
    statPanel({
      title: "Latency p99",
      description:
        "From a canary's commit in Postgres until a query in ClickHouse sees it: 99 of 100 are faster than this, over " +
        `the last minute. Bad: ${limits.latencySeconds.limit} s and more, which is more than the pipeline promises.`,
      queries: [now("cdc:latency_seconds:p99")],
      unit: "s",
      thresholds: above(limits.latencySeconds),
      none: "no canary",
    }),
    statPanel({
      title: "Oldest canary on its way",
      description:
        "Age of the oldest canary that has not arrived; 0 when none is on its way. Bad: it grows, so nothing arrives " +
        "any more; the latency beside it does not show this, for it counts only what arrived.",
      queries: [now("max(cdc_canary_waiting_seconds)")],
      unit: "s",
      thresholds: above(limits.canaryWaitingSeconds),
      none: "unknown",
    }),
    statPanel({
      title: "Events not readable",
      description:
        "Events in the tables T_errors of ClickHouse, all tables: kept, but missing in T. Bad: more than 0. " +
        "The column problem of T_errors says why.",
      queries: [now("cdc:errors_waiting:sum")],
      unit: "short",
      thresholds: above(none),
      none: "unknown",
    }),
    statPanel({
      title: "Rows that differ",
      description:
        "Rows that are not the same in Postgres and ClickHouse, all tables, by the last comparisons. Bad: more than 0.",
      queries: [now("cdc:rows_differing:sum")],
      unit: "short",
      thresholds: above(none),
      none: "unknown",
    }),
    statPanel({
      title: "WAL held back, of its limit",
      description:
        "WAL that Postgres keeps for the slot, as a share of max_slot_wal_keep_size. Bad: it nears 100 %, where " +
        "Postgres gives the slot up and a new snapshot is needed.",
      queries: [now("max(cdc:slot_wal_used:ratio)")],
      unit: "percentunit",
      decimals: 1,
      thresholds: above(limits.slotWalUsed),
      none: "no limit",
    }),
  ],
};

const slot: Section = {
  title: "Postgres: replication slot",
  panels: [
    statPanel({
      title: "Slot is there",
      description:
        "Whether the replication slot exists. Bad: no; without it changes are not kept for the connector.",
      queries: [now("cdc_slot_present", "{{slot}}")],
      unit: "none",
      mappings: [yesNo],
      thresholds: atLeast(1),
      none: "unknown",
      height: 7,
      width: 3,
    }),
    statPanel({
      title: "Slot is read",
      description:
        "Whether a connector reads the slot. Bad: no for longer than a restart takes; Postgres then keeps WAL.",
      queries: [now("cdc_slot_active", "{{slot}}")],
      unit: "none",
      mappings: [yesNo],
      thresholds: atLeast(1),
      none: "unknown",
      height: 7,
      width: 3,
    }),
    statPanel({
      title: "Slot was given up",
      description:
        "Whether Postgres removed WAL that the slot still needed. Bad: yes; changes are lost and a new snapshot is needed.",
      queries: [now("cdc_slot_lost", "{{slot}}")],
      unit: "none",
      mappings: [words({ 0: ["no", "green"], 1: ["yes", "red"] })],
      thresholds: above(none),
      none: "unknown",
      height: 7,
      width: 3,
    }),
    timePanel({
      title: "Slot lag in bytes",
      description:
        "WAL that the connector has not confirmed. Steps up and down are usual. Bad: it only grows; the connector is " +
        "slower than the writers or has stopped.",
      queries: [over("cdc_slot_lag_bytes", "{{slot}}")],
      unit: "bytes",
      limit: limits.slotLagBytes,
      width: 5,
    }),
    timePanel({
      title: "Lag behind Postgres in time",
      description:
        "How old the last event was when Debezium read it. Bad: it stays above " +
        `${limits.sourceLagSeconds.limit} s. No line: not known, as before the first event.`,
      queries: [over("cdc:source_lag_seconds:max", "lag")],
      unit: "s",
      limit: limits.sourceLagSeconds,
      width: 5,
    }),
    timePanel({
      title: "WAL kept for the slot, and its limit",
      description:
        "WAL that Postgres keeps for the slot, against max_slot_wal_keep_size. Bad: the lines meet; the slot is lost there.",
      queries: [
        over("cdc_slot_retained_bytes", "kept for {{slot}}"),
        over("cdc_slot_limit_bytes", "limit of {{slot}}"),
      ],
      unit: "bytes",
      width: 5,
    }),
  ],
};

/** In the order of their numbers; what is wrong has the larger ones. */
const connectorStates = [
  ["RUNNING", "green"],
  ["RESTARTING", "yellow"],
  ["UNASSIGNED", "yellow"],
  ["PAUSED", "orange"],
  ["STOPPED", "orange"],
  ["FAILED", "red"],
  ["MISSING", "red"],
] as const;

const connector: Section = {
  title: "Debezium: connector, queue, snapshot",
  panels: [
    statePanel({
      title: "Connector state",
      description:
        "The connector's state over time. Bad: anything but RUNNING. PAUSED and STOPPED were somebody's wish; FAILED " +
        "and MISSING need a restart or another npm run up; no answer: Kafka Connect itself is away.",
      queries: [
        over(
          `max by (connector) (${connectorStates
            .map(([state], index) => `${index + 1} * cdc_connector_state{state="${state}"}`)
            .join(" or ")})`,
          "{{connector}}",
        ),
      ],
      unit: "none",
      mappings: [
        words({
          0: ["no answer", "red"],
          ...Object.fromEntries(connectorStates.map(([state, color], index) => [index + 1, [state, color]])),
        }),
      ],
    }),
    timePanel({
      title: "Tasks by state",
      description: "Tasks of the connector in each state. Bad: none in RUNNING, or one in FAILED.",
      queries: [over("sum by (state) (cdc_connector_tasks)", "{{state}}")],
      unit: "short",
      decimals: 0,
      stacked: true,
    }),
    timePanel({
      title: "Errors of the tasks",
      description: "Errors and retries of the connector's tasks a second. Bad: anything above 0 that stays.",
      queries: [
        over("sum(rate(kafka_connect_task_error_metrics_total_record_errors[$__rate_interval]))", "errors"),
        over("sum(rate(kafka_connect_task_error_metrics_total_retries[$__rate_interval]))", "retries"),
        over(
          "sum(rate(debezium_metrics_NumberOfErroneousEvents[$__rate_interval]))",
          "events Debezium could not read",
        ),
      ],
      unit: "ops",
    }),
    timePanel({
      title: "Debezium's lag",
      description:
        "How old the last event was when Debezium read it, while streaming and in a snapshot. Bad: it grows without " +
        "end. Before the first event there is none.",
      queries: [over("max by (context) (debezium_metrics_MilliSecondsBehindSource >= 0)", "{{context}}")],
      unit: "ms",
      width: 6,
    }),
    timePanel({
      title: "Debezium's queue",
      description:
        "How full the queue between reading from Postgres and sending to Kafka is. Bad: full for long; Kafka or the " +
        "worker is the bottleneck, and the slot's lag grows.",
      queries: [
        over(
          "1 - max by (context) (debezium_metrics_QueueRemainingCapacity) / max by (context) (debezium_metrics_QueueTotalCapacity)",
          "{{context}}",
        ),
      ],
      unit: "percentunit",
      max: 1,
      limit: limits.queueUsed,
      width: 6,
    }),
    timePanel({
      title: "Events read and handed on",
      description:
        "Events a second that Debezium read, and records that its task handed to Kafka. Bad: both at 0 while rows " +
        "change, or the first stays above the second.",
      queries: [
        over("sum(rate(debezium_metrics_TotalNumberOfEventsSeen[$__rate_interval]))", "read"),
        over(
          "sum(rate(kafka_connect_source_task_metrics_source_record_write_total[$__rate_interval]))",
          "handed on",
        ),
      ],
      unit: "ops",
      width: 6,
    }),
    statPanel({
      title: "Snapshot running",
      description:
        "Whether Debezium copies whole tables at this moment. Bad: yes when nobody asked for it, or for hours without " +
        "progress beside it.",
      queries: [now('max(debezium_metrics_SnapshotRunning{context="snapshot"})')],
      unit: "none",
      mappings: [words({ 0: ["no", "green"], 1: ["yes", "blue"] })],
      none: "none yet",
      width: 3,
      height: 7,
    }),
    statPanel({
      title: "Snapshot done",
      description:
        "Share of its tables that the last snapshot has read. Bad: below 100 % while none is running.",
      queries: [
        // Tables that are not snapshotted, as the signalling one, stay on the list of remaining ones.
        now(
          'max(debezium_metrics_SnapshotCompleted{context="snapshot"}) > 0 or ' +
            '1 - max(debezium_metrics_RemainingTableCount{context="snapshot"}) / max(debezium_metrics_TotalTableCount{context="snapshot"})',
        ),
      ],
      unit: "percentunit",
      none: "none yet",
      width: 3,
      height: 7,
    }),
  ],
};

const kafka: Section = {
  title: "Kafka: topics and consumers",
  panels: [
    timePanel({
      title: "Events into each topic",
      description:
        "Records a second into each topic of the pipeline, among them the marks that end Debezium's transactions: one " +
        "for each partition that a transaction wrote to. Bad: 0 while rows of the table change in Postgres; the " +
        "heartbeat's topic never rests.",
      queries: [over('cdc:topic_events:rate1m{topic=~"$topic"}', "{{topic}}")],
      unit: "ops",
      width: 12,
    }),
    timePanel({
      title: "Consumer lag",
      description:
        "Records in Kafka that ClickHouse has not taken. At rest it may be one for each partition, the mark that ends " +
        "a transaction. Bad: it does not come down again; ClickHouse is too slow or has stopped reading.",
      queries: [over('cdc:consumer_lag:sum{topic=~"$topic"}', "{{topic}}")],
      unit: "short",
      limit: limits.consumerLag,
      width: 12,
    }),
  ],
};

const clickhouse: Section = {
  title: "ClickHouse: rows in",
  panels: [
    timePanel({
      title: "Events taken by each Kafka table",
      description:
        "Events a second that each Kafka table of ClickHouse takes. Bad: less, for longer than a peak lasts, than " +
        "Debezium hands on (above); topics also count the marks that end transactions.",
      queries: [over("cdc:rows_in:rate1m", "{{table}}")],
      unit: "ops",
      width: 12,
    }),
    timePanel({
      title: "Errors of the consumers",
      description:
        "Errors that the Kafka tables' consumers remember, the last ten of each. Bad: more after a restart of Kafka " +
        "is over.",
      queries: [over("sum by (table) (clickhouse_kafka_recent_exceptions)", "{{table}}")],
      unit: "short",
      decimals: 0,
      width: 6,
    }),
    timePanel({
      title: "Partitions that are read",
      description:
        "Partitions that each Kafka table's consumers hold. Bad: less than the topic has, so a part of it is not read.",
      queries: [over("sum by (table) (clickhouse_kafka_assigned_partitions)", "{{table}}")],
      unit: "short",
      decimals: 0,
      width: 6,
    }),
  ],
};

const latency: Section = {
  title: "Latency, from commit to query",
  panels: [
    timePanel({
      title: "Latency of canaries",
      description: `Quantiles over the last minute. Bad: p99 above ${limits.latencySeconds.limit} s. A gap: no canary arrived.`,
      queries: [
        over("cdc:latency_seconds:p50", "p50"),
        over("cdc:latency_seconds:p95", "p95"),
        over("cdc:latency_seconds:p99", "p99"),
      ],
      unit: "s",
      limit: limits.latencySeconds,
      width: 9,
    }),
    timePanel({
      title: "Where the time goes",
      description:
        "Mean share of each stage: capture is commit to Debezium, publish is Debezium to Kafka, consume is Kafka to " +
        "ClickHouse, visible is ClickHouse to a query's answer. Bad: one of them grows while the others stay.",
      queries: [over("cdc:stage_seconds:mean", "{{stage}}")],
      unit: "s",
      stacked: true,
      width: 9,
    }),
    timePanel({
      title: "Canaries that have not arrived",
      description:
        "Written in Postgres and not seen in ClickHouse. One or two are on their way. Bad: it grows.",
      queries: [over("cdc:canary_missing:count", "not arrived")],
      unit: "short",
      decimals: 0,
      width: 6,
    }),
  ],
};

const correctness: Section = {
  title: "Correctness: is anything lost or different?",
  panels: [
    tablePanel({
      title: "Tables",
      description:
        "Each table: rows on either side when last compared, rows that differ, events that could not be read, and how " +
        "many comparisons since came to no result. Bad: a red number.",
      queries: [
        rows('max by (table) (cdc_table_source_rows{table=~"$table"})'),
        rows('max by (table) (cdc_table_target_rows{table=~"$table"})'),
        rows('max by (table) (cdc_table_rows_differing{table=~"$table"})'),
        rows('max by (table) (cdc_table_errors_waiting{table=~"$table"})'),
        rows('time() - max by (table) (cdc_table_compared_timestamp_seconds{table=~"$table"})'),
        rows('max by (table) (cdc_table_comparison_seconds{table=~"$table"})'),
        rows('max by (table) (cdc_table_comparisons_without_result{table=~"$table"})'),
      ],
      unit: "short",
      columns: {
        table: { title: "table" },
        "Value #A": { title: "rows in Postgres", unit: "locale" },
        "Value #B": { title: "rows in ClickHouse", unit: "locale" },
        "Value #C": { title: "differ", unit: "locale", thresholds: above(none) },
        "Value #D": { title: "not readable", unit: "locale", thresholds: above(none) },
        "Value #E": { title: "compared before", unit: "s" },
        "Value #F": { title: "took", unit: "s" },
        "Value #G": {
          title: "without result",
          unit: "locale",
          thresholds: above(limits.comparisonsWithoutResult),
        },
      },
      hidden: ["Time"],
      width: 16,
    }),
    barPanel({
      title: "Comparisons in this time range",
      description:
        "How comparisons ended. Bad: different or failed. Many unsettled: the tables change too fast to compare.",
      queries: [
        now(
          'sum by (result) (increase(cdc_table_comparisons_total{table=~"$table"}[$__range]))',
          "{{result}}",
        ),
      ],
      unit: "short",
      decimals: 0,
    }),
    timePanel({
      title: "Rows that differ",
      description:
        "Rows that are not the same on both sides, by table. Bad: above 0 for more than one comparison.",
      queries: [over('cdc_table_rows_differing{table=~"$table"}', "{{table}}")],
      unit: "short",
      decimals: 0,
      width: 6,
    }),
    timePanel({
      title: "Events that could not be read",
      description: "By table, waiting in T_errors. Bad: above 0.",
      queries: [over('cdc_table_errors_waiting{table=~"$table"}', "{{table}}")],
      unit: "short",
      decimals: 0,
      width: 6,
    }),
    timePanel({
      title: "Age of the last comparison",
      description:
        "By table; the larger a table, the rarer it is compared, for the agent compares a tenth of the time at most. " +
        "Bad: it grows and grows; a difference would not be known.",
      queries: [over('time() - cdc_table_compared_timestamp_seconds{table=~"$table"}', "{{table}}")],
      unit: "s",
      width: 6,
    }),
    statPanel({
      title: "What the agent could look at",
      description:
        "Whether the agent's last look at each thing worked. Bad: no; the numbers of that part are then missing or old.",
      queries: [now("cdc_agent_probe_success", "{{probe}}")],
      unit: "none",
      mappings: [yesNo],
      thresholds: atLeast(1),
      none: "no agent",
      width: 6,
      height: 7,
    }),
  ],
};
