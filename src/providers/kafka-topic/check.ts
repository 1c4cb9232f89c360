import { nearWords } from "../../lib/near";
import { type Failures, isText, type Raw, withDefaults } from "../check";
import { isUnknown } from "../unknown";
import type { KafkaTopicInputs } from "./types";

/** Defaults of what may be left out. */
const defaults = { config: {}, managed: false, startTimeoutSeconds: 120 } as const;

/**
 * Settings of a topic in Kafka 4.3 (LogConfig), for proposals only: what is not among them, the broker judges, which
 * may be another version or another maker's.
 */
const knownSettings = [
  "cleanup.policy",
  "compression.gzip.level",
  "compression.lz4.level",
  "compression.type",
  "compression.zstd.level",
  "delete.retention.ms",
  "file.delete.delay.ms",
  "flush.messages",
  "flush.ms",
  "follower.replication.throttled.replicas",
  "index.interval.bytes",
  "leader.replication.throttled.replicas",
  "local.retention.bytes",
  "local.retention.ms",
  "max.compaction.lag.ms",
  "max.message.bytes",
  "message.timestamp.after.max.ms",
  "message.timestamp.before.max.ms",
  "message.timestamp.type",
  "min.cleanable.dirty.ratio",
  "min.compaction.lag.ms",
  "min.insync.replicas",
  "preallocate",
  "remote.log.copy.disable",
  "remote.log.delete.on.disable",
  "remote.storage.enable",
  "retention.bytes",
  "retention.ms",
  "segment.bytes",
  "segment.index.bytes",
  "segment.jitter.ms",
  "segment.ms",
  "unclean.leader.election.enable",
];

/** The inputs with defaults, and what is wrong with them. Values that are not known yet are let through. */
export function checkInputs(news: Raw): { readonly inputs: Raw; readonly failures: Failures } {
  const inputs = withDefaults(news, defaults);
  const known = inputs as unknown as KafkaTopicInputs;
  const failures: Failures = [];
  const demand = (property: string, isFine: () => boolean, reason: () => string) => {
    if (!isUnknown(inputs[property]) && !isFine()) failures.push({ property, reason: reason() });
  };
  const shown = (property: string) => `is ${JSON.stringify(inputs[property]) ?? "missing"}`;
  demand(
    "bootstrapServers",
    () => isText(known.bootstrapServers) && known.bootstrapServers.split(",").every(isAddress),
    () => `${shown("bootstrapServers")}; must be host:port, several with commas`,
  );
  // Source: org.apache.kafka.common.internals.Topic.
  demand(
    "topic",
    () => isText(known.topic) && /^[a-zA-Z0-9._-]{1,249}$/.test(known.topic) && !/^\.\.?$/.test(known.topic),
    () => `${shown("topic")}; a topic's name has letters, digits, ".", "_" and "-", at most 249`,
  );
  demand(
    "partitions",
    () => isCount(known.partitions, 100_000),
    () => `${shown("partitions")}; must be a whole number from 1`,
  );
  demand(
    "replicationFactor",
    () => isCount(known.replicationFactor, 32_767),
    () => `${shown("replicationFactor")}; must be a whole number from 1 to the number of brokers`,
  );
  demand(
    "startTimeoutSeconds",
    () => typeof known.startTimeoutSeconds === "number" && known.startTimeoutSeconds > 0,
    () => `${shown("startTimeoutSeconds")}; must be a number of seconds`,
  );
  if (!isUnknown(inputs.config)) failures.push(...configFailures(inputs.config));
  return { inputs, failures };
}

function configFailures(config: unknown): Failures {
  if (typeof config !== "object" || config === null || Array.isArray(config))
    return [{ property: "config", reason: "must be settings by name" }];
  return Object.entries(config).flatMap(([name, value]) => {
    const reasons: string[] = [];
    if (typeof value !== "string")
      reasons.push(`${name} is ${JSON.stringify(value)}; Kafka takes all values as text`);
    const near = knownSettings.includes(name) ? [] : nearWords(name, knownSettings);
    if (near.length > 0)
      reasons.push(`${name}: Kafka has no such setting of a topic; did you mean ${near.join(" or ")}?`);
    return reasons.map((reason) => ({ property: "config", reason }));
  });
}

function isAddress(server: string): boolean {
  const port = Number(
    /^\s*[^\s:,]+:(\d{1,5})\s*$/.exec(server)?.[1] ?? /^\s*\[[0-9a-f:]+\]:(\d{1,5})\s*$/i.exec(server)?.[1],
  );
  return port > 0 && port < 65_536;
}

function isCount(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most;
}
