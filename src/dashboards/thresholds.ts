/** Yellow from `near` on, red from `limit` on. */
export interface Limits {
  readonly near: number;
  readonly limit: number;
  /** The alert that fires beyond the limit. */
  readonly alert?: string;
}

/**
 * Where colours change: seconds, bytes, or a share from 0 to 1. A limit that has an alert is the alert's own:
 * test/unit/dashboards.test.ts compares it with prometheus/rules/alerts.yml.
 */
export const limits = {
  /** What the pipeline promises from commit to query. */
  latencySeconds: { near: 1, limit: 2, alert: "CdcCanaryLate" },
  canaryWaitingSeconds: { near: 10, limit: 30, alert: "CdcCanaryMissing" },
  sourceLagSeconds: { near: 10, limit: 60 },
  slotLagBytes: { near: 128 * 1024 * 1024, limit: 256 * 1024 * 1024, alert: "CdcSlotLagging" },
  slotWalUsed: { near: 0.5, limit: 0.8, alert: "CdcSlotWalNearLimit" },
  queueUsed: { near: 0.8, limit: 0.95 },
  consumerLag: { near: 5000, limit: 10_000, alert: "CdcConsumerLagging" },
  comparisonsWithoutResult: { near: 1, limit: 2, alert: "CdcComparisonStale" },
  containerMemory: { near: 0.8, limit: 0.9, alert: "CdcContainerMemoryHigh" },
  restarts: { near: 1, limit: 3, alert: "CdcContainerRestarting" },
  hostCpu: { near: 0.8, limit: 0.95 },
  hostMemoryUsed: { near: 0.9, limit: 0.95, alert: "CdcHostMemoryLow" },
  diskUsed: { near: 0.8, limit: 0.9, alert: "CdcDiskNearlyFull" },
  connections: { near: 0.7, limit: 0.9 },
  heap: { near: 0.85, limit: 0.95 },
  /** ClickHouse slows inserts down at 1,000 parts in a partition, and refuses them at 3,000. */
  parts: { near: 300, limit: 500, alert: "CdcClickHouseTooManyParts" },
} as const satisfies Record<string, Limits>;

/** What there should be none of: a single one is too many. */
export const none: Limits = { near: 1, limit: 1 };

/** The alerts that fire on more than none. */
export const alertsOnAny = [
  "CdcErrorsWaiting",
  "CdcRowsDiffering",
  "CdcTaskFailed",
  "CdcContainerOomKilled",
  "CdcKafkaPartitionsOffline",
  "CdcKafkaUnderReplicated",
  "CdcNotificationsFailing",
  "CdcRulesFailing",
] as const;
