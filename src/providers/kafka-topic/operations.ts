import type { dynamic } from "@pulumi/pulumi";
import type { Admin } from "kafkajs";
import { withKafkaAdmin } from "../../lib/kafka";
import { messageOf, waitFor } from "../../lib/retry";
import { changedProperties, driftOf } from "../drift";
import { HalfDoneError } from "../half-done";
import { keepsData } from "../keep-data";
import { isUnknown } from "../unknown";
import { driftIfUnreachable, goneIfManaged } from "../unreachable";
import { checkInputs } from "./check";
import { alterTopic, createTopic, deleteTopic, differingSettings, readTopic, type TopicFacts } from "./topic";
import type { KafkaTopicInputs, KafkaTopicState } from "./types";

/** Longest wait for a broker that should be there: to read, or to delete. */
const presentMs = 10_000;

const compared = [
  "bootstrapServers",
  "topic",
  "partitions",
  "replicationFactor",
  "config",
  "managed",
  "startTimeoutSeconds",
  "revision",
] as const;

/** What Kafka does not change once a topic exists, or not without harm. */
const fixed = ["partitions", "replicationFactor"] as const;

export async function check(olds: KafkaTopicInputs, news: KafkaTopicInputs): Promise<dynamic.CheckResult> {
  const { inputs, failures } = checkInputs(news as unknown as Record<string, unknown>);
  if (failures.length > 0) return { inputs, failures };
  return { inputs, failures: await fixedFailures(olds, inputs as unknown as KafkaTopicInputs) };
}

export async function diff(
  _id: string,
  olds: KafkaTopicState,
  news: KafkaTopicInputs,
): Promise<dynamic.DiffResult> {
  const changed = changedProperties({ ...olds }, { ...news }, compared);
  return {
    changes: changed.length > 0 || driftOf({ ...olds }).length > 0,
    // A container of ours keeps its data when its address changes; another address of a Kafka that is not ours is
    // taken for another Kafka.
    replaces: changed.filter((name) => name === "topic" || (name === "bootstrapServers" && !news.managed)),
    // The new one may well be the old Kafka under another name.
    deleteBeforeReplace: true,
  };
}

export async function create(inputs: KafkaTopicInputs): Promise<dynamic.CreateResult> {
  return { id: inputs.topic, outs: await establish(inputs, undefined) };
}

export async function update(
  _id: string,
  olds: KafkaTopicState,
  news: KafkaTopicInputs,
): Promise<dynamic.UpdateResult> {
  return { outs: await establish(news, olds) };
}

export function read(id: string, props: KafkaTopicState): Promise<dynamic.ReadResult> {
  return driftIfUnreachable(id, props, () =>
    withKafkaAdmin(props.bootstrapServers, presentMs, async (admin) => {
      const facts = await readTopic(admin, props.topic);
      if (facts === undefined) return { id: "", props: {} };
      return { id, props: { ...props, drift: differences(props, facts) } };
    }),
  );
}

async function remove(
  _id: string,
  { topic, bootstrapServers, managed, adopted }: KafkaTopicState,
): Promise<void> {
  const what = `topic ${topic} at ${bootstrapServers}`;
  if (keepsData(what)) return;
  if (adopted) {
    console.log(`${what} was there before; it stays`);
    return;
  }
  const removal = {
    what,
    managed,
    gone: "Kafka does not answer any more; the topic goes with its container and volume",
    left: `It still holds topic ${topic}`,
  };
  await goneIfManaged(removal, () =>
    withKafkaAdmin(bootstrapServers, presentMs, (admin) => deleteTopic(admin, topic)),
  );
}

export { remove as delete };

/** Makes the topic, or gives the one that is there the wanted settings, and looks at the result. */
async function establish(
  inputs: KafkaTopicInputs,
  olds: KafkaTopicState | undefined,
): Promise<KafkaTopicState> {
  const changes = { begun: false, adopted: olds?.adopted ?? false };
  try {
    return await withKafkaAdmin(inputs.bootstrapServers, inputs.startTimeoutSeconds * 1000, async (admin) => {
      const found = await readTopic(admin, inputs.topic);
      if (found === undefined) {
        changes.adopted = false;
        await createTopic(admin, inputs);
        changes.begun = true;
      } else {
        refuseMisfit(inputs, found);
        if (olds === undefined) changes.adopted = adopts(inputs, found);
        const dropped = Object.keys(olds?.config ?? {}).filter((name) => !(name in inputs.config));
        const needed =
          differingSettings(inputs.config, found).length > 0 ||
          dropped.some((name) => name in found.overrides);
        if (needed) await alterTopic(admin, inputs, found, dropped);
        changes.begun = needed;
      }
      await verify(admin, inputs);
      return { ...inputs, adopted: changes.adopted, drift: [] };
    });
  } catch (error) {
    if (!changes.begun) throw error;
    const { adopted } = changes;
    throw new HalfDoneError(
      inputs.topic,
      { ...inputs, adopted, drift: [`not finished: ${messageOf(error)}`] },
      error,
    );
  }
}

