import type { CapturedColumn, CapturedTable, CapturedType } from "./model";
import { identifier, literal, quotedIdentifier } from "./sql";

/**
 * The type contract, second half: the SQL that reads a value out of an event. Every value is taken out as text, so
 * that what does not fit is told from NULL, and turned into the column's type by functions that never throw: an
 * exception would stop the consumer at that event for good.
 */

/** Debezium's `unavailable.value.placeholder`, in place of a large value that an update left alone. */
export const unavailablePlaceholder = "__debezium_unavailable_value";

/** First and last moment that Date32 and DateTime64 hold: 1900-01-01 to 2299-12-31 (ClickHouse's documentation). */
const range = {
  days: { first: -25_567, last: 120_529 },
  seconds: { first: -2_208_988_800, last: 10_413_791_999 },
} as const;

/** What is read of each row image: the columns as text. */
function imageType(table: CapturedTable): string {
  return `Tuple(${table.columns.map(({ name }) => `${quotedIdentifier(name)} Nullable(String)`).join(", ")})`;
}

/** What is read of an event, as the type for its one JSONExtract. */
export function eventType(table: CapturedTable): string {
  return [
    "Tuple(op String",
    `before ${imageType(table)}`,
    `after ${imageType(table)}`,
    "source Tuple(lsn UInt64, sequence String, snapshot String, ts_us Int64))",
  ].join(", ");
}

/** `expression AS _v1, …`: each column's value, NULL where there is none or it does not fit. */
export function valueExpressions(table: CapturedTable): string[] {
  return table.columns.map((column, index) => `${readingOf(column, textOf(column))} AS ${alias(index)}`);
}

/** `expression AS column, …`: each column's value as its table takes it. */
export function columnExpressions(table: CapturedTable): string[] {
  return table.columns.map((column, index) => {
    const value = alias(index);
    const safe =
      column.nullable || column.type.startsWith("Array")
        ? value
        : `ifNull(${value}, ${column.default ?? `defaultValueOfTypeName(${literal(column.type)})`})`;
    return `${safe} AS ${identifier(column.name)}`;
  });
}

/** What is wrong with an event, as the arguments of a multiIf: condition, text, condition, text, … */
export function problemBranches(table: CapturedTable): string[] {
  const isKey = ({ name }: CapturedColumn) => table.primaryKey.includes(name);
  const branches = (wanted: boolean) =>
    table.columns.flatMap((column, index) => (isKey(column) === wanted ? columnBranches(column, index) : []));
  return [
    "_event.op NOT IN ('c', 'u', 'd', 'r', 't')",
    "concat('operation: not known: ', _event.op)",
    "_event.op = 't'",
    "''",
    ...branches(true),
    // A delete needs no more than its key: of the other columns it may have no values (REPLICA IDENTITY).
    "_event.op = 'd'",
    "''",
    ...branches(false),
  ];
}

function columnBranches(column: CapturedColumn, index: number): string[] {
  const raw = textOf(column);
  const value = alias(index);
  const name = column.name;
  const branches: string[] = [];
  if (column.toastable) {
    branches.push(
      `${raw} IN (${placeholders(column).map(literal).join(", ")})`,
      literal(`${name}: not sent with the update (TOAST); the table needs REPLICA IDENTITY FULL`),
    );
  }
  if (column.rule === "array") {
    branches.push(misfitOfArray(raw, value), literal(`${name}: does not fit ${column.type}`));
  } else if (canMisfit(column)) {
    branches.push(`isNull(${value}) AND isNotNull(${raw})`, literal(`${name}: does not fit ${column.type}`));
  }
  // A column that is newer than the event, or that it outlived, has its default.
  if (!column.nullable && column.default === undefined && !column.dropped)
    branches.push(`isNull(${raw})`, literal(`${name}: no value, and the column is NOT NULL`));
  return branches;
}

/** How the placeholder looks in a value's type; source: UnchangedToastedPlaceholder of Debezium 3.6. */
function placeholders({ rule }: CapturedType): string[] {
  const bytes = Buffer.from(unavailablePlaceholder);
  switch (rule) {
    case "bytes":
      return [unavailablePlaceholder, bytes.toString("base64")];
    case "array":
      return [
        unavailablePlaceholder,
        JSON.stringify([unavailablePlaceholder]),
        JSON.stringify([bytes.toString("base64")]),
        JSON.stringify([...bytes]),
      ];
    default:
      return [unavailablePlaceholder, JSON.stringify({ [unavailablePlaceholder]: unavailablePlaceholder })];
  }
}

function textOf({ name }: CapturedColumn): string {
  return `tupleElement(_row, ${literal(name)})`;
}

function alias(index: number): string {
  return `_v${index + 1}`;
}

function canMisfit({ rule, type }: CapturedType): boolean {
  return rule !== "text" && (type !== "String" || rule === "bytes" || rule === "bits");
}

function misfitOfArray(raw: string, value: string): string {
  const elements = elementsOf(raw);
  return (
    `isNotNull(${raw}) AND (NOT startsWith(assumeNotNull(${raw}), '[') ` +
    `OR arrayExists((text, element) -> isNotNull(text) AND isNull(element), ${elements}, ${value}))`
  );
}

