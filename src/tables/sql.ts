/** A name as ClickHouse reads it, whatever is in it. */
export function identifier(name: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : `\`${escaped(name, "`")}\``;
}

/** A name in backquotes, also where it would not need them: some places take words of SQL for what they mean. */
export function quotedIdentifier(name: string): string {
  return `\`${escaped(name, "`")}\``;
}

/** A table of a database, as a statement names it. */
export function qualified(database: string, name: string): string {
  return `${quotedIdentifier(database)}.${quotedIdentifier(name)}`;
}

/** A text as a literal. */
export function literal(text: string): string {
  return `'${escaped(text, "'")}'`;
}

/** A name as Postgres's SQL. */
export function postgresIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `schema.table` as Postgres's SQL, each part in double quotes. */
export function postgresName(qualifiedName: string): string {
  const [schema = "", ...rest] = qualifiedName.split(".");
  return [schema, rest.join(".")].map(postgresIdentifier).join(".");
}

/** What a quoted name or text stands for, without the quotes around it. */
export function unescaped(quoted: string): string {
  return quoted.replace(/\\(.)/g, (_, letter: string) => lineEnds[letter] ?? letter);
}

/** The definition of a table is read line by line. */
const lineEnds: Readonly<Record<string, string>> = { n: "\n", r: "\r" };

function escaped(text: string, quote: string): string {
  return text
    .replace(/\\/g, "\\\\")
    .replaceAll(quote, `\\${quote}`)
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r");
}
