export interface State {
  readonly value: number;
  readonly from: number;
  readonly to: number;
}

/** Points that follow each other with the same value are one state; it ends at the next point, or at the range's end. */
export function statesOf(
  times: ArrayLike<number>,
  values: ArrayLike<number | null>,
  { from, to }: { readonly from: number; readonly to: number },
): State[] {
  const states: State[] = [];
  for (let index = 0; index < times.length; index++) {
    const value = values[index];
    if (value === null || value === undefined) continue;
    const start = Math.max(from, times[index] as number);
    const end = Math.min(to, times[index + 1] ?? to);
    const last = states.at(-1);
    if (last && last.value === value && last.to >= start) states[states.length - 1] = { ...last, to: end };
    else states.push({ value, from: start, to: end });
  }
  return states;
}
