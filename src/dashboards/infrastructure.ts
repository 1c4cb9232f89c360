import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { board, labelChoice, type Section } from "./board";
import { above, atLeast, barPanel, statPanel, tablePanel, timePanel, words } from "./panels";
import { now, over, rows } from "./queries";
import { limits, none } from "./thresholds";

/** Whether the machine and the services on it have what they need. */
export function infrastructure(): Dashboard {
  return board({
    uid: "cdc-infrastructure",
    title: "Infrastructure Health",
    description: "The machine, the containers, and what each server says of itself",
    time: { from: "now-1h", to: "now" },
    refresh: "10s",
    variables: [
      labelChoice({
        name: "service",
        label: "Service",
        description: "Containers, by the service that runs in them",
        metric: "cdc_container_start_timestamp_seconds",
      }),
    ],
    sections: [targets, host, containers, postgres, kafka, jvm, clickhouse],
  });
}

const targets: Section = {
  title: "What Prometheus reaches",
  panels: [
    statPanel({
      title: "Targets down",
      description:
        "Targets that do not answer Prometheus. Bad: more than 0; what they would say is missing below.",
      queries: [now("cdc:targets_down:count")],
      unit: "short",
      thresholds: above(none),
      none: "unknown",
      background: true,
    }),
    statPanel({
      title: "Targets",
      description: "Each target that Prometheus scrapes. Bad: down.",
      queries: [now("max by (job) (up)", "{{job}}")],
      unit: "none",
      mappings: [words({ 0: ["down", "red"], 1: ["up", "green"] })],
      thresholds: atLeast(1),
      none: "no targets",
      width: 20,
    }),
  ],
};

/** The disks that the alerts watch. A device may be mounted at many places, single files of containers among them. */
const realDisks = 'fstype!~"tmpfs|ramfs"';

