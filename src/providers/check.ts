import type { dynamic } from "@pulumi/pulumi";

export type Failures = dynamic.CheckFailure[];
export type Raw = Readonly<Record<string, unknown>>;

/** Inputs with the defaults of what was left out. */
export function withDefaults(news: Raw, defaults: Raw): Raw {
  const given = Object.entries(news).filter(([, value]) => value !== undefined && value !== null);
  return { ...defaults, ...Object.fromEntries(given) };
}

/** Whether a value is a text, and not an empty one. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
