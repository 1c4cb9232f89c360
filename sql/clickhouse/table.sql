-- The objects of one captured table T in ClickHouse, in the order in which they are made. The words in double braces
-- are filled in by src/tables/objects.ts from Postgres's catalog; sql/clickhouse/demo.sql is what comes out of it for
-- the demo tables, ready to be read and run.
--
--   T_queue → T_events_mv → T_events ┬→ T_mv         → T_final    every change
--     Kafka     parses once   keeps  ├→ T_current_mv → T_current  the latest version of each row → view T
--                             nothing├→ T_bounds_mv  → T_bounds   truncates and ends of snapshots
--                                    └→ T_errors_mv  → T_errors   what could not be read
--
-- The Kafka engine commits its offsets after all of these have taken a block. When one fails, or the server dies, the
-- whole block comes again: every table here collapses a row that it has already.

-- The change log: every change, deletes and truncates included, in Postgres's order (_version) for each row. A message
-- that Kafka delivers again has the same order key and collapses; SELECT … FINAL does it at once.
CREATE TABLE `{{database}}`.`{{table}}_final`
(
    {{columns}},
    `operation` String CODEC(ZSTD(1)),
    `_synced_at` DateTime DEFAULT now() CODEC(Delta, ZSTD(1)),
    `_committed_at` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `_version` UInt128 CODEC(ZSTD(1)),
    `_generation` UInt32 CODEC(ZSTD(1)),
    `_partition` UInt32 CODEC(ZSTD(1)),
    `_offset` UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PRIMARY KEY ({{orderBy}})
ORDER BY ({{orderBy}}, `_version`, `_partition`, `_offset`);

-- The latest version of each row. A generation is one life of the connector, from its snapshot on: rows of an earlier
-- one say nothing about a Postgres that was snapshotted again, and LSNs of a restored Postgres may be lower.
CREATE TABLE `{{database}}`.`{{table}}_current`
(
    {{columns}},
    `_committed_at` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `_version` UInt128 CODEC(ZSTD(1)),
    `_generation` UInt32 CODEC(ZSTD(1)),
    `_deleted` UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(`_version`, `_deleted`)
PARTITION BY `_generation`
ORDER BY ({{primaryKey}});

-- What rows of T_current must be newer than: truncates, which name no rows, and the end of the first snapshot, because
-- a snapshot that was broken off has left rows that may have been deleted before the next one.
CREATE TABLE `{{database}}`.`{{table}}_bounds`
(
    `operation` String,
    `_committed_at` DateTime64(6, 'UTC'),
    `_version` UInt128,
    `_generation` UInt32,
    `_partition` UInt32,
    `_offset` UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (`_generation`, `operation`, `_version`, `_partition`, `_offset`);

-- Events that could not be read: as they came, with the reason and their place in the topic.
CREATE TABLE `{{database}}`.`{{table}}_errors`
(
    `raw_data` String CODEC(ZSTD(3)),
    `problem` String CODEC(ZSTD(1)),
    `_synced_at` DateTime DEFAULT now(),
    `_partition` UInt32,
    `_offset` UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (`_partition`, `_offset`, cityHash64(`raw_data`));

-- What Postgres holds now.
CREATE VIEW `{{database}}`.`{{table}}` AS
SELECT {{names}}
FROM `{{database}}`.`{{table}}_current` FINAL
WHERE `_generation` = (SELECT max(`_generation`) FROM `{{database}}`.`{{table}}_current`)
  AND `_version` > (
    SELECT maxIf(`_version`, `operation` = 't') FROM `{{database}}`.`{{table}}_bounds`
    WHERE `_generation` = (SELECT max(`_generation`) FROM `{{database}}`.`{{table}}_current`))
  AND `_version` >= (
    SELECT minIf(`_version`, `operation` = 'r') FROM `{{database}}`.`{{table}}_bounds`
    WHERE `_generation` = (SELECT max(`_generation`) FROM `{{database}}`.`{{table}}_current`))
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- The parsed events on their way: the Null engine hands them to its views and keeps nothing.
CREATE TABLE `{{database}}`.`{{table}}_events`
(
    {{plainColumns}},
    `operation` String,
    `_committed_at` DateTime64(6, 'UTC'),
    `_version` UInt128,
    `_generation` UInt32,
    `_partition` UInt32,
    `_offset` UInt64,
    `_snapshot` String,
    `_problem` String,
    `_raw` String
)
ENGINE = Null;

-- What Postgres has dropped is read on: an event from before that comes late, or once more, must not lose its value.
CREATE MATERIALIZED VIEW `{{database}}`.`{{table}}_mv` TO `{{database}}`.`{{table}}_final` AS
SELECT {{eventNames}}, `operation`, `_committed_at`, `_version`, `_generation`, `_partition`, `_offset`
FROM `{{database}}`.`{{table}}_events`
WHERE `_problem` = '';

CREATE MATERIALIZED VIEW `{{database}}`.`{{table}}_current_mv` TO `{{database}}`.`{{table}}_current` AS
SELECT {{eventNames}}, `_committed_at`, `_version`, `_generation`, `operation` = 'd' AS `_deleted`
FROM `{{database}}`.`{{table}}_events`
WHERE `_problem` = '' AND `operation` != 't';

CREATE MATERIALIZED VIEW `{{database}}`.`{{table}}_bounds_mv` TO `{{database}}`.`{{table}}_bounds` AS
SELECT `operation`, `_committed_at`, `_version`, `_generation`, `_partition`, `_offset`
FROM `{{database}}`.`{{table}}_events`
WHERE `operation` = 't' OR (`operation` = 'r' AND startsWith(`_snapshot`, 'last'));

CREATE MATERIALIZED VIEW `{{database}}`.`{{table}}_errors_mv` TO `{{database}}`.`{{table}}_errors` AS
SELECT `_raw` AS `raw_data`, `_problem` AS `problem`, `_partition`, `_offset`
FROM `{{database}}`.`{{table}}_events`
WHERE `_problem` != '';

-- The topic. The engine's own defaults hold a row back for up to 7.5 seconds.
CREATE TABLE `{{database}}`.`{{table}}_queue`
(
    `raw_data` String
)
ENGINE = Kafka
SETTINGS kafka_broker_list = {{brokers}},
         kafka_topic_list = {{topic}},
         kafka_group_name = {{consumerGroup}},
         kafka_format = 'JSONAsString',
         kafka_handle_error_mode = 'stream',
         kafka_num_consumers = {{consumers}},
         kafka_thread_per_consumer = 1,
         kafka_flush_interval_ms = 100,
         kafka_poll_timeout_ms = 20,
         kafka_consumer_reschedule_ms = 20,
         kafka_max_block_size = 262144,
         kafka_poll_max_batch_size = 65536;

-- Reads each event once. Last of all: consumption begins with it.
--
-- _version orders the events of a row as Postgres committed them. source.sequence holds the position up to which the
-- transactions before this one were committed, and the change's own: Postgres sends transactions in the order of
-- their commits, so the pair only rises. A change's own position alone does not, because transactions that run at the
-- same time interleave. Rows of the snapshot come before every change of their generation (the first transaction
-- after it has no commit before it, and may have begun before the snapshot); rows of an incremental snapshot carry the
-- position at which Debezium put them into the stream.
CREATE MATERIALIZED VIEW `{{database}}`.`{{table}}_events_mv` TO `{{database}}`.`{{table}}_events` AS
WITH
    if(_event.op = 'd', _event.before, _event.after) AS _row,
    {{values}}
SELECT
    {{typedColumns}},
    _event.op AS `operation`,
    fromUnixTimestamp64Micro(_event.source.ts_us, 'UTC') AS `_committed_at`,
    bitOr(
        bitShiftLeft(
            toUInt128(if(_event.op = 'r' AND _event.source.snapshot != 'incremental', 0, greatest(_committed, 1))), 64),
        toUInt128(_event.source.lsn)) AS `_version`,
    `_generation`,
    _topic_partition AS `_partition`,
    `_offset`,
    _event.source.snapshot AS `_snapshot`,
    multiIf(
        _parse_error != '', concat('not JSON: ', _parse_error),
        {{problems}},
        '') AS `_problem`,
    if(_problem = '', '', _message) AS `_raw`
FROM
(
    SELECT
        JSONExtract(raw_data, {{eventType}}) AS _event,
        toUInt64OrZero(
            substring(_event.source.sequence, 3, position(_event.source.sequence, '"', 3) - 3)) AS _committed,
        toUInt32OrZero(_headers.value[indexOf(_headers.name, 'cdc-generation')]) AS `_generation`,
        toUInt32(`_partition`) AS _topic_partition,
        `_offset`,
        _error AS _parse_error,
        if(_error = '', raw_data, _raw_message) AS _message
    FROM `{{database}}`.`{{table}}_queue`
);
