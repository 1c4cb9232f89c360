-- What the pipeline keeps in the source database, in a schema of its own. Can be run again at any time.

CREATE SCHEMA IF NOT EXISTS cdc;

-- Row 1 is written by the connector every few seconds. Its events come out at the other end even while nobody writes
-- to a captured table, which proves that the pipeline flows and lets the replication slot move on. Row 2 is the agent's
-- canary, written every second and timed until it arrives.
CREATE TABLE IF NOT EXISTS cdc.heartbeat (
  id      integer     PRIMARY KEY DEFAULT 1 CHECK (id IN (1, 2)),
  beat_at timestamptz NOT NULL    DEFAULT now()
);

-- Debezium's signalling table: a row written here starts an incremental snapshot, for example.
-- Columns and sizes as Debezium's documentation asks for (Sending signals to a Debezium connector).
CREATE TABLE IF NOT EXISTS cdc.signal (
  id   varchar(42)   PRIMARY KEY,
  type varchar(32)   NOT NULL,
  data varchar(2048)
);

-- Replica identity of captured tables before the pipeline changed it, to restore it when the pipeline goes.
CREATE TABLE IF NOT EXISTS cdc.replica_identity (
  table_name text PRIMARY KEY,
  before     text NOT NULL
);
