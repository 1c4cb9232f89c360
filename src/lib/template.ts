/**
 * A template with each `{{word}}` replaced.
 * @param file its path, for the error.
 * @throws Error that names a word for which nothing is known.
 */
export function filled(template: string, words: Readonly<Record<string, string>>, file: string): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_, word: string) => {
    const value = words[word];
    if (value === undefined) throw new Error(`${file}: nothing is known for {{${word}}}`);
    return value;
  });
}
