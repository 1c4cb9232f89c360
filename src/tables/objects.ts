import { createHash } from "node:crypto";
import { readProjectFile } from "../lib/paths";
import { filled } from "../lib/template";
import { qualifiedName } from "./catalog";
import type { CapturedColumn, CapturedTable } from "./model";
import { topicOf } from "./names";
import { heartbeatTable } from "./own";
import { columnExpressions, eventType, problemBranches, valueExpressions } from "./read";
import { literal, quotedIdentifier, unescaped } from "./sql";

/** One table or view in ClickHouse. */
export interface ClickHouseObject {
  readonly name: string;
  /** `stored` keeps rows and is altered; `flow` (queues, views) keeps none and is made anew when it changes. */
  readonly kind: "stored" | "flow";
  /** What it belongs to: the captured table's name in ClickHouse, or the heartbeat's. */
  readonly owner: string;
  /** The statement that makes it; its COMMENT carries `definition`. */
  readonly create: string;
  /** Hash of the statement, by which a change of it is told. */
  readonly definition: string;
  /** `stored`: its columns in order. */
  readonly columns: readonly ClickHouseColumn[];
  /** `stored`: what cannot be altered, as in system.tables, without spaces and backquotes. */
  readonly layout?: ClickHouseLayout;
}

export interface ClickHouseLayout {
  readonly engine: string;
  readonly sortingKey: string;
  readonly partitionKey: string;
}

export interface ClickHouseColumn {
  readonly name: string;
  readonly type: string;
  readonly default?: string;
  readonly codec?: string;
}

export interface ClickHouseOptions {
  readonly database: string;
  readonly tables: readonly CapturedTable[];
  /** By captured table: columns that Postgres has dropped and ClickHouse keeps. */
  readonly kept?: Readonly<Record<string, readonly CapturedColumn[]>>;
  /** Kafka's addresses as ClickHouse sees them, e.g. `kafka:9092`. */
  readonly brokers: string;
  readonly topicPrefix: string;
  readonly consumerGroup: string;
  /** Consumers a table; at most as many as its topic has partitions. */
  readonly consumers: number;
}

/** By this a comment is known to be on a thing that the pipeline made. */
export const objectMark = "managed by cdc-stack";

/** Everything that the pipeline has in ClickHouse, in the order in which it is made; consumers come last. */
export function clickhouseObjects(options: ClickHouseOptions): ClickHouseObject[] {
  return [
    ...objectsFrom("heartbeat.sql", heartbeatTable.target, {
      ...kafkaWords(options, heartbeatTable.source),
      database: inBackquotes(options.database),
    }),
    ...options.tables.flatMap((table) => objectsFrom("table.sql", table.target, wordsOf(table, options))),
  ];
}

type Words = Readonly<Record<string, string>>;

function wordsOf(table: CapturedTable, options: ClickHouseOptions): Words {
  const names = (columns: readonly string[]) => columns.map(quotedIdentifier).join(", ");
  const lines = (parts: readonly string[], indent: number, separator = ",") =>
    parts.join(`${separator}\n${" ".repeat(indent)}`);
  // Events from before a column was dropped carry it, and may be read late or once more.
  const { [qualifiedName(table)]: kept = [] } = options.kept ?? {};
  const event = { ...table, columns: [...table.columns, ...kept] };
  const problems = problemBranches(event);
  const pairs = problems
    .filter((_, index) => index % 2 === 0)
    .map((condition, index) => {
      return `${condition}, ${problems[2 * index + 1]}`;
    });
  return {
    ...kafkaWords(options, qualifiedName(table)),
    database: inBackquotes(options.database),
    table: inBackquotes(table.target),
    columns: lines(
      table.columns.map((column) => definitionOf(storedColumn(column, table))),
      4,
    ),
    plainColumns: lines(
      event.columns.map((column) => `${quotedIdentifier(column.name)} ${columnType(column)}`),
      4,
    ),
    names: names(table.columns.map(({ name }) => name)),
    eventNames: names(event.columns.map(({ name }) => name)),
    orderBy: names(table.orderBy),
    primaryKey: names(table.primaryKey),
    values: lines(valueExpressions(event), 4),
    typedColumns: lines(columnExpressions(event), 4),
    problems: lines(pairs, 8),
    eventType: literal(eventType(event)),
  };
}

function kafkaWords(options: ClickHouseOptions, source: string): Words {
  return {
    brokers: literal(options.brokers),
    topic: literal(topicOf(options.topicPrefix, source)),
    consumerGroup: literal(options.consumerGroup),
    consumers: String(options.consumers),
  };
}

