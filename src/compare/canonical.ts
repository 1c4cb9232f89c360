import type { CatalogType } from "../tables/model";
import { postgresIdentifier, quotedIdentifier } from "../tables/sql";

/** An expression in each of the two SQLs that gives the same text for the same value; NULL for NULL. */
export interface CanonicalPair {
  readonly postgres: string;
  readonly clickhouse: string;
}

type Form = (postgres: string, clickhouse: string) => CanonicalPair;

/**
 * How a column's values are compared: chosen by what the column is on both sides, not by the code that carries them
 * over, so that a mistake there is found.
 * @returns undefined for types of which there is no common form.
 */
export function canonical(name: string, source: CatalogType, target: string): CanonicalPair | undefined {
  return formOf(source, withoutWrappers(target))?.(postgresIdentifier(name), quotedIdentifier(name));
}

/** Nullable and LowCardinality say nothing about the value. */
function withoutWrappers(type: string): string {
  const [, inner] = /^(?:Nullable|LowCardinality)\((.*)\)$/.exec(type) ?? [];
  return inner === undefined ? type : withoutWrappers(inner);
}

function formOf(source: CatalogType, target: string): Form | undefined {
  if (source.kind === "array") return arrayForm(source.element, target);
  if (source.kind === "enum") return asText;
  if (source.kind !== "base") return undefined;
  switch (source.name) {
    case "numeric":
      return target.startsWith("Decimal") ? decimal : asText;
    case "float4":
    case "float8":
      return /^Float/.test(target) ? bits : undefined;
    case "bool":
      return (p, c) => ({ postgres: `(${p})::int::text`, clickhouse: `toString(toUInt8(${c}))` });
    case "bpchar":
      return (p, c) => ({ postgres: `rtrim((${p})::text)`, clickhouse: `trimRight(toString(${c}))` });
    case "date":
      return /^Date(32)?$/.test(target) ? days : undefined;
    case "timestamp":
    case "timestamptz":
      return target.startsWith("DateTime64") ? microseconds : undefined;
    case "time":
      return target === "Int64" ? microsecondsOfDay : target.startsWith("Time64") ? timeOfDay : undefined;
    case "bytea":
      return target === "String" ? bytes : undefined;
    default:
      return comparedAsText.has(source.name) ? asText : undefined;
  }
}

const comparedAsText = new Set([
  ...["int2", "int4", "int8", "oid", "text", "varchar", "uuid", "name", "citext"],
  ...["json", "jsonb", "xml", "inet", "cidr", "macaddr", "macaddr8", "ltree"],
]);

const asText: Form = (p, c) => ({ postgres: `(${p})::text`, clickhouse: `toString(${c})` });

/** ClickHouse prints no zeros at the end. */
const decimal: Form = (p, c) => ({ postgres: `trim_scale(${p})::text`, clickhouse: `toString(${c})` });

/** The two print numbers differently; their bits are the same. */
const bits: Form = (p, c) => ({
  postgres: `('x' || encode(float8send((${p})::float8), 'hex'))::bit(64)::bigint::text`,
  clickhouse: `toString(reinterpretAsInt64(toFloat64(${c})))`,
});

/** Postgres counts no days to infinity: without this, one such row would keep the whole table from being compared. */
function orInfinite(value: string, finite: string): string {
  return `CASE WHEN isfinite(${value}) THEN (${finite})::text ELSE (${value})::text END`;
}

const days: Form = (p, c) => ({
  postgres: orInfinite(p, `${p} - date '1970-01-01'`),
  clickhouse: `toString(toInt32(${c}))`,
});

const microseconds: Form = (p, c) => ({
  postgres: orInfinite(p, `(extract(epoch FROM ${p}) * 1000000)::bigint`),
  clickhouse: `toString(toUnixTimestamp64Micro(toDateTime64(${c}, 6, 'UTC')))`,
});

const microsecondsOfDay: Form = (p, c) => ({
  postgres: `(extract(epoch FROM ${p}) * 1000000)::bigint::text`,
  clickhouse: `toString(${c})`,
});

const timeOfDay: Form = (p, c) => ({
  postgres: `to_char(${p}, 'HH24:MI:SS.US')`,
  clickhouse: `toString(toTime64(${c}, 6))`,
});

const bytes: Form = (p, c) => ({ postgres: `encode(${p}, 'hex')`, clickhouse: `lower(hex(${c}))` });

/** Stands for NULL within a text of several values. */
export const nullMark = "\\N";

function arrayForm(element: CatalogType | undefined, target: string): Form | undefined {
  const [, inner] = /^Array\((.*)\)$/.exec(target) ?? [];
  const form = element && inner ? formOf(element, withoutWrappers(inner)) : undefined;
  if (!form) return undefined;
  const { postgres, clickhouse } = form("e", "e");
  return (p, c) => ({
    postgres: `CASE WHEN ${p} IS NOT NULL THEN (SELECT coalesce(string_agg(coalesce(${postgres}, '${nullMark}'), ',' ORDER BY n), '') FROM unnest(${p}) WITH ORDINALITY AS u (e, n)) END`,
    clickhouse: `arrayStringConcat(arrayMap(e -> ifNull(${clickhouse}, '\\\\N'), ${c}), ',')`,
  });
}
