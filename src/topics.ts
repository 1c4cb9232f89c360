import type { CdcConfig } from "./config";
import { heartbeatTable, heartbeatTopicPrefix, maxEventBytes, signalTable, topicOf } from "./tables";

/** A topic of the pipeline. */
export interface TopicPlan {
  readonly topic: string;
  readonly partitions: number;
  /** Kafka's own settings of a topic. */
  readonly config: Readonly<Record<string, string>>;
}

/** The topics that the connector writes to: one a captured table, and those of the pipeline's own tables. */
export function topicPlan({ tables, kafka, connector }: CdcConfig): TopicPlan[] {
  const hour = 60 * 60 * 1000;
  const prefix = connector.topicPrefix;
  const captured = tables.map(({ table }) => ({
    topic: topicOf(prefix, table),
    partitions: kafka.partitions,
    config: settings(kafka.retentionHours * hour),
  }));
  // An event in one of these is of use for minutes.
  const own = [
    topicOf(prefix, heartbeatTable.source),
    topicOf(prefix, signalTable),
    `${heartbeatTopicPrefix}.${prefix}`,
  ];
  return [...captured, ...own.map((topic) => ({ topic, partitions: 1, config: settings(24 * hour) }))];
}

function settings(retentionMs: number): Record<string, string> {
  return {
    "cleanup.policy": "delete",
    "retention.ms": String(retentionMs),
    // As the connector compresses: the broker stores what it receives.
    "compression.type": "lz4",
    "max.message.bytes": String(maxEventBytes),
  };
}
