-- What Postgres's catalog says about the tables to be captured: one row per table.
--
-- $1  text[]  qualified names, e.g. {inventory.orders,inventory.customers}; quoted where a name needs it,
--             as in {"inventory.\"Order Lines\""}
--
-- By hand: psql … -f sql/postgres/catalog.sql has no value for $1; in psql 16 or newer use \bind:
--   \set names '{inventory.orders}'
--   \bind :names
--   \i sql/postgres/catalog.sql
--
-- Nothing here moves without a change of the table's definition (no row counts, no sizes), so that reading it twice
-- gives the same text. The OID is another one only when the table was dropped and made again.
WITH RECURSIVE captured AS (
  SELECT requested, to_regclass(requested) AS relid
  FROM unnest($1::text[]) AS requested
),
-- The declared type of each column and then, step by step, what it stands for: the base type of a domain, the
-- element of an array.
type_steps AS (
  SELECT a.attrelid, a.attnum, 0 AS step, a.atttypid AS typeid, a.atttypmod AS typmod
  FROM captured
  JOIN pg_attribute a ON a.attrelid = captured.relid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT s.attrelid, s.attnum, s.step + 1,
         CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE element.oid END,
         CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE s.typmod END
  FROM type_steps s
  JOIN pg_type t ON t.oid = s.typeid
  LEFT JOIN pg_type element ON element.typarray = t.oid
  WHERE t.typtype = 'd' OR element.oid IS NOT NULL
),
column_types AS (
  SELECT s.attrelid, s.attnum,
         json_agg(
           json_build_object(
             'schema', tn.nspname,
             'name', t.typname,
             'text', format_type(s.typeid, s.typmod),
             'kind', CASE
               WHEN EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid) THEN 'array'
               ELSE CASE t.typtype
                 WHEN 'b' THEN 'base' WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite'
                 WHEN 'r' THEN 'range' WHEN 'm' THEN 'multirange' ELSE 'pseudo' END
             END,
             'typmod', s.typmod,
             'notNull', t.typnotnull,
             'labels', (SELECT json_agg(l.enumlabel ORDER BY l.enumsortorder) FROM pg_enum l WHERE l.enumtypid = t.oid)
           ) ORDER BY s.step
         ) AS steps
  FROM type_steps s
  JOIN pg_type t ON t.oid = s.typeid
  JOIN pg_namespace tn ON tn.oid = t.typnamespace
  GROUP BY s.attrelid, s.attnum
),
table_columns AS (
  SELECT a.attrelid,
         json_agg(
           json_build_object(
             'name', a.attname,
             'position', a.attnum,
             'types', ct.steps,
             'notNull', a.attnotnull,
             'toastable', a.attstorage IN ('x', 'e', 'm'),
             'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
             'generated', a.attgenerated <> '',
             'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END
           ) ORDER BY a.attnum
         ) AS columns
  FROM captured
  JOIN pg_attribute a ON a.attrelid = captured.relid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN column_types ct ON ct.attrelid = a.attrelid AND ct.attnum = a.attnum
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  GROUP BY a.attrelid
)
SELECT
  captured.requested,
  c.oid,
  n.nspname AS schema,
  c.relname AS name,
  CASE c.relkind
    WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
    WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence' ELSE c.relkind::text
  END AS kind,
  c.relpersistence = 'p' AS logged,
  c.relispartition AS "isPartition",
  coalesce((
    SELECT json_agg(hn.nspname || '.' || h.relname ORDER BY hn.nspname, h.relname)
    FROM pg_inherits i
    JOIN pg_class h ON h.oid = i.inhrelid
    JOIN pg_namespace hn ON hn.oid = h.relnamespace
    WHERE i.inhparent = c.oid AND c.relkind = 'r'
  ), '[]') AS heirs,
  CASE c.relreplident
    WHEN 'd' THEN 'default' WHEN 'f' THEN 'full' WHEN 'i' THEN 'index' WHEN 'n' THEN 'nothing'
  END AS "replicaIdentity",
  table_columns.columns,
  coalesce((
    SELECT json_agg(a.attname ORDER BY k.ord)
    FROM pg_index i
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, ord)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = c.oid AND i.indisprimary AND k.ord <= i.indnkeyatts
  ), '[]') AS "primaryKey",
  EXISTS (
    SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate AND i.indisvalid
  ) AS "primaryKeyIdentifies",
  coalesce((
    SELECT json_agg(a.attname ORDER BY k.ord)
    FROM pg_index i
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, ord)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = c.oid AND i.indisreplident AND k.ord <= i.indnkeyatts
  ), '[]') AS "identityIndex"
FROM captured
LEFT JOIN pg_class c ON c.oid = captured.relid
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN table_columns ON table_columns.attrelid = c.oid
ORDER BY captured.requested;
