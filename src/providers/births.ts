/**
 * When the tables in which a captured table's rows end were made, by captured table: a time, or `keptBirth`. Rows that
 * had come before are not in them, and Kafka's consumer group is past their events: who sees another birth than before
 * has the rows sent again.
 */
export type Births = Readonly<Record<string, string>>;

/** Of tables that were there already when a stack was made: their rows were kept together with the data volumes. */
export const keptBirth = "kept";
