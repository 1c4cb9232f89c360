import type { CapturedType, CatalogColumn, CatalogType } from "./model";
import { literal } from "./sql";

/**
 * The type contract, first half: which ClickHouse type a Postgres type becomes, and by which rule its values are read.
 * docs/type-contract.md has it as a table. How Debezium writes each type follows from the settings in connector.ts;
 * source: PostgresValueConverter and JdbcValueConverters of Debezium 3.6.
 */

/** The type and rule for a column, or why there are none. */
export function capturedType(column: CatalogColumn): CapturedType | { readonly problem: string } {
  const { base } = column;
  if (base.kind !== "array") return scalarType(base);
  // The type registry of Debezium has no element type for these, and leaves the column out.
  if (column.domains && column.type.endsWith("[]"))
    return { problem: "Debezium does not send arrays of a domain" };
  // Debezium sends NULL for an array with a NULL in it: without NULLs of the column's own, that is told.
  if (base.element?.kind === "enum" && !column.notNull)
    return {
      problem:
        "Debezium does not tell an array of an enum with a NULL in it from NULL, unless the column is NOT NULL",
    };
  const element = base.element && (base.element.kind === "enum" ? text : scalarType(base.element));
  if (!element || "problem" in element || !isArraySent(base.element))
    return { problem: `Debezium does not send arrays of ${base.element?.name}` };
  return { rule: "array", type: `Array(Nullable(${element.type}))`, element };
}

const text: CapturedType = { rule: "text", type: "String" };

/** Types that Debezium writes as text, or as an object that is kept as the text of its JSON. */
const textTypes = new Set([
  ...["text", "varchar", "bpchar", "char", "name", "xml", "json", "jsonb", "interval", "timetz", "tsvector"],
  ...["inet", "cidr", "macaddr", "macaddr8", "point"],
  ...["int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange"],
]);

/** The same, for types of extensions, which may be in any schema. */
const extensionTextTypes = new Set(["citext", "hstore", "ltree", "isbn", "geometry", "geography"]);

/** Types whose arrays Debezium has no converter for. */
const notSentInArrays = new Set([
  ...["money", "name", "interval", "bit", "varbit", "xml", "point", "char", "tsvector"],
  "isbn",
]);

function isArraySent(element: CatalogType | undefined): boolean {
  return element !== undefined && !notSentInArrays.has(element.name);
}

function scalarType(type: CatalogType): CapturedType | { readonly problem: string } {
  if (type.kind === "enum") return { rule: "text", type: "LowCardinality(String)" };
  if (type.kind === "range" && type.schema !== "pg_catalog")
    return { problem: "Debezium does not send ranges of your own" };
  if (type.kind !== "base" && type.kind !== "range")
    return { problem: `Debezium does not send ${type.kind} types` };
  if (type.schema !== "pg_catalog") {
    return extensionTextTypes.has(type.name)
      ? text
      : { problem: `the type contract has no rule for ${type.schema}.${type.name}` };
  }
  if (textTypes.has(type.name)) return text;
  return builtInType(type);
}

function builtInType(type: CatalogType): CapturedType | { readonly problem: string } {
  switch (type.name) {
    case "int2":
      return { rule: "integer", type: "Int16" };
    case "int4":
      return { rule: "integer", type: "Int32" };
    case "int8":
      return { rule: "integer", type: "Int64" };
    case "oid":
      return { rule: "integer", type: "UInt32" };
    case "float4":
      return { rule: "float", type: "Float32" };
    case "float8":
      return { rule: "float", type: "Float64" };
    case "bool":
      return { rule: "boolean", type: "Bool" };
    case "numeric":
      return decimalType(type);
    case "money":
      // How many digits follow the point is the server's lc_monetary; more than two go to the table of errors.
      return { rule: "decimal", type: "Decimal(19, 2)" };
    case "bytea":
      return { rule: "bytes", type: "String" };
    case "uuid":
      return { rule: "uuid", type: "UUID" };
    case "date":
      return { rule: "date", type: "Date32" };
    case "time":
      return { rule: "time", type: `Time64(${secondDigits(type)})`, scale: secondDigits(type) };
    case "timestamp":
      return {
        rule: "timestamp",
        type: `DateTime64(${secondDigits(type)}, 'UTC')`,
        scale: secondDigits(type),
      };
    case "timestamptz":
      return {
        rule: "timestamptz",
        type: `DateTime64(${secondDigits(type)}, 'UTC')`,
        scale: secondDigits(type),
      };
    case "bit":
      return type.length === 1
        ? { rule: "boolean", type: "Bool" }
        : { rule: "bits", type: "String", scale: type.length ?? 1 };
    case "varbit":
      return { problem: "Debezium sends bit varying without its length, so leading zeros would be lost" };
    default:
      return { problem: `the type contract has no rule for ${type.name}` };
  }
}

/** With `time.precision.mode=adaptive`, times of up to three digits are sent in milliseconds, others in microseconds. */
function secondDigits(type: CatalogType): 3 | 6 {
  return type.scale !== undefined && type.scale <= 3 ? 3 : 6;
}

/** The most digits that ClickHouse's Decimal has. */
const maxDecimalDigits = 76;

function decimalType({ precision, scale = 0 }: CatalogType): CapturedType {
  if (precision === undefined) return { rule: "decimal", type: "String" };
  const fraction = Math.max(scale, 0);
  const digits = Math.max(precision - Math.min(scale, 0), fraction);
  return {
    rule: "decimal",
    type: digits > maxDecimalDigits ? "String" : `Decimal(${digits}, ${fraction})`,
    scale: fraction,
  };
}

