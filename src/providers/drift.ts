import { isDeepStrictEqual } from "node:util";

type Properties = Readonly<Record<string, unknown>>;

/**
 * Names of the given properties whose values differ. Absent and undefined are the same; so are null and undefined,
 * because state is JSON.
 */
export function changedProperties(olds: Properties, news: Properties, names: readonly string[]): string[] {
  return names.filter((name) => !isDeepStrictEqual(olds[name] ?? undefined, news[name] ?? undefined));
}

/** What `read` found to be otherwise than it should be, in words; empty right after an update. */
export function driftOf(olds: Properties): readonly string[] {
  return Array.isArray(olds.drift) ? (olds.drift as string[]) : [];
}
