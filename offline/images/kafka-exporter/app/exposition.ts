import type { Group, Partition, Snapshot, Topic } from "./snapshot";

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly samples: (snapshot: Snapshot) => readonly Sample[];
}

/** Version that the build information tells; it names the exporter whose metrics these are. */
const version = "1.10.0-stand-in";

/** kafka_exporter's metrics, under its names, labels and help texts. */
const metrics: readonly Metric[] = [
  {
    name: "kafka_exporter_build_info",
    help: "The stand-in of the local image, with a constant '1' value.",
    samples: () => [{ labels: { version }, value: 1 }],
  },
  {
    name: "kafka_brokers",
    help: "Number of Brokers in the Kafka Cluster.",
    samples: ({ brokers }) => [{ labels: {}, value: brokers.length }],
  },
  {
    name: "kafka_broker_info",
    help: "Information about the Kafka Broker.",
    samples: ({ brokers }) => brokers.map(({ id, address }) => ({ labels: { address, id }, value: 1 })),
  },
  {
    name: "kafka_topic_partitions",
    help: "Number of partitions for this Topic",
    samples: ({ topics }) =>
      topics.map(({ name, partitions }) => ({ labels: { topic: name }, value: partitions.length })),
  },
  ofPartitions("current_offset", "Current Offset of a Broker at Topic/Partition", ({ newest }) => newest),
  ofPartitions("oldest_offset", "Oldest Offset of a Broker at Topic/Partition", ({ oldest }) => oldest),
  ofPartitions("leader", "Leader Broker ID of this Topic/Partition", ({ leader }) =>
    leader < 0 ? Number.NaN : leader,
  ),
  ofPartitions("replicas", "Number of Replicas for this Topic/Partition", ({ replicas }) => replicas.length),
  ofPartitions(
    "in_sync_replica",
    "Number of In-Sync Replicas for this Topic/Partition",
    ({ inSync }) => inSync.length,
  ),
  ofPartitions(
    "leader_is_preferred",
    "1 if Topic/Partition is using the Preferred Broker",
    ({ leader, replicas }) => Number(leader >= 0 && leader === replicas[0]),
  ),
  ofPartitions(
    "under_replicated_partition",
    "1 if Topic/Partition is under Replicated",
    ({ inSync, replicas }) => Number(inSync.length < replicas.length),
  ),
  {
    name: "kafka_consumergroup_members",
    help: "Amount of members in a consumer group",
    samples: ({ groups }) =>
      groups.map(({ id, members }) => ({ labels: { consumergroup: id }, value: members })),
  },
  {
    name: "kafka_consumergroup_current_offset",
    help: "Current Offset of a ConsumerGroup at Topic/Partition",
    samples: (snapshot) =>
      positions(snapshot).map(({ labels, partition, committed }) => ({
        labels: { ...labels, partition: partition.id },
        value: committed,
      })),
  },
  {
    name: "kafka_consumergroup_current_offset_sum",
    help: "Current Offset of a ConsumerGroup at Topic for all partitions",
    samples: (snapshot) => sums(snapshot, ({ committed }) => committed),
  },
  {
    name: "kafka_consumergroup_lag",
    help: "Current Approximate Lag of a ConsumerGroup at Topic/Partition",
    samples: (snapshot) =>
      positions(snapshot).map((position) => ({
        labels: { ...position.labels, partition: position.partition.id },
        value: position.committed < 0 ? -1 : lag(position),
      })),
  },
  {
    name: "kafka_consumergroup_lag_sum",
    help: "Current Approximate Lag of a ConsumerGroup at Topic for all partitions",
    samples: (snapshot) => sums(snapshot, (position) => (position.committed < 0 ? 0 : lag(position))),
  },
];

function ofPartitions(name: string, help: string, value: (partition: Partition) => number): Metric {
  return {
    name: `kafka_topic_partition_${name}`,
    help,
    samples: ({ topics }) =>
      topics.flatMap((topic) =>
        topic.partitions.map((partition) => ({
          labels: { partition: partition.id, topic: topic.name },
          value: value(partition),
        })),
      ),
  };
}

/** Where a group stands in one partition. */
interface Position {
  readonly labels: { readonly consumergroup: string; readonly topic: string };
  readonly partition: Partition;
  /** -1 when nothing is committed. */
  readonly committed: number;
}

function positions({ topics, groups }: Snapshot): readonly Position[] {
  return groups.flatMap((group) => topics.flatMap((topic) => positionsIn(group, topic)));
}

function positionsIn(group: Group, topic: Topic): readonly Position[] {
  const offsets = group.offsets[topic.name];
  if (!offsets) return [];
  return topic.partitions.map((partition) => ({
    labels: { consumergroup: group.id, topic: topic.name },
    partition,
    committed: offsets[partition.id] ?? -1,
  }));
}

/** The group may have moved on since the topic's end was read; that is no lag. */
function lag({ partition, committed }: Position): number {
  return Math.max(0, partition.newest - committed);
}

function sums({ topics, groups }: Snapshot, value: (position: Position) => number): readonly Sample[] {
  return groups.flatMap((group) =>
    topics.flatMap((topic) => {
      const found = positionsIn(group, topic);
      const first = found[0];
      if (!first) return [];
      return [{ labels: first.labels, value: found.reduce((sum, position) => sum + value(position), 0) }];
    }),
  );
}

/** The text that Prometheus scrapes. What is not known, NaN here, is left out. */
export function expose(snapshot: Snapshot, labels: Readonly<Record<string, string>> = {}): string {
  return metrics
    .flatMap(({ name, help, samples }) => {
      const lines = samples(snapshot)
        .filter(({ value }) => !Number.isNaN(value))
        .map((sample) => `${name}${labelText({ ...labels, ...sample.labels })} ${sample.value}`);
      return lines.length > 0 ? [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines] : [];
    })
    .join("\n")
    .concat("\n");
}

function labelText(labels: Sample["labels"]): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  if (pairs.length === 0) return "";
  return `{${pairs.map(([name, value]) => `${name}="${escaped(String(value))}"`).join(",")}}`;
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (found) => (found === "\n" ? "\\n" : `\\${found}`));
}
