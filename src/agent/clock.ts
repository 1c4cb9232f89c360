/** Milliseconds that only ever rise, from an arbitrary start: what durations are measured with. */
export type Clock = () => number;

export const monotonic: Clock = () => performance.now();
