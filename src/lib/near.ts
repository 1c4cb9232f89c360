/** The candidates that a mistyped word may have meant, nearest first, at most three. */
export function nearWords(wanted: string, candidates: readonly string[]): string[] {
  return nearest(candidates, (candidate) => editDistance(wanted.toLowerCase(), candidate.toLowerCase()));
}

/**
 * The candidates for a proposal, nearest first, at most three.
 * @param distance of a candidate from what was written; above three it is not proposed.
 */
export function nearest(candidates: readonly string[], distance: (candidate: string) => number): string[] {
  return candidates
    .map((candidate) => ({ candidate, score: distance(candidate) }))
    .filter(({ score }) => score <= 3)
    .sort((a, b) => a.score - b.score || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Levenshtein's distance. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
