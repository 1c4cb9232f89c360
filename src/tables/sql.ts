/** A name as ClickHouse reads it, whatever is in it. */
export function identifier(name: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : `\`${escaped(name, "`")}\``;
}

/** A name in backquotes, also where it would not need them: some places take words of SQL for what they mean. */
export function quotedIdentifier(name: string): string {
  return `\`${escaped(name, "`")}\``;
}

/** A text as a literal. */
export function literal(text: string): string {
  return `'${escaped(text, "'")}'`;
}

function escaped(text: string, quote: string): string {
  return text.replace(/\\/g, "\\\\").replaceAll(quote, `\\${quote}`);
}
