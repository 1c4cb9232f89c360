/** A qualified name of Postgres as SQL: each part in double quotes. */
export function quotedName(qualified: string): string {
  const [schema = "", ...rest] = qualified.split(".");
  return [schema, rest.join(".")].map(quotedIdentifier).join(".");
}

export function quotedIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A name as ClickHouse's SQL. */
export function quotedBack(name: string): string {
  return `\`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;
}

/** A text as a literal of ClickHouse's SQL. */
export function clickhouseText(value: string): string {
  return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
