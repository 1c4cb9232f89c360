/**
 * Which series are drawn after a click on one in a legend, as in Grafana: that one alone, and all again after another
 * click; with Ctrl or Shift, that one more or less.
 *
 * @returns undefined for all.
 */
export function shownAfterClick(
  before: readonly string[] | undefined,
  clicked: readonly string[],
  isAdded: boolean,
): readonly string[] | undefined {
  if (!isAdded || before === undefined) return before && sameNames(before, clicked) ? undefined : clicked;
  const kept = before.filter((name) => !clicked.includes(name));
  const after = kept.length < before.length ? kept : [...before, ...clicked];
  return after.length === 0 ? undefined : after;
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}
