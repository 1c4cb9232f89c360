/** From which value on something deserves a look, and from which on somebody has to act. */
export interface Limits {
  readonly warning: number;
  readonly critical: number;
}

/**
 * Where colours change. Those that an alert has, too, are the alert's: test/unit/dashboards.test.ts compares them with
 * prometheus/rules/alerts.yml. Seconds, bytes, or a share from 0 to 1.
 */
export const limits = {
  /** 2 s from commit to query is what the pipeline promises. */
  latencySeconds: { warning: 1, critical: 2 },
  canaryWaitingSeconds: { warning: 10, critical: 30 },
  sourceLagSeconds: { warning: 10, critical: 60 },
  slotWalUsed: { warning: 0.5, critical: 0.8 },
  queueUsed: { warning: 0.8, critical: 0.95 },
  consumerLag: { warning: 10_000, critical: 100_000 },
  /** A single one is wrong already. */
  any: { warning: 1, critical: 1 },
  comparisonAgeSeconds: { warning: 900, critical: 3600 },
  containerMemory: { warning: 0.85, critical: 0.95 },
  hostCpu: { warning: 0.8, critical: 0.95 },
  hostMemory: { warning: 0.85, critical: 0.95 },
  diskUsed: { warning: 0.8, critical: 0.9 },
  connections: { warning: 0.7, critical: 0.9 },
  heap: { warning: 0.85, critical: 0.95 },
  /** ClickHouse slows inserts down at 1,000 parts in a partition, and refuses them at 3,000. */
  parts: { warning: 300, critical: 1000 },
} as const satisfies Record<string, Limits>;