function inBackquotes(name: string): string {
  return quotedIdentifier(name).slice(1, -1);
}

/** A column's type with what Postgres says about NULL. */
export function columnType({ type, nullable }: Pick<CapturedColumn, "type" | "nullable">): string {
  // ClickHouse has no NULL of an array: it becomes an empty one.
  if (!nullable || type.startsWith("Array")) return type;
  const lowCardinality = /^LowCardinality\((.*)\)$/.exec(type);
  return lowCardinality ? `LowCardinality(Nullable(${lowCardinality[1]}))` : `Nullable(${type})`;
}

function storedColumn(column: CapturedColumn, table: CapturedTable): ClickHouseColumn {
  return {
    name: column.name,
    type: columnType(column),
    ...(column.default !== undefined && { default: column.default }),
    codec: codecOf(column, table),
  };
}

export function definitionOf({ name, type, default: value, codec }: ClickHouseColumn): string {
  return [
    `${quotedIdentifier(name)} ${type}`,
    ...(value === undefined ? [] : [`DEFAULT ${value}`]),
    ...(codec === undefined ? [] : [`CODEC(${codec})`]),
  ].join(" ");
}

/** Keys and times rise from row to row, other numbers use few of their bits; all else is for ZSTD alone. */
function codecOf({ name, type, rule }: CapturedColumn, table: CapturedTable): string {
  const isKey = table.primaryKey.includes(name) || table.orderBy.includes(name);
  if (/^(U?Int(8|16|32|64)|Date|Date32)$/.test(type)) return isKey ? "Delta, ZSTD(1)" : "T64, ZSTD(1)";
  if (rule === "timestamp" || rule === "timestamptz") return type === "String" ? "ZSTD(1)" : "Delta, ZSTD(1)";
  return "ZSTD(1)";
}

function objectsFrom(file: string, owner: string, words: Words): ClickHouseObject[] {
  return statementsOf(readProjectFile("sql", "clickhouse", file)).map((template) =>
    objectOf(filled(template, words, `sql/clickhouse/${file}`), owner),
  );
}

/** The statements of a file, without comments. */
function statementsOf(sql: string): string[] {
  return sql
    .replace(/^--.*\n/gm, "")
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

function objectOf(statement: string, owner: string): ClickHouseObject {
  const header = /^CREATE (TABLE|VIEW|MATERIALIZED VIEW) `(?:[^`\\]|\\.)+`\.`((?:[^`\\]|\\.)+)`/.exec(
    statement,
  );
  if (!header) throw new Error(`not a statement that makes a table or view:\n${statement}`);
  const definition = createHash("sha256").update(statement).digest("hex").slice(0, 16);
  const stored = header[1] === "TABLE" && /^ENGINE = \w*MergeTree/m.test(statement);
  return {
    name: unescaped(header[2] as string),
    kind: stored ? "stored" : "flow",
    owner,
    create: `${statement}\nCOMMENT '${objectMark}, definition ${definition}'`,
    definition,
    columns: stored ? columnsOf(statement) : [],
    ...(stored && { layout: layoutOf(statement) }),
  };
}

function layoutOf(statement: string): ClickHouseLayout {
  const clause = (pattern: RegExp) => plainKey(pattern.exec(statement)?.[1] ?? "");
  return {
    engine: clause(/^ENGINE = (\w+)/m),
    sortingKey: clause(/^ORDER BY (.*)$/m),
    partitionKey: clause(/^PARTITION BY (.*)$/m),
  };
}

/** A key's expression for comparison: as ClickHouse prints it, but for spaces, backquotes and the outer brackets. */
export function plainKey(expression: string): string {
  const compact = expression.replace(/[\s`]/g, "");
  return /^\(.*\)$/.test(compact) ? compact.slice(1, -1) : compact;
}

/** The columns of a CREATE TABLE, which has one a line. */
function columnsOf(statement: string): ClickHouseColumn[] {
  const body = statement.slice(statement.indexOf("\n(\n") + 3, statement.indexOf("\n)\n"));
  return body.split("\n").map((line) => {
    const match = /^\s*`((?:[^`\\]|\\.)+)` (.+?)(?: DEFAULT (.+?))?(?: CODEC\((.+)\))?,?$/s.exec(line) ?? [];
    const [, name = "", type = "", value, codec] = match;
    return {
      name: unescaped(name),
      type,
      ...(value !== undefined && { default: value }),
      ...(codec !== undefined && { codec }),
    };
  });
}
