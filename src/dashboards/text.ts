const width = 110;

/**
 * A dashboard as the text of its file: two spaces, a short list on one line, a line feed at the end. It is how the
 * project's formatter writes JSON, so that a generated file passes the format check.
 */
export function jsonText(value: unknown): string {
  // There and back: what is undefined, or a function, is nothing in JSON.
  return `${written(JSON.parse(JSON.stringify(value)), "", 0)}\n`;
}

/** @param used length of the rest of the value's line. */
function written(value: unknown, indent: string, used: number): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    const line = `[${value.map((item) => JSON.stringify(item)).join(", ")}]`;
    const short =
      used + line.length <= width && value.every((item) => item === null || typeof item !== "object");
    if (short) return line;
    return `[\n${value.map((item) => inner + written(item, inner, inner.length + 1)).join(",\n")}\n${indent}]`;
  }
  const lines = Object.entries(value).map(([key, item]) => {
    const start = `${inner}${JSON.stringify(key)}: `;
    return start + written(item, inner, start.length + 1);
  });
  return lines.length === 0 ? "{}" : `{\n${lines.join(",\n")}\n${indent}}`;
}