/** Looks again after the change: a broker applies settings a moment after it has taken them. */
async function verify(admin: Admin, inputs: KafkaTopicInputs): Promise<void> {
  await waitFor(
    async () => {
      const facts = await readTopic(admin, inputs.topic);
      const rest = facts === undefined ? ["it is not there"] : differences(inputs, facts);
      if (rest.length > 0) throw new Error(rest.join("; "));
      return true;
    },
    { what: `topic ${inputs.topic} at ${inputs.bootstrapServers}, after the change`, timeoutMs: 20_000 },
  );
}

function differences(inputs: KafkaTopicInputs, facts: TopicFacts): string[] {
  return [
    ...fixed
      .filter((name) => facts[name] !== inputs[name])
      .map((name) => `topic ${inputs.topic} has ${name} ${facts[name]} instead of ${inputs[name]}`),
    ...differingSettings(inputs.config, facts).map(
      (name) =>
        `topic ${inputs.topic} has ${name}=${facts.config[name] ?? "(unknown)"} instead of ${inputs.config[name]}`,
    ),
  ];
}

/** Whether a topic that was there is somebody else's; those in a Kafka of ours are ours. */
function adopts(inputs: KafkaTopicInputs, found: TopicFacts): boolean {
  if (inputs.managed) return false;
  const differing = differingSettings(inputs.config, found);
  if (differing.length === 0) return true;
  const list = differing.map(
    (name) => `${name}=${found.config[name] ?? "(unknown)"}, not ${inputs.config[name]}`,
  );
  throw new Error(
    `topic ${inputs.topic} at ${inputs.bootstrapServers} was there before and is not changed, but has ${list.join("; ")}. ` +
      "Change the configuration to what the topic has, alter or delete the topic, or choose another topic prefix",
  );
}

function refuseMisfit(inputs: KafkaTopicInputs, found: TopicFacts): void {
  const misfits = fixed.filter((name) => found[name] !== inputs[name]);
  if (misfits.length === 0) return;
  throw new Error(
    `topic ${inputs.topic} at ${inputs.bootstrapServers} ` +
      `${misfits.map((name) => `has ${name} ${found[name]}, not ${inputs[name]}`).join(", and ")}. ` +
      misfits.map((name) => adviceFor(name, found[name])).join(". "),
  );
}

function adviceFor(name: (typeof fixed)[number], found: number): string {
  return name === "partitions"
    ? "Kafka never reduces partitions, and with more of them a key's events would go to another partition than its " +
        `earlier ones, out of order. Keep partitions at ${found}, or have new topics made: choose another topic ` +
        "prefix, or take the pipeline down and up again; both begin with a new snapshot"
    : `The number of copies is changed by moving partitions: keep replicationFactor at ${found}, or move them with ` +
        "kafka-reassign-partitions.sh first and change the configuration then";
}

/**
 * A change of what is fixed is refused before anything is done, so that a preview says it. Unless the topic has become
 * like that by other means: then the configuration only follows.
 */
async function fixedFailures(
  olds: Partial<KafkaTopicState> | undefined,
  news: KafkaTopicInputs,
): Promise<dynamic.CheckFailure[]> {
  // Without `olds` it is new; with another topic or Kafka it will be.
  const sameTopic =
    olds?.topic === news.topic && (news.managed || olds.bootstrapServers === news.bootstrapServers);
  const changed = fixed.filter((name) => olds?.[name] !== news[name] && !isUnknown(news[name]));
  if (!sameTopic || changed.length === 0) return [];
  // What the topic has now; where no broker answers, what it had.
  const reality = await withKafkaAdmin(news.bootstrapServers, 3_000, (admin) =>
    readTopic(admin, news.topic),
  ).catch(() => olds);
  // Gone meanwhile: it is made anew, as the configuration says.
  if (reality === undefined) return [];
  const now = (name: (typeof fixed)[number]) => reality[name] as number;
  return changed
    .filter((name) => now(name) !== news[name])
    .map((property) => ({
      property,
      reason:
        `topic ${news.topic} has ${now(property)}, and ${news[property]} cannot be made of it. ` +
        adviceFor(property, now(property)),
    }));
}
