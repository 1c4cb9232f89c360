import { z } from "zod";
import { configSchema, unwrapped } from "./config";

/** One setting, for people. */
export interface Setting {
  /** As `pulumi config set --path` takes it, e.g. `cdc:kafka.partitions`. */
  readonly key: string;
  readonly description: string;
  /** The default as JSON. */
  readonly default: string;
}

/** Every setting with its description and default, in the schema's order; groups are taken apart. */
export function settings(): readonly Setting[] {
  const defaults = configSchema.parse({}) as Readonly<Record<string, unknown>>;
  return Object.entries(configSchema.shape).flatMap(([name, type]) =>
    settingsIn(`cdc:${name}`, type, defaults[name]),
  );
}

/** The settings as a table in Markdown: what the README shows. */
export function settingsTable(): string {
  const rows = settings().map(
    ({ key, description, default: value }) => `| \`${key}\` | ${value} | ${description} |`,
  );
  return ["| setting | default | what it is |", "|---|---|---|", ...rows].join("\n");
}

function settingsIn(key: string, type: z.ZodType, value: unknown): readonly Setting[] {
  const inner = unwrapped(type);
  if (!(inner instanceof z.ZodObject))
    return [{ key, description: type.description ?? "", default: inWords(key, value) }];
  const values = value as Readonly<Record<string, unknown>> | undefined;
  return Object.entries(inner.shape).flatMap(([name, child]) =>
    // A group that is left out has no values; its settings still have the defaults that they get in one.
    settingsIn(`${key}.${name}`, child as z.ZodType, values ? values[name] : child.safeParse(undefined).data),
  );
}

/** A value as a cell of the table; the longer ones by what they amount to. */
function inWords(key: string, value: unknown): string {
  if (key === "cdc:tables") return "`inventory.orders`, `inventory.customers`, `inventory.products`";
  if (key === "cdc:services") return "all on";
  if (value === undefined) return "none";
  if (typeof value !== "object" || value === null) return `\`${String(value)}\``;
  const entries = Object.entries(value);
  return entries.length === 0 ? "none" : entries.map(([name, each]) => `${name} ${each}`).join(", ");
}

/** A Markdown text with today's table of settings between the two comments that mark its place. */
export function withSettings(markdown: string): string {
  const [begin, end] = ["<!-- settings -->", "<!-- /settings -->"];
  const from = markdown.indexOf(begin);
  const to = markdown.indexOf(end);
  if (from < 0 || to < from) throw new Error(`the text has no place for the settings: ${begin} … ${end}`);
  return `${markdown.slice(0, from + begin.length)}\n${settingsTable()}\n${markdown.slice(to)}`;
}
