// The tables through which the pipeline watches and steers itself: sql/postgres/cdc.sql and sql/clickhouse/heartbeat.sql
// make them.

/** In Postgres, and in ClickHouse, where each of its changes becomes a row. */
export const heartbeatTable = { source: "cdc.heartbeat", target: "heartbeat" } as const;

/** Debezium's signalling table. */
export const signalTable = "cdc.signal";

/** Debezium writes heartbeats of its own, too, to a topic whose name begins with this. */
export const heartbeatTopicPrefix = "__debezium-heartbeat";