/**
 * A type that the configuration asks for instead of the contract's own, or why it cannot be.
 * @param wanted e.g. `UInt16`; `Nullable(…)` around it is allowed and means nothing: Postgres says what may be NULL.
 */
export function overriddenType(
  own: CapturedType,
  wanted: string,
): CapturedType | { readonly problem: string } {
  const type = /^Nullable\((.*)\)$/.exec(wanted.trim())?.[1] ?? wanted.trim();
  // As text, a value is kept the way Debezium writes it: whatever Postgres holds fits.
  if (type === "String") return own.rule === "array" ? { rule: "text", type } : { ...own, type };
  const allowed = overrides[own.rule];
  if (!allowed) return { problem: `its type cannot be ${wanted}; allowed are ${own.type} and String` };
  const match = allowed.pattern.exec(type);
  if (!match) {
    return { problem: `its type cannot be ${wanted}; allowed are ${allowed.words} and String` };
  }
  const digits = Number(match.groups?.digits ?? own.scale ?? 0);
  if (isTime(own) && (digits < (own.scale ?? 0) || digits > 6)) {
    return {
      problem: `its type cannot be ${wanted}: Postgres has ${own.scale} digits of the second, and ClickHouse's range holds with 6 at most`,
    };
  }
  if (own.rule === "decimal" && own.scale !== undefined && match.groups?.digits && digits < own.scale) {
    return { problem: `its type cannot be ${wanted}: Postgres has ${own.scale} digits after the point` };
  }
  return { ...own, type };
}

function isTime({ rule }: CapturedType): boolean {
  return rule === "time" || rule === "timestamp" || rule === "timestamptz";
}

const integerPattern = "U?Int(8|16|32|64|128|256)";
const decimalPattern = "Decimal\\(\\s*\\d+\\s*,\\s*(?<digits>\\d+)\\s*\\)";
const momentPattern = "DateTime64\\(\\s*(?<digits>\\d)\\s*(,\\s*'[^'\\\\]+'\\s*)?\\)";

const overrides: Partial<Record<CapturedType["rule"], { readonly pattern: RegExp; readonly words: string }>> =
  {
    integer: {
      pattern: new RegExp(`^(${integerPattern}|Float64|${decimalPattern})$`),
      words: "Int8 to Int256, UInt8 to UInt256, Decimal(…), Float64",
    },
    decimal: {
      pattern: new RegExp(`^(${integerPattern}|Float32|Float64|${decimalPattern})$`),
      words: "Decimal(…), Int8 to Int256, UInt8 to UInt256, Float32, Float64",
    },
    float: { pattern: /^Float(32|64)$/, words: "Float32, Float64" },
    text: { pattern: /^LowCardinality\(String\)$/, words: "LowCardinality(String)" },
    date: { pattern: /^(Date|Date32|Int32|Int64)$/, words: "Date32, Date, Int32 or Int64 (days)" },
    time: { pattern: /^(Time64\((?<digits>\d)\)|Int64)$/, words: "Time64(…), Int64" },
    timestamp: { pattern: new RegExp(`^(${momentPattern}|Int64)$`), words: "DateTime64(…, 'UTC'), Int64" },
    timestamptz: { pattern: new RegExp(`^${momentPattern}$`), words: "DateTime64(…, 'UTC')" },
  };

/**
 * A constant default of Postgres as a literal, for rows from before the column: they hold the default without an
 * event that says so. Undefined where it is no constant that can be told from its text.
 */
export function constantDefault(column: CatalogColumn, { rule, type }: CapturedType): string | undefined {
  const value = constantOf(column.default);
  if (value === undefined) return undefined;
  switch (rule) {
    case "integer":
    case "decimal":
    case "float":
      if (type === "String") return literal(value);
      return /^-?\d+(\.\d+)?$/.test(value) && isFiniteIn(type, value) ? value : undefined;
    case "boolean":
      return value === "true" || value === "false" ? value : undefined;
    case "text":
      return isWrittenAsIs(column) ? literal(value) : undefined;
    case "uuid":
      return /^[0-9a-f-]{36}$/.test(value) ? `toUUID(${literal(value)})` : undefined;
    case "date":
      return /^\d{4}-\d\d-\d\d$/.test(value) && type.startsWith("Date")
        ? `CAST(${literal(value)} AS ${type})`
        : undefined;
    default:
      return undefined;
  }
}

/** Whether Debezium writes a value of the type just as Postgres's default spells it. */
function isWrittenAsIs({ base }: CatalogColumn): boolean {
  return base.kind === "enum" || ["text", "varchar", "citext", "name", "json", "jsonb"].includes(base.name);
}

function isFiniteIn(type: string, value: string): boolean {
  return !type.includes("Int") || /^-?\d+$/.test(value);
}

/** The value of a default such as `5`, `'-1'::integer`, `'new'::character varying(8)`; none for NULL and for calls. */
function constantOf(expression: string | undefined): string | undefined {
  if (expression === undefined) return undefined;
  const match =
    /^(?:\(?(-?\d+(?:\.\d+)?)\)?|(true|false)|'((?:[^']|'')*)')(?:::[".\w ]+(?:\([\d, ]+\))?)?$/.exec(
      expression,
    );
  return match?.[1] ?? match?.[2] ?? match?.[3]?.replaceAll("''", "'");
}
