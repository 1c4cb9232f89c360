/** A text as a regular expression that matches it and nothing else; Java, Go and JavaScript read it alike. */
export function literally(text: string): string {
  return text.replace(/[\\^$*+?.()|[\]{}]/g, "\\$&");
}
