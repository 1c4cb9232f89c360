-- The far end of the pipeline's heartbeat: each change of cdc.heartbeat in Postgres becomes a row here, with the times
-- at which it was written, committed, read by Debezium, sent to Kafka and inserted here. That a new row arrives proves
-- that the pipeline flows; where its time went says which part is slow.

CREATE TABLE `{{database}}`.`heartbeat`
(
    `id` Int32,
    `beat_at` DateTime64(6, 'UTC'),
    `committed_at` DateTime64(6, 'UTC'),
    `read_at` DateTime64(6, 'UTC'),
    `sent_at` DateTime64(6, 'UTC'),
    `arrived_at` DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = MergeTree
ORDER BY `beat_at`
TTL toDateTime(`arrived_at`) + INTERVAL 7 DAY;

CREATE TABLE `{{database}}`.`heartbeat_queue`
(
    `raw_data` String
)
ENGINE = Kafka
SETTINGS kafka_broker_list = {{brokers}},
         kafka_topic_list = {{topic}},
         kafka_group_name = {{consumerGroup}},
         kafka_format = 'JSONAsString',
         kafka_handle_error_mode = 'stream',
         kafka_num_consumers = 1,
         kafka_thread_per_consumer = 1,
         kafka_flush_interval_ms = 100,
         kafka_poll_timeout_ms = 20,
         kafka_consumer_reschedule_ms = 20;

CREATE MATERIALIZED VIEW `{{database}}`.`heartbeat_mv` TO `{{database}}`.`heartbeat` AS
SELECT
    _event.after.id AS `id`,
    parseDateTime64BestEffortOrZero(_event.after.beat_at, 6, 'UTC') AS `beat_at`,
    fromUnixTimestamp64Micro(_event.source.ts_us, 'UTC') AS `committed_at`,
    fromUnixTimestamp64Micro(_event.ts_us, 'UTC') AS `read_at`,
    _sent_at AS `sent_at`
FROM
(
    SELECT
        JSONExtract(raw_data,
            'Tuple(op String, ts_us Int64, after Tuple(id Int32, beat_at String), source Tuple(ts_us Int64))') AS _event,
        toDateTime64(ifNull(_timestamp_ms, 0), 6, 'UTC') AS _sent_at
    FROM `{{database}}`.`heartbeat_queue`
)
WHERE _event.op IN ('c', 'u', 'r');
