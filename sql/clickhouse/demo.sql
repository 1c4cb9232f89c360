-- What the pipeline makes in ClickHouse for the demo tables with the default configuration: the templates of this
-- folder, filled in. Written by the unit tests (npx vitest run --project unit -u); not read by the code.

CREATE DATABASE IF NOT EXISTS `cdc`;

CREATE TABLE `cdc`.`heartbeat`
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
TTL toDateTime(`arrived_at`) + INTERVAL 7 DAY
COMMENT 'managed by cdc-stack, definition 915cdbbc99fb9abd';

CREATE TABLE `cdc`.`heartbeat_queue`
(
    `raw_data` String
)
ENGINE = Kafka
SETTINGS kafka_broker_list = 'kafka:9092',
         kafka_topic_list = 'postgres-server.cdc.heartbeat',
         kafka_group_name = 'clickhouse-group',
         kafka_format = 'JSONAsString',
         kafka_handle_error_mode = 'stream',
         kafka_num_consumers = 1,
         kafka_thread_per_consumer = 1,
         kafka_flush_interval_ms = 100,
         kafka_poll_timeout_ms = 20,
         kafka_consumer_reschedule_ms = 20
COMMENT 'managed by cdc-stack, definition f4d063f21b568050';

CREATE MATERIALIZED VIEW `cdc`.`heartbeat_mv` TO `cdc`.`heartbeat` AS
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
    FROM `cdc`.`heartbeat_queue`
)
WHERE _event.op IN ('c', 'u', 'r')
COMMENT 'managed by cdc-stack, definition 481f836206394ee8';

