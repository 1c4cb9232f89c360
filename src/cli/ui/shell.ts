/** Lines for `eval` in any POSIX shell; each value reaches the variable as it is, whatever it holds. */
export function exportLines(variables: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(variables).map(([name, value]) => `export ${name}=${quote(value)}`);
}

/** In single quotes nothing is special but the single quote. */
function quote(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}
