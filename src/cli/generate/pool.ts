import type { Random } from "./random";

/** Ids of rows that exist. What is taken out is nobody else's until it is put back: no two transactions meet in a row. */
export class Pool {
  constructor(
    private readonly ids: number[],
    private readonly random: Random,
  ) {}

  get size(): number {
    return this.ids.length;
  }

  /** Any id, which stays in the pool; undefined where there is none. */
  any(): number | undefined {
    return this.ids[this.random.between(0, this.ids.length - 1)];
  }

  take(): number | undefined {
    if (this.ids.length === 0) return undefined;
    const at = this.random.between(0, this.ids.length - 1);
    const [id, last] = [this.ids[at], this.ids.pop()];
    if (at < this.ids.length && last !== undefined) this.ids[at] = last;
    return id;
  }

  put(ids: readonly number[]): void {
    this.ids.push(...ids);
  }
}