const host: Section = {
  title: "Machine",
  panels: [
    timePanel({
      title: "CPU in use",
      description:
        "Share of all cores that is not idle, and the load of a core. Bad: near 100 % for long; every stage gets slower.",
      queries: [
        over('1 - avg(rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))', "in use"),
        over('sum(node_load1) / count(node_cpu_seconds_total{mode="idle"})', "load of a core"),
      ],
      unit: "percentunit",
      limit: limits.hostCpu,
    }),
    timePanel({
      title: "Memory in use",
      description:
        "Share of the machine's memory that cannot be had for something else. Bad: near 100 %; the kernel then ends " +
        "processes.",
      queries: [over("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "in use")],
      unit: "percentunit",
      max: 1,
      limit: limits.hostMemoryUsed,
    }),
    timePanel({
      title: "Disk in use",
      description:
        "Share of each disk that is full. Bad: near 100 %; Postgres, Kafka and ClickHouse all stop when it is full.",
      queries: [
        over(
          `1 - min by (device) (node_filesystem_avail_bytes{${realDisks}} / (node_filesystem_size_bytes{${realDisks}} > 0) unless node_filesystem_readonly == 1)`,
          "{{device}}",
        ),
      ],
      unit: "percentunit",
      max: 1,
      limit: limits.diskUsed,
    }),
    timePanel({
      title: "Disk traffic",
      description: "Bytes a second that are read and written. Bad: as much as the disk can do, for long.",
      queries: [
        over("sum by (device) (rate(node_disk_read_bytes_total[$__rate_interval]))", "read {{device}}"),
        over("sum by (device) (rate(node_disk_written_bytes_total[$__rate_interval]))", "written {{device}}"),
      ],
      unit: "Bps",
    }),
    timePanel({
      title: "Disk busy",
      description:
        "Share of the time that a disk works. Bad: 100 % for long; commits in Postgres wait for it.",
      queries: [
        over("max by (device) (rate(node_disk_io_time_seconds_total[$__rate_interval]))", "{{device}}"),
      ],
      unit: "percentunit",
      max: 1,
    }),
    timePanel({
      title: "Network traffic",
      description:
        "Bytes a second through the host's network devices. Bad: a device at what it can do, for long.",
      queries: [
        over(
          'sum by (device) (rate(cdc_host_network_receive_bytes_total{device!~"br-.*|docker.*|ifb.*"}[$__rate_interval]))',
          "in {{device}}",
        ),
        over(
          'sum by (device) (rate(cdc_host_network_transmit_bytes_total{device!~"br-.*|docker.*|ifb.*"}[$__rate_interval]))',
          "out {{device}}",
        ),
      ],
      unit: "Bps",
    }),
  ],
};

const containers: Section = {
  title: "Containers",
  panels: [
    timePanel({
      title: "CPU of each container",
      description: "Cores in use, over the last minute. Bad: one takes all that the machine has, for long.",
      queries: [over('cdc:container_cpu:rate1m{service=~"$service"}', "{{service}}")],
      unit: "short",
      decimals: 2,
      stacked: true,
      width: 12,
    }),
    timePanel({
      title: "Memory of each container, of its limit",
      description:
        "Memory in use without page cache that can be taken back, as a share of the container's limit. Bad: near " +
        "100 %; the kernel then ends processes of it.",
      queries: [over('cdc:container_memory:ratio{service=~"$service"}', "{{service}}")],
      unit: "percentunit",
      limit: limits.containerMemory,
      width: 12,
    }),
    tablePanel({
      title: "Containers",
      description:
        "Each container now, and what happened to it in this time range. Bad: a red number. A restart by npm run up " +
        "counts, too.",
      queries: [
        rows('max by (service) (cdc:container_cpu:rate1m{service=~"$service"})'),
        rows('max by (service) (cdc_container_memory_bytes{service=~"$service"})'),
        rows('max by (service) (cdc_container_memory_limit_bytes{service=~"$service"})'),
        rows('max by (service) (cdc:container_memory:ratio{service=~"$service"})'),
        rows('time() - max by (service) (cdc_container_start_timestamp_seconds{service=~"$service"})'),
        rows(
          'max by (service) (changes(cdc_container_start_timestamp_seconds{service=~"$service"}[$__range]))',
        ),
        rows('sum by (service) (increase(cdc_container_oom_kills_total{service=~"$service"}[$__range]))'),
      ],
      unit: "short",
      columns: {
        service: { title: "service" },
        "Value #A": { title: "cores", decimals: 2 },
        "Value #B": { title: "memory", unit: "bytes" },
        "Value #C": { title: "limit", unit: "bytes" },
        "Value #D": {
          title: "of its limit",
          unit: "percentunit",
          decimals: 0,
          thresholds: above(limits.containerMemory),
        },
        "Value #E": { title: "runs for", unit: "s" },
        "Value #F": { title: "restarts", decimals: 0, thresholds: above(limits.restarts) },
        "Value #G": { title: "killed for memory", decimals: 0, thresholds: above(none) },
      },
      hidden: ["Time"],
      width: 24,
      height: 10,
    }),
  ],
};

const postgres: Section = {
  title: "Postgres",
  panels: [
    timePanel({
      title: "Connections by state",
      description:
        "Connections in each state. Bad: many idle in transaction; they hold back vacuum and the slot's catalog_xmin.",
      queries: [over('sum by (state) (pg_stat_activity_count{state!=""})', "{{state}}")],
      unit: "short",
      decimals: 0,
      stacked: true,
      width: 6,
    }),
    statPanel({
      title: "Connections, of max_connections",
      description:
        "Share of the connections that Postgres allows. Bad: near 100 %; it then refuses new ones.",
      queries: [now("sum(pg_stat_activity_count) / max(pg_settings_max_connections)")],
      unit: "percentunit",
      decimals: 0,
      thresholds: above(limits.connections),
      none: "unknown",
      height: 7,
      width: 3,
    }),
    statPanel({
      title: "Longest transaction",
      description:
        "Age of the oldest open transaction. Bad: hours; Debezium's snapshot waits for it, and vacuum cleans nothing up.",
      queries: [now("max(pg_stat_activity_max_tx_duration)")],
      unit: "s",
      decimals: 0,
      none: "unknown",
      height: 7,
      width: 3,
    }),
    timePanel({
      title: "Transactions",
      description: "Transactions a second, all databases. Bad: rollbacks that are more than a few.",
      queries: [
        over("sum(rate(pg_stat_database_xact_commit[$__rate_interval]))", "committed"),
        over("sum(rate(pg_stat_database_xact_rollback[$__rate_interval]))", "rolled back"),
      ],
      unit: "ops",
      width: 6,
    }),
    timePanel({
      title: "Rows written",
      description:
        "Rows a second that are inserted, updated and deleted, all databases: what there is to capture.",
      queries: [
        over("sum(rate(pg_stat_database_tup_inserted[$__rate_interval]))", "inserted"),
        over("sum(rate(pg_stat_database_tup_updated[$__rate_interval]))", "updated"),
        over("sum(rate(pg_stat_database_tup_deleted[$__rate_interval]))", "deleted"),
      ],
      unit: "ops",
      width: 6,
    }),
    timePanel({
      title: "Cache hit ratio",
      description:
        "Share of the blocks that were in Postgres's own cache. Bad: below 90 % for long; the cache is too small.",
      queries: [
        over(
          "sum(rate(pg_stat_database_blks_hit[$__rate_interval])) / (sum(rate(pg_stat_database_blks_hit[$__rate_interval])) + sum(rate(pg_stat_database_blks_read[$__rate_interval])) > 0)",
          "hits",
        ),
      ],
      unit: "percentunit",
      max: 1,
    }),
    timePanel({
      title: "Size of databases",
      description: "Bytes on disk of each database, without WAL. Bad: growth that nobody can explain.",
      queries: [over("pg_database_size_bytes", "{{datname}}")],
      unit: "bytes",
    }),
    timePanel({
      title: "Deadlocks and temporary files",
      description:
        "Deadlocks a second, and bytes a second that sorting and joining wrote to disk. Bad: deadlocks at all; much of the latter.",
      queries: [
        over("sum(rate(pg_stat_database_deadlocks[$__rate_interval]))", "deadlocks"),
        over("sum(rate(pg_stat_database_temp_bytes[$__rate_interval]))", "temporary bytes"),
      ],
      unit: "short",
    }),
  ],
};

const kafka: Section = {
  title: "Kafka",
  panels: [
    statPanel({
      title: "Topics",
      description:
        "Topics in the cluster, Kafka's own and Connect's included. Bad: it jumps without a new table.",
      queries: [now("max(kafka_controller_kafkacontroller_globaltopiccount)")],
      unit: "short",
      none: "unknown",
    }),
    statPanel({
      title: "Partitions",
      description: "Partitions in the cluster. Bad: thousands on one broker.",
      queries: [now("max(kafka_controller_kafkacontroller_globalpartitioncount)")],
      unit: "short",
      none: "unknown",
    }),
    statPanel({
      title: "Controllers",
      description: "Active controllers. Bad: any number but 1; topics can then not be made or changed.",
      queries: [now("sum(kafka_controller_kafkacontroller_activecontrollercount)")],
      unit: "short",
      thresholds: atLeast(1),
      none: "unknown",
    }),
    statPanel({
      title: "Offline partitions",
      description: "Partitions without a leader. Bad: more than 0; they can neither be written nor read.",
      queries: [now("max(kafka_controller_kafkacontroller_offlinepartitionscount)")],
      unit: "short",
      thresholds: above(none),
      none: "unknown",
    }),
    statPanel({
      title: "Under-replicated partitions",
      description: "Partitions that have fewer replicas than they should. Bad: more than 0.",
      queries: [now("sum(kafka_server_replicamanager_underreplicatedpartitions)")],
      unit: "short",
      thresholds: above(none),
      none: "unknown",
    }),
    statPanel({
      title: "Failed produce requests",
      description: "Requests to write that failed in this time range, all topics. Bad: more than 0.",
      queries: [
        now('sum(increase(kafka_server_brokertopicmetrics_failedproducerequests_total{topic=""}[$__range]))'),
      ],
      unit: "short",
      decimals: 0,
      thresholds: above(none),
      none: "unknown",
    }),
    timePanel({
      title: "Bytes in and out",
      description:
        "Bytes a second into and out of the broker, all topics. Bad: out stays below in; nobody reads it all.",
      queries: [
        over('sum(rate(kafka_server_brokertopicmetrics_bytesin_total{topic=""}[$__rate_interval]))', "in"),
        over('sum(rate(kafka_server_brokertopicmetrics_bytesout_total{topic=""}[$__rate_interval]))', "out"),
      ],
      unit: "Bps",
    }),
    timePanel({
      title: "Request latency p99",
      description:
        "99 of 100 requests took less. Bad: Produce grows; the disk is too slow. FetchConsumer includes the wait for " +
        "something to fetch: up to the consumer's own limit when all is quiet.",
      queries: [
        over('max by (request) (kafka_network_requestmetrics_totaltimems{quantile="0.99"})', "{{request}}"),
      ],
      unit: "ms",
    }),
    timePanel({
      title: "Size of topics",
      description: "Bytes on disk by topic. Bad: growth past what the retention time allows.",
      queries: [over("sum by (topic) (kafka_log_log_size)", "{{topic}}")],
      unit: "bytes",
      stacked: true,
    }),
  ],
};

const jvm: Section = {
  title: "Java: Kafka and Connect",
  panels: [
    timePanel({
      title: "Heap in use",
      description:
        "Share of its maximum. Ups and downs are the garbage collector at work. Bad: the low points climb towards 100 %.",
      queries: [
        over(
          'sum by (job) (jvm_memory_used_bytes{area="heap"}) / sum by (job) (jvm_memory_max_bytes{area="heap"})',
          "{{job}}",
        ),
      ],
      unit: "percentunit",
      max: 1,
      limit: limits.heap,
    }),
    timePanel({
      title: "Time in garbage collection",
      description:
        "Share of the time that is spent on it. Bad: more than a tenth for long; the heap is too small.",
      queries: [
        over("sum by (job, gc) (rate(jvm_gc_collection_seconds_sum[$__rate_interval]))", "{{job}} {{gc}}"),
      ],
      unit: "percentunit",
    }),
    timePanel({
      title: "CPU of the Java processes",
      description: "Cores in use by each. Bad: as many as the machine has, for long.",
      queries: [
        over(
          'sum by (job) (rate(process_cpu_seconds_total{job=~"kafka|connect"}[$__rate_interval]))',
          "{{job}}",
        ),
      ],
      unit: "short",
      decimals: 2,
    }),
  ],
};

const clickhouse: Section = {
  title: "ClickHouse",
  panels: [
    timePanel({
      title: "Queries",
      description:
        "Queries a second by kind, and those that failed. Inserts by the Kafka tables are not among them. Bad: failures that stay.",
      queries: [
        over("rate(ClickHouseProfileEvents_SelectQuery[$__rate_interval])", "select"),
        over("rate(ClickHouseProfileEvents_InsertQuery[$__rate_interval])", "insert"),
        // ClickHouse counts what has not happened yet nowhere; while it is away, nothing is known.
        over(
          "sum(rate(ClickHouseProfileEvents_FailedQuery[$__rate_interval])) or 0 * max(clickhouse_up == 1)",
          "failed",
        ),
      ],
      unit: "ops",
      width: 6,
    }),
    timePanel({
      title: "Rows inserted and merged",
      description:
        "Rows a second written into tables and rewritten by merges. A change is several rows: log, current table, " +
        "and merges later. Bad: inserted falls to 0 while Kafka has events.",
      queries: [
        over("rate(ClickHouseProfileEvents_InsertedRows[$__rate_interval])", "inserted"),
        over("rate(ClickHouseProfileEvents_MergedRows[$__rate_interval])", "merged"),
      ],
      unit: "rowsps",
      width: 6,
    }),
    timePanel({
      title: "Merges and queries at work",
      description:
        "Merges and queries that run at this moment. Bad: merges never come down to 0 while parts grow.",
      queries: [over("ClickHouseMetrics_Merge", "merges"), over("ClickHouseMetrics_Query", "queries")],
      unit: "short",
      decimals: 0,
      width: 6,
    }),
    timePanel({
      title: "Memory",
      description:
        "What queries and tables have allocated, and what the process holds. Bad: near the container's limit; queries then fail.",
      queries: [
        over("ClickHouseMetrics_MemoryTracking", "allocated"),
        over("ClickHouseAsyncMetrics_MemoryResident", "resident"),
      ],
      unit: "bytes",
      width: 6,
    }),
    timePanel({
      title: "Parts of each table",
      description:
        "Active parts. Bad: it climbs; merges do not keep up, and ClickHouse slows inserts down in the end.",
      queries: [over("max by (database, table) (clickhouse_table_parts)", "{{database}}.{{table}}")],
      unit: "short",
      decimals: 0,
      limit: limits.parts,
      width: 12,
    }),
    barPanel({
      title: "Compression of each table",
      description:
        "Bytes without compression to bytes with it. Bad: near 1 for a large table; its codecs do nothing.",
      queries: [now("cdc:compression:ratio", "{{database}}.{{table}}")],
      unit: "suffix:×",
      decimals: 1,
      width: 12,
    }),
    tablePanel({
      title: "Tables",
      description:
        "What each table holds. Rows count all versions that merges have not removed yet. Bad: many parts, or a size " +
        "that nobody can explain.",
      queries: [
        rows("max by (database, table) (clickhouse_table_rows)"),
        rows("max by (database, table) (clickhouse_table_parts)"),
        rows("max by (database, table) (clickhouse_table_bytes_on_disk)"),
        rows("max by (database, table) (clickhouse_table_uncompressed_bytes)"),
        rows("max by (database, table) (cdc:compression:ratio)"),
      ],
      unit: "short",
      columns: {
        database: { title: "database" },
        table: { title: "table" },
        "Value #A": { title: "rows", unit: "locale" },
        "Value #B": { title: "parts", decimals: 0, thresholds: above(limits.parts) },
        "Value #C": { title: "on disk", unit: "bytes" },
        "Value #D": { title: "without compression", unit: "bytes" },
        "Value #E": { title: "ratio", unit: "suffix:×", decimals: 1 },
      },
      hidden: ["Time"],
      sortBy: "rows",
      width: 24,
      height: 9,
    }),
  ],
};
