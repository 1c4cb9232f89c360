/** What goes by a captured table's name in Postgres. Definitions may be the same where the table is not. */
export interface Relation {
  /** `pg_class.oid`: another one once the table was dropped and made again, of which Postgres sends no event. */
  readonly oid: number;
  /** `pg_attribute.attnum` by column: another one where a column took the name of one before it. */
  readonly columns: Readonly<Record<string, number>>;
  /** Position in the WAL, in bytes, after the last change of the table that had the name before; left out without one. */
  readonly since?: string;
}

/** By captured table. One that is not in it is not known, as in a state from before relations were noted. */
export type Relations = Readonly<Record<string, Relation>>;

/** Captured tables of which there is another one than before. */
export function remadeTables(before: Relations = {}, now: Relations = {}): string[] {
  return Object.keys(now).filter((table) => (before[table]?.oid ?? now[table]?.oid) !== now[table]?.oid);
}