function elementsOf(raw: string): string {
  return `JSONExtract(ifNull(${raw}, '[]'), 'Array(Nullable(String))')`;
}

/** An expression for the value, of the column's type made Nullable; `raw` is an expression of Nullable(String). */
function readingOf(column: CapturedType, raw: string): string {
  const { rule, type, scale = 6 } = column;
  if (rule === "array" && column.element)
    return `arrayMap(text -> ${readingOf(column.element, "text")}, ${elementsOf(raw)})`;
  if (rule === "text")
    return type === "LowCardinality(String)" ? `CAST(${raw} AS LowCardinality(Nullable(String)))` : raw;
  if (rule === "bytes") return `if(${raw} = '', '', nullIf(tryBase64Decode(${raw}), ''))`;
  if (rule === "bits")
    return `if(isNull(${raw}), NULL, right(leftPad(bin(reverse(tryBase64Decode(${raw}))), ${scale}, '0'), ${scale}))`;
  if (type === "String") return rule === "decimal" ? numericText(raw) : raw;
  switch (rule) {
    case "float":
      return `to${type}OrNull(${raw})`;
    case "uuid":
      return `toUUIDOrNull(${raw})`;
    case "decimal":
      return decimalOf(column, raw);
    case "date":
      return dateOf(type, raw);
    case "time":
      return timeOf(type, scale, raw);
    case "timestamp":
      return timestampOf(type, scale, raw);
    case "timestamptz":
      return zonedTimestampOf(type, raw);
    default:
      return exactly(raw, type);
  }
}

/** NULL for what the type cannot hold exactly. */
function exactly(raw: string, type: string): string {
  return `accurateCastOrNull(${raw}, ${literal(type)})`;
}

/** As Postgres spells it; source of the other spelling: SpecialValueDecimal of Debezium 3.6. */
function numericText(raw: string): string {
  const spellings = { NAN: "NaN", POSITIVE_INFINITY: "Infinity", NEGATIVE_INFINITY: "-Infinity" };
  const [from, to] = [Object.keys(spellings), Object.values(spellings)].map(
    (words) => `[${words.map(literal).join(", ")}]`,
  );
  return `transform(${raw}, ${from}, ${to}, ${raw})`;
}

function decimalOf({ type, scale }: CapturedType, raw: string): string {
  const parts = /^Decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(type);
  // ClickHouse rounds to a Float, and says so by its name.
  if (type.startsWith("Float")) return `to${type}OrNull(${numericText(raw)})`;
  if (!parts) return exactly(raw, type);
  const [digits, fraction] = [Number(parts[1]), Number(parts[2])];
  // Postgres's own declaration keeps the value within the type; without one, ClickHouse would cut digits off silently.
  if (scale !== undefined && scale <= fraction) return exactly(raw, type);
  return (
    `if(match(ifNull(${raw}, ''), ${literal(`^-?0*[0-9]{0,${digits - fraction}}(\\.[0-9]{0,${fraction}}0*)?$`)}), ` +
    `${exactly(raw, type)}, NULL)`
  );
}

function dateOf(type: string, raw: string): string {
  if (type.startsWith("Int")) return exactly(raw, type);
  if (type === "Date") return `CAST(${exactly(raw, "UInt16")} AS Nullable(Date))`;
  return `CAST(${within(exactly(raw, "Int32"), range.days.first, range.days.last)} AS Nullable(Date32))`;
}

/** The value where it is within the limits, else NULL. */
function within(value: string, first: number, last: number): string {
  return `if(${value} BETWEEN ${first} AND ${last}, ${value}, NULL)`;
}

function timeOf(type: string, scale: number, raw: string): string {
  const value = exactly(raw, "Int64");
  if (type === "Int64") return value;
  const unit = 10 ** scale;
  // 24:00:00 is a time in Postgres.
  const inDay = within(value, 0, 86_400 * unit);
  return `CAST(CAST(${inDay} AS Nullable(Decimal(18, ${scale}))) / ${unit} AS Nullable(${type}))`;
}

function timestampOf(type: string, scale: number, raw: string): string {
  const value = exactly(raw, "Int64");
  if (type === "Int64") return value;
  // As text: a number of JavaScript's would round them.
  const first = `${range.seconds.first}${"0".repeat(scale)}`;
  const last = `${range.seconds.last}${"9".repeat(scale)}`;
  const known = `if(${value} BETWEEN ${first} AND ${last}, ${value}, NULL)`;
  const moment = `fromUnixTimestamp64${scale === 3 ? "Milli" : "Micro"}(${known}, 'UTC')`;
  return `CAST(${moment} AS Nullable(${type}))`;
}

function zonedTimestampOf(type: string, raw: string): string {
  const [, digits, zone] = /^DateTime64\(\s*(\d)\s*(?:,\s*('[^']+')\s*)?\)$/.exec(type) ?? [];
  const moment = `parseDateTime64BestEffortOrNull(${raw}, ${digits}, ${zone ?? "'UTC'"})`;
  // Beyond its range ClickHouse takes a moment and cannot tell it right any more.
  return `if(match(ifNull(${raw}, ''), '^(19|2[012])[0-9]{2}-'), ${moment}, NULL)`;
}
