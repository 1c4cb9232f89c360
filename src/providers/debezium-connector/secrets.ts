/** Whether a setting's value is not for eyes, by its name; a reference such as `${file:…}` is none. */
export function isSecret(name: string, value: string): boolean {
  return (
    /password|passphrase|secret|token|credential|jaas|\.key$/i.test(name) && !/^\$\{[^}]*\}$/.test(value)
  );
}

/** A text of somebody else's (an error, a trace) without the secrets that the settings hold. */
export function redact(text: string, settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .filter(([name, value]) => value !== "" && isSecret(name, value))
    .reduce((shown, [, value]) => shown.replaceAll(value, "***"), text);
}

/** A setting as it may be shown. */
export function shown(name: string, value: string): string {
  return isSecret(name, value) ? "***" : value;
}
