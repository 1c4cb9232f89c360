import type { Admin } from "kafkajs";
import type { Settings } from "./flags";

/** What a Kafka cluster is like at one moment. */
export interface Snapshot {
  readonly brokers: readonly { readonly id: number; readonly address: string }[];
  readonly topics: readonly Topic[];
  readonly groups: readonly Group[];
}

export interface Topic {
  readonly name: string;
  readonly partitions: readonly Partition[];
}

export interface Partition {
  readonly id: number;
  /** Id of the leading broker; -1 when there is none. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
  readonly oldest: number;
  readonly newest: number;
}

export interface Group {
  readonly id: string;
  readonly members: number;
  /** Committed offsets by topic and partition, of topics that are collected; -1 where nothing is committed. */
  readonly offsets: Readonly<Record<string, Readonly<Record<number, number>>>>;
}

/** Asks Kafka. Offsets of groups come after those of topics, so that a lag is never too small by much. */
export async function takeSnapshot(admin: Admin, settings: Settings): Promise<Snapshot> {
  const { brokers } = await admin.describeCluster();
  const topics = await readTopics(admin, settings);
  return {
    brokers: brokers.map(({ nodeId, host, port }) => ({ id: nodeId, address: `${host}:${port}` })),
    topics,
    groups: await readGroups(admin, topics, settings),
  };
}

async function readTopics(admin: Admin, settings: Settings): Promise<readonly Topic[]> {
  const { topics } = await admin.fetchTopicMetadata();
  const wanted = topics.filter(({ name }) => settings.topics(name));
  return Promise.all(
    wanted.map(async ({ name, partitions }) => {
      const offsets = new Map((await admin.fetchTopicOffsets(name)).map((entry) => [entry.partition, entry]));
      return {
        name,
        partitions: partitions.map((partition) => ({
          id: partition.partitionId,
          leader: partition.leader,
          replicas: partition.replicas,
          inSync: partition.isr,
          oldest: Number(offsets.get(partition.partitionId)?.low ?? Number.NaN),
          newest: Number(offsets.get(partition.partitionId)?.high ?? Number.NaN),
        })),
      };
    }),
  );
}

async function readGroups(
  admin: Admin,
  topics: readonly Topic[],
  settings: Settings,
): Promise<readonly Group[]> {
  const listed = (await admin.listGroups()).groups.map(({ groupId }) => groupId).filter(settings.groups);
  if (listed.length === 0) return [];
  const { groups } = await admin.describeGroups(listed);
  return Promise.all(
    groups.map(async ({ groupId, members }) => ({
      id: groupId,
      members: members.length,
      offsets:
        settings.showAll || members.length > 0
          ? offsetsIn(topics, await admin.fetchOffsets({ groupId }))
          : {},
    })),
  );
}

type Committed = Awaited<ReturnType<Admin["fetchOffsets"]>>;

/** A group that consumes a topic has an entry for each of its partitions, also for those without a commit. */
function offsetsIn(topics: readonly Topic[], committed: Committed): Group["offsets"] {
  const known = new Map(
    committed.map(({ topic, partitions }) => [
      topic,
      new Map(partitions.map((entry) => [entry.partition, Number(entry.offset)])),
    ]),
  );
  const consumed = topics.filter(({ name }) => [...(known.get(name)?.values() ?? [])].some((at) => at >= 0));
  return Object.fromEntries(
    consumed.map(({ name, partitions }) => [
      name,
      Object.fromEntries(partitions.map(({ id }) => [id, known.get(name)?.get(id) ?? -1])),
    ]),
  );
}