CREATE TABLE `cdc`.`orders_final`
(
    `id` UInt32 CODEC(Delta, ZSTD(1)),
    `order_date` Date CODEC(Delta, ZSTD(1)),
    `purchaser` UInt32 CODEC(T64, ZSTD(1)),
    `quantity` UInt16 CODEC(T64, ZSTD(1)),
    `product_id` UInt32 CODEC(T64, ZSTD(1)),
    `operation` String CODEC(ZSTD(1)),
    `_synced_at` DateTime DEFAULT now() CODEC(Delta, ZSTD(1)),
    `_committed_at` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `_version` UInt128 CODEC(ZSTD(1)),
    `_generation` UInt32 CODEC(ZSTD(1)),
    `_partition` UInt32 CODEC(ZSTD(1)),
    `_offset` UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PRIMARY KEY (`order_date`, `id`)
ORDER BY (`order_date`, `id`, `_version`, `_partition`, `_offset`)
COMMENT 'managed by cdc-stack, definition 56846adef7cea33b';

CREATE TABLE `cdc`.`orders_current`
(
    `id` UInt32 CODEC(Delta, ZSTD(1)),
    `order_date` Date CODEC(Delta, ZSTD(1)),
    `purchaser` UInt32 CODEC(T64, ZSTD(1)),
    `quantity` UInt16 CODEC(T64, ZSTD(1)),
    `product_id` UInt32 CODEC(T64, ZSTD(1)),
    `_committed_at` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `_version` UInt128 CODEC(ZSTD(1)),
    `_generation` UInt32 CODEC(ZSTD(1)),
    `_deleted` UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(`_version`, `_deleted`)
PARTITION BY `_generation`
ORDER BY (`id`)
COMMENT 'managed by cdc-stack, definition 71fce2b58dbe644f';

CREATE TABLE `cdc`.`orders_bounds`
(
    `operation` String,
    `_committed_at` DateTime64(6, 'UTC'),
    `_version` UInt128,
    `_generation` UInt32,
    `_partition` UInt32,
    `_offset` UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (`_generation`, `operation`, `_version`, `_partition`, `_offset`)
COMMENT 'managed by cdc-stack, definition 98884d6b847b1ee8';

CREATE TABLE `cdc`.`orders_errors`
(
    `raw_data` String CODEC(ZSTD(3)),
    `problem` String CODEC(ZSTD(1)),
    `_synced_at` DateTime DEFAULT now(),
    `_partition` UInt32,
    `_offset` UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (`_partition`, `_offset`, cityHash64(`raw_data`))
COMMENT 'managed by cdc-stack, definition f2ae1858eab7c478';

CREATE VIEW `cdc`.`orders` AS
SELECT `id`, `order_date`, `purchaser`, `quantity`, `product_id`
FROM `cdc`.`orders_current` FINAL
WHERE `_generation` = (SELECT max(`_generation`) FROM `cdc`.`orders_current`)
  AND `_version` > (
    SELECT maxIf(`_version`, `operation` = 't') FROM `cdc`.`orders_bounds`
    WHERE `_generation` = (SELECT max(`_generation`) FROM `cdc`.`orders_current`))
  AND `_version` >= (
    SELECT minIf(`_version`, `operation` = 'r') FROM `cdc`.`orders_bounds`
    WHERE `_generation` = (SELECT max(`_generation`) FROM `cdc`.`orders_current`))
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'managed by cdc-stack, definition 9c1f981aa7b756c1';

CREATE TABLE `cdc`.`orders_events`
(
    `id` UInt32,
    `order_date` Date,
    `purchaser` UInt32,
    `quantity` UInt16,
    `product_id` UInt32,
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
ENGINE = Null
COMMENT 'managed by cdc-stack, definition 2df5a59a99a64c6b';

CREATE MATERIALIZED VIEW `cdc`.`orders_mv` TO `cdc`.`orders_final` AS
SELECT `id`, `order_date`, `purchaser`, `quantity`, `product_id`, `operation`, `_committed_at`, `_version`, `_generation`, `_partition`, `_offset`
FROM `cdc`.`orders_events`
WHERE `_problem` = ''
COMMENT 'managed by cdc-stack, definition 460693805600307d';

CREATE MATERIALIZED VIEW `cdc`.`orders_current_mv` TO `cdc`.`orders_current` AS
SELECT `id`, `order_date`, `purchaser`, `quantity`, `product_id`, `_committed_at`, `_version`, `_generation`, `operation` = 'd' AS `_deleted`
FROM `cdc`.`orders_events`
WHERE `_problem` = '' AND `operation` != 't'
COMMENT 'managed by cdc-stack, definition 819ae7830ce4fd3f';

CREATE MATERIALIZED VIEW `cdc`.`orders_bounds_mv` TO `cdc`.`orders_bounds` AS
SELECT `operation`, `_committed_at`, `_version`, `_generation`, `_partition`, `_offset`
FROM `cdc`.`orders_events`
WHERE `operation` = 't' OR (`operation` = 'r' AND startsWith(`_snapshot`, 'last'))
COMMENT 'managed by cdc-stack, definition 421d379674b20214';

CREATE MATERIALIZED VIEW `cdc`.`orders_errors_mv` TO `cdc`.`orders_errors` AS
SELECT `_raw` AS `raw_data`, `_problem` AS `problem`, `_partition`, `_offset`
FROM `cdc`.`orders_events`
WHERE `_problem` != ''
COMMENT 'managed by cdc-stack, definition 0f02ab5ad2c1bd9e';

CREATE TABLE `cdc`.`orders_queue`
(
    `raw_data` String
)
ENGINE = Kafka
SETTINGS kafka_broker_list = 'kafka:9092',
         kafka_topic_list = 'postgres-server.inventory.orders',
         kafka_group_name = 'clickhouse-group',
         kafka_format = 'JSONAsString',
         kafka_handle_error_mode = 'stream',
         kafka_num_consumers = 1,
         kafka_thread_per_consumer = 1,
         kafka_flush_interval_ms = 100,
         kafka_poll_timeout_ms = 20,
         kafka_consumer_reschedule_ms = 20,
         kafka_max_block_size = 262144,
         kafka_poll_max_batch_size = 65536
COMMENT 'managed by cdc-stack, definition 86bf8c8ed092cdc6';

CREATE MATERIALIZED VIEW `cdc`.`orders_events_mv` TO `cdc`.`orders_events` AS
WITH
    if(_event.op = 'd', _event.before, _event.after) AS _row,
    accurateCastOrNull(tupleElement(_row, 'id'), 'UInt32') AS _v1,
    CAST(accurateCastOrNull(tupleElement(_row, 'order_date'), 'UInt16') AS Nullable(Date)) AS _v2,
    accurateCastOrNull(tupleElement(_row, 'purchaser'), 'UInt32') AS _v3,
    accurateCastOrNull(tupleElement(_row, 'quantity'), 'UInt16') AS _v4,
    accurateCastOrNull(tupleElement(_row, 'product_id'), 'UInt32') AS _v5
SELECT
    ifNull(_v1, defaultValueOfTypeName('UInt32')) AS id,
    ifNull(_v2, defaultValueOfTypeName('Date')) AS order_date,
    ifNull(_v3, defaultValueOfTypeName('UInt32')) AS purchaser,
    ifNull(_v4, defaultValueOfTypeName('UInt16')) AS quantity,
    ifNull(_v5, defaultValueOfTypeName('UInt32')) AS product_id,
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
        _event.op NOT IN ('c', 'u', 'd', 'r', 't'), concat('operation: not known: ', _event.op),
        _event.op = 't', '',
        isNull(_v1) AND isNotNull(tupleElement(_row, 'id')), 'id: does not fit UInt32',
        isNull(tupleElement(_row, 'id')), 'id: no value, and the column is NOT NULL',
        _event.op = 'd', '',
        isNull(_v2) AND isNotNull(tupleElement(_row, 'order_date')), 'order_date: does not fit Date',
        isNull(tupleElement(_row, 'order_date')), 'order_date: no value, and the column is NOT NULL',
        isNull(_v3) AND isNotNull(tupleElement(_row, 'purchaser')), 'purchaser: does not fit UInt32',
        isNull(tupleElement(_row, 'purchaser')), 'purchaser: no value, and the column is NOT NULL',
        isNull(_v4) AND isNotNull(tupleElement(_row, 'quantity')), 'quantity: does not fit UInt16',
        isNull(tupleElement(_row, 'quantity')), 'quantity: no value, and the column is NOT NULL',
        isNull(_v5) AND isNotNull(tupleElement(_row, 'product_id')), 'product_id: does not fit UInt32',
        isNull(tupleElement(_row, 'product_id')), 'product_id: no value, and the column is NOT NULL',
        '') AS `_problem`,
    if(_problem = '', '', _message) AS `_raw`
FROM
(
    SELECT
        JSONExtract(raw_data, 'Tuple(op String, before Tuple(`id` Nullable(String), `order_date` Nullable(String), `purchaser` Nullable(String), `quantity` Nullable(String), `product_id` Nullable(String)), after Tuple(`id` Nullable(String), `order_date` Nullable(String), `purchaser` Nullable(String), `quantity` Nullable(String), `product_id` Nullable(String)), source Tuple(lsn UInt64, sequence String, snapshot String, ts_us Int64))') AS _event,
        toUInt64OrZero(
            substring(_event.source.sequence, 3, position(_event.source.sequence, '"', 3) - 3)) AS _committed,
        toUInt32OrZero(_headers.value[indexOf(_headers.name, 'cdc-generation')]) AS `_generation`,
        toUInt32(`_partition`) AS _topic_partition,
        `_offset`,
        _error AS _parse_error,
        if(_error = '', raw_data, _raw_message) AS _message
    FROM `cdc`.`orders_queue`
)
COMMENT 'managed by cdc-stack, definition c29bd9dc6d8262b4';

CREATE TABLE `cdc`.`customers_final`
(
    `id` Int32 CODEC(Delta, ZSTD(1)),
    `first_name` String CODEC(ZSTD(1)),
    `last_name` String CODEC(ZSTD(1)),
    `email` String CODEC(ZSTD(1)),
    `city` Nullable(String) CODEC(ZSTD(1)),
    `created_at` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `operation` String CODEC(ZSTD(1)),
    `_synced_at` DateTime DEFAULT now() CODEC(Delta, ZSTD(1)),
    `_committed_at` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `_version` UInt128 CODEC(ZSTD(1)),
    `_generation` UInt32 CODEC(ZSTD(1)),
    `_partition` UInt32 CODEC(ZSTD(1)),
    `_offset` UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PRIMARY KEY (`id`)
ORDER BY (`id`, `_version`, `_partition`, `_offset`)
COMMENT 'managed by cdc-stack, definition dc9f5c714ce0b462';

CREATE TABLE `cdc`.`customers_current`
(
    `id` Int32 CODEC(Delta, ZSTD(1)),
    `first_name` String CODEC(ZSTD(1)),
    `last_name` String CODEC(ZSTD(1)),
    `email` String CODEC(ZSTD(1)),
    `city` Nullable(String) CODEC(ZSTD(1)),
    `created_at` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `_committed_at` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `_version` UInt128 CODEC(ZSTD(1)),
    `_generation` UInt32 CODEC(ZSTD(1)),
    `_deleted` UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(`_version`, `_deleted`)
PARTITION BY `_generation`
ORDER BY (`id`)
COMMENT 'managed by cdc-stack, definition 10b84a4c140d9535';

CREATE TABLE `cdc`.`customers_bounds`
(
    `operation` String,
    `_committed_at` DateTime64(6, 'UTC'),
    `_version` UInt128,
    `_generation` UInt32,
    `_partition` UInt32,
    `_offset` UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (`_generation`, `operation`, `_version`, `_partition`, `_offset`)
COMMENT 'managed by cdc-stack, definition 3c80cf863cb8ce06';

CREATE TABLE `cdc`.`customers_errors`
(
    `raw_data` String CODEC(ZSTD(3)),
    `problem` String CODEC(ZSTD(1)),
    `_synced_at` DateTime DEFAULT now(),
    `_partition` UInt32,
    `_offset` UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (`_partition`, `_offset`, cityHash64(`raw_data`))
COMMENT 'managed by cdc-stack, definition a35c33c41ab78f73';

CREATE VIEW `cdc`.`customers` AS
SELECT `id`, `first_name`, `last_name`, `email`, `city`, `created_at`
FROM `cdc`.`customers_current` FINAL
WHERE `_generation` = (SELECT max(`_generation`) FROM `cdc`.`customers_current`)
  AND `_version` > (
    SELECT maxIf(`_version`, `operation` = 't') FROM `cdc`.`customers_bounds`
    WHERE `_generation` = (SELECT max(`_generation`) FROM `cdc`.`customers_current`))
  AND `_version` >= (
    SELECT minIf(`_version`, `operation` = 'r') FROM `cdc`.`customers_bounds`
    WHERE `_generation` = (SELECT max(`_generation`) FROM `cdc`.`customers_current`))
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'managed by cdc-stack, definition b6aa976d80eee551';

CREATE TABLE `cdc`.`customers_events`
(
    `id` Int32,
    `first_name` String,
    `last_name` String,
    `email` String,
    `city` Nullable(String),
    `created_at` DateTime64(6, 'UTC'),
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
ENGINE = Null
COMMENT 'managed by cdc-stack, definition ca9cfbbe38a45e46';

CREATE MATERIALIZED VIEW `cdc`.`customers_mv` TO `cdc`.`customers_final` AS
SELECT `id`, `first_name`, `last_name`, `email`, `city`, `created_at`, `operation`, `_committed_at`, `_version`, `_generation`, `_partition`, `_offset`
FROM `cdc`.`customers_events`
WHERE `_problem` = ''
COMMENT 'managed by cdc-stack, definition 749f6142f272fc5c';

CREATE MATERIALIZED VIEW `cdc`.`customers_current_mv` TO `cdc`.`customers_current` AS
SELECT `id`, `first_name`, `last_name`, `email`, `city`, `created_at`, `_committed_at`, `_version`, `_generation`, `operation` = 'd' AS `_deleted`
FROM `cdc`.`customers_events`
WHERE `_problem` = '' AND `operation` != 't'
COMMENT 'managed by cdc-stack, definition 1999b015d8b7adfa';

CREATE MATERIALIZED VIEW `cdc`.`customers_bounds_mv` TO `cdc`.`customers_bounds` AS
SELECT `operation`, `_committed_at`, `_version`, `_generation`, `_partition`, `_offset`
FROM `cdc`.`customers_events`
WHERE `operation` = 't' OR (`operation` = 'r' AND startsWith(`_snapshot`, 'last'))
COMMENT 'managed by cdc-stack, definition e8380f13f0454c7a';

CREATE MATERIALIZED VIEW `cdc`.`customers_errors_mv` TO `cdc`.`customers_errors` AS
SELECT `_raw` AS `raw_data`, `_problem` AS `problem`, `_partition`, `_offset`
FROM `cdc`.`customers_events`
WHERE `_problem` != ''
COMMENT 'managed by cdc-stack, definition fa2c29082b770449';

CREATE TABLE `cdc`.`customers_queue`
(
    `raw_data` String
)
ENGINE = Kafka
SETTINGS kafka_broker_list = 'kafka:9092',
         kafka_topic_list = 'postgres-server.inventory.customers',
         kafka_group_name = 'clickhouse-group',
         kafka_format = 'JSONAsString',
         kafka_handle_error_mode = 'stream',
         kafka_num_consumers = 1,
         kafka_thread_per_consumer = 1,
         kafka_flush_interval_ms = 100,
         kafka_poll_timeout_ms = 20,
         kafka_consumer_reschedule_ms = 20,
         kafka_max_block_size = 262144,
         kafka_poll_max_batch_size = 65536
COMMENT 'managed by cdc-stack, definition 6152eb0fe5f8cfe3';

CREATE MATERIALIZED VIEW `cdc`.`customers_events_mv` TO `cdc`.`customers_events` AS
WITH
    if(_event.op = 'd', _event.before, _event.after) AS _row,
    accurateCastOrNull(tupleElement(_row, 'id'), 'Int32') AS _v1,
    tupleElement(_row, 'first_name') AS _v2,
    tupleElement(_row, 'last_name') AS _v3,
    tupleElement(_row, 'email') AS _v4,
    tupleElement(_row, 'city') AS _v5,
    if(match(ifNull(tupleElement(_row, 'created_at'), ''), '^(19|2[012])[0-9]{2}-'), parseDateTime64BestEffortOrNull(tupleElement(_row, 'created_at'), 6, 'UTC'), NULL) AS _v6
SELECT
    ifNull(_v1, defaultValueOfTypeName('Int32')) AS id,
    ifNull(_v2, defaultValueOfTypeName('String')) AS first_name,
    ifNull(_v3, defaultValueOfTypeName('String')) AS last_name,
    ifNull(_v4, defaultValueOfTypeName('String')) AS email,
    _v5 AS city,
    ifNull(_v6, defaultValueOfTypeName('DateTime64(6, \'UTC\')')) AS created_at,
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
        _event.op NOT IN ('c', 'u', 'd', 'r', 't'), concat('operation: not known: ', _event.op),
        _event.op = 't', '',
        isNull(_v1) AND isNotNull(tupleElement(_row, 'id')), 'id: does not fit Int32',
        isNull(tupleElement(_row, 'id')), 'id: no value, and the column is NOT NULL',
        _event.op = 'd', '',
        tupleElement(_row, 'first_name') IN ('__debezium_unavailable_value', '{"__debezium_unavailable_value":"__debezium_unavailable_value"}'), 'first_name: not sent with the update (TOAST); the table needs REPLICA IDENTITY FULL',
        isNull(tupleElement(_row, 'first_name')), 'first_name: no value, and the column is NOT NULL',
        tupleElement(_row, 'last_name') IN ('__debezium_unavailable_value', '{"__debezium_unavailable_value":"__debezium_unavailable_value"}'), 'last_name: not sent with the update (TOAST); the table needs REPLICA IDENTITY FULL',
        isNull(tupleElement(_row, 'last_name')), 'last_name: no value, and the column is NOT NULL',
        tupleElement(_row, 'email') IN ('__debezium_unavailable_value', '{"__debezium_unavailable_value":"__debezium_unavailable_value"}'), 'email: not sent with the update (TOAST); the table needs REPLICA IDENTITY FULL',
        isNull(tupleElement(_row, 'email')), 'email: no value, and the column is NOT NULL',
        tupleElement(_row, 'city') IN ('__debezium_unavailable_value', '{"__debezium_unavailable_value":"__debezium_unavailable_value"}'), 'city: not sent with the update (TOAST); the table needs REPLICA IDENTITY FULL',
        isNull(_v6) AND isNotNull(tupleElement(_row, 'created_at')), 'created_at: does not fit DateTime64(6, \'UTC\')',
        isNull(tupleElement(_row, 'created_at')), 'created_at: no value, and the column is NOT NULL',
        '') AS `_problem`,
    if(_problem = '', '', _message) AS `_raw`
FROM
(
    SELECT
        JSONExtract(raw_data, 'Tuple(op String, before Tuple(`id` Nullable(String), `first_name` Nullable(String), `last_name` Nullable(String), `email` Nullable(String), `city` Nullable(String), `created_at` Nullable(String)), after Tuple(`id` Nullable(String), `first_name` Nullable(String), `last_name` Nullable(String), `email` Nullable(String), `city` Nullable(String), `created_at` Nullable(String)), source Tuple(lsn UInt64, sequence String, snapshot String, ts_us Int64))') AS _event,
        toUInt64OrZero(
            substring(_event.source.sequence, 3, position(_event.source.sequence, '"', 3) - 3)) AS _committed,
        toUInt32OrZero(_headers.value[indexOf(_headers.name, 'cdc-generation')]) AS `_generation`,
        toUInt32(`_partition`) AS _topic_partition,
        `_offset`,
        _error AS _parse_error,
        if(_error = '', raw_data, _raw_message) AS _message
    FROM `cdc`.`customers_queue`
)
COMMENT 'managed by cdc-stack, definition b6e64c839e3e2233';

CREATE TABLE `cdc`.`products_final`
(
    `id` Int32 CODEC(Delta, ZSTD(1)),
    `name` String CODEC(ZSTD(1)),
    `description` Nullable(String) CODEC(ZSTD(1)),
    `price` Decimal(10, 2) CODEC(ZSTD(1)),
    `weight_kg` Nullable(Decimal(8, 3)) CODEC(ZSTD(1)),
    `in_stock` Bool DEFAULT true CODEC(ZSTD(1)),
    `operation` String CODEC(ZSTD(1)),
    `_synced_at` DateTime DEFAULT now() CODEC(Delta, ZSTD(1)),
    `_committed_at` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `_version` UInt128 CODEC(ZSTD(1)),
    `_generation` UInt32 CODEC(ZSTD(1)),
    `_partition` UInt32 CODEC(ZSTD(1)),
    `_offset` UInt64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PRIMARY KEY (`id`)
ORDER BY (`id`, `_version`, `_partition`, `_offset`)
COMMENT 'managed by cdc-stack, definition f83c1e3878b40cdf';

CREATE TABLE `cdc`.`products_current`
(
    `id` Int32 CODEC(Delta, ZSTD(1)),
    `name` String CODEC(ZSTD(1)),
    `description` Nullable(String) CODEC(ZSTD(1)),
    `price` Decimal(10, 2) CODEC(ZSTD(1)),
    `weight_kg` Nullable(Decimal(8, 3)) CODEC(ZSTD(1)),
    `in_stock` Bool DEFAULT true CODEC(ZSTD(1)),
    `_committed_at` DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
    `_version` UInt128 CODEC(ZSTD(1)),
    `_generation` UInt32 CODEC(ZSTD(1)),
    `_deleted` UInt8 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(`_version`, `_deleted`)
PARTITION BY `_generation`
ORDER BY (`id`)
COMMENT 'managed by cdc-stack, definition d8d36232fc10496c';

CREATE TABLE `cdc`.`products_bounds`
(
    `operation` String,
    `_committed_at` DateTime64(6, 'UTC'),
    `_version` UInt128,
    `_generation` UInt32,
    `_partition` UInt32,
    `_offset` UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (`_generation`, `operation`, `_version`, `_partition`, `_offset`)
COMMENT 'managed by cdc-stack, definition ec73a51998e16dd2';

CREATE TABLE `cdc`.`products_errors`
(
    `raw_data` String CODEC(ZSTD(3)),
    `problem` String CODEC(ZSTD(1)),
    `_synced_at` DateTime DEFAULT now(),
    `_partition` UInt32,
    `_offset` UInt64
)
ENGINE = ReplacingMergeTree
ORDER BY (`_partition`, `_offset`, cityHash64(`raw_data`))
COMMENT 'managed by cdc-stack, definition a907d8a1b8702a1f';

CREATE VIEW `cdc`.`products` AS
SELECT `id`, `name`, `description`, `price`, `weight_kg`, `in_stock`
FROM `cdc`.`products_current` FINAL
WHERE `_generation` = (SELECT max(`_generation`) FROM `cdc`.`products_current`)
  AND `_version` > (
    SELECT maxIf(`_version`, `operation` = 't') FROM `cdc`.`products_bounds`
    WHERE `_generation` = (SELECT max(`_generation`) FROM `cdc`.`products_current`))
  AND `_version` >= (
    SELECT minIf(`_version`, `operation` = 'r') FROM `cdc`.`products_bounds`
    WHERE `_generation` = (SELECT max(`_generation`) FROM `cdc`.`products_current`))
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'managed by cdc-stack, definition 9a979b66a3381296';

CREATE TABLE `cdc`.`products_events`
(
    `id` Int32,
    `name` String,
    `description` Nullable(String),
    `price` Decimal(10, 2),
    `weight_kg` Nullable(Decimal(8, 3)),
    `in_stock` Bool,
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
ENGINE = Null
COMMENT 'managed by cdc-stack, definition 9a54305c11352a16';

CREATE MATERIALIZED VIEW `cdc`.`products_mv` TO `cdc`.`products_final` AS
SELECT `id`, `name`, `description`, `price`, `weight_kg`, `in_stock`, `operation`, `_committed_at`, `_version`, `_generation`, `_partition`, `_offset`
FROM `cdc`.`products_events`
WHERE `_problem` = ''
COMMENT 'managed by cdc-stack, definition 2fb595c2dc81023a';

CREATE MATERIALIZED VIEW `cdc`.`products_current_mv` TO `cdc`.`products_current` AS
SELECT `id`, `name`, `description`, `price`, `weight_kg`, `in_stock`, `_committed_at`, `_version`, `_generation`, `operation` = 'd' AS `_deleted`
FROM `cdc`.`products_events`
WHERE `_problem` = '' AND `operation` != 't'
COMMENT 'managed by cdc-stack, definition 4c74be2ddf871e5f';

CREATE MATERIALIZED VIEW `cdc`.`products_bounds_mv` TO `cdc`.`products_bounds` AS
SELECT `operation`, `_committed_at`, `_version`, `_generation`, `_partition`, `_offset`
FROM `cdc`.`products_events`
WHERE `operation` = 't' OR (`operation` = 'r' AND startsWith(`_snapshot`, 'last'))
COMMENT 'managed by cdc-stack, definition 07298f34b88f6aaa';

CREATE MATERIALIZED VIEW `cdc`.`products_errors_mv` TO `cdc`.`products_errors` AS
SELECT `_raw` AS `raw_data`, `_problem` AS `problem`, `_partition`, `_offset`
FROM `cdc`.`products_events`
WHERE `_problem` != ''
COMMENT 'managed by cdc-stack, definition 60474ca6fb51e87e';

CREATE TABLE `cdc`.`products_queue`
(
    `raw_data` String
)
ENGINE = Kafka
SETTINGS kafka_broker_list = 'kafka:9092',
         kafka_topic_list = 'postgres-server.inventory.products',
         kafka_group_name = 'clickhouse-group',
         kafka_format = 'JSONAsString',
         kafka_handle_error_mode = 'stream',
         kafka_num_consumers = 1,
         kafka_thread_per_consumer = 1,
         kafka_flush_interval_ms = 100,
         kafka_poll_timeout_ms = 20,
         kafka_consumer_reschedule_ms = 20,
         kafka_max_block_size = 262144,
         kafka_poll_max_batch_size = 65536
COMMENT 'managed by cdc-stack, definition 4016e5a2e07968a1';

CREATE MATERIALIZED VIEW `cdc`.`products_events_mv` TO `cdc`.`products_events` AS
WITH
    if(_event.op = 'd', _event.before, _event.after) AS _row,
    accurateCastOrNull(tupleElement(_row, 'id'), 'Int32') AS _v1,
    tupleElement(_row, 'name') AS _v2,
    tupleElement(_row, 'description') AS _v3,
    accurateCastOrNull(tupleElement(_row, 'price'), 'Decimal(10, 2)') AS _v4,
    accurateCastOrNull(tupleElement(_row, 'weight_kg'), 'Decimal(8, 3)') AS _v5,
    accurateCastOrNull(tupleElement(_row, 'in_stock'), 'Bool') AS _v6
SELECT
    ifNull(_v1, defaultValueOfTypeName('Int32')) AS id,
    ifNull(_v2, defaultValueOfTypeName('String')) AS name,
    _v3 AS description,
    ifNull(_v4, defaultValueOfTypeName('Decimal(10, 2)')) AS price,
    _v5 AS weight_kg,
    ifNull(_v6, true) AS in_stock,
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
        _event.op NOT IN ('c', 'u', 'd', 'r', 't'), concat('operation: not known: ', _event.op),
        _event.op = 't', '',
        isNull(_v1) AND isNotNull(tupleElement(_row, 'id')), 'id: does not fit Int32',
        isNull(tupleElement(_row, 'id')), 'id: no value, and the column is NOT NULL',
        _event.op = 'd', '',
        tupleElement(_row, 'name') IN ('__debezium_unavailable_value', '{"__debezium_unavailable_value":"__debezium_unavailable_value"}'), 'name: not sent with the update (TOAST); the table needs REPLICA IDENTITY FULL',
        isNull(tupleElement(_row, 'name')), 'name: no value, and the column is NOT NULL',
        tupleElement(_row, 'description') IN ('__debezium_unavailable_value', '{"__debezium_unavailable_value":"__debezium_unavailable_value"}'), 'description: not sent with the update (TOAST); the table needs REPLICA IDENTITY FULL',
        tupleElement(_row, 'price') IN ('__debezium_unavailable_value', '{"__debezium_unavailable_value":"__debezium_unavailable_value"}'), 'price: not sent with the update (TOAST); the table needs REPLICA IDENTITY FULL',
        isNull(_v4) AND isNotNull(tupleElement(_row, 'price')), 'price: does not fit Decimal(10, 2)',
        isNull(tupleElement(_row, 'price')), 'price: no value, and the column is NOT NULL',
        tupleElement(_row, 'weight_kg') IN ('__debezium_unavailable_value', '{"__debezium_unavailable_value":"__debezium_unavailable_value"}'), 'weight_kg: not sent with the update (TOAST); the table needs REPLICA IDENTITY FULL',
        isNull(_v5) AND isNotNull(tupleElement(_row, 'weight_kg')), 'weight_kg: does not fit Decimal(8, 3)',
        isNull(_v6) AND isNotNull(tupleElement(_row, 'in_stock')), 'in_stock: does not fit Bool',
        '') AS `_problem`,
    if(_problem = '', '', _message) AS `_raw`
FROM
(
    SELECT
        JSONExtract(raw_data, 'Tuple(op String, before Tuple(`id` Nullable(String), `name` Nullable(String), `description` Nullable(String), `price` Nullable(String), `weight_kg` Nullable(String), `in_stock` Nullable(String)), after Tuple(`id` Nullable(String), `name` Nullable(String), `description` Nullable(String), `price` Nullable(String), `weight_kg` Nullable(String), `in_stock` Nullable(String)), source Tuple(lsn UInt64, sequence String, snapshot String, ts_us Int64))') AS _event,
        toUInt64OrZero(
            substring(_event.source.sequence, 3, position(_event.source.sequence, '"', 3) - 3)) AS _committed,
        toUInt32OrZero(_headers.value[indexOf(_headers.name, 'cdc-generation')]) AS `_generation`,
        toUInt32(`_partition`) AS _topic_partition,
        `_offset`,
        _error AS _parse_error,
        if(_error = '', raw_data, _raw_message) AS _message
    FROM `cdc`.`products_queue`
)
COMMENT 'managed by cdc-stack, definition eed2e865da19caff';
