import type { dynamic } from "@pulumi/pulumi";
import { withoutCredentials } from "../../lib/http";
import { messageOf, waitFor } from "../../lib/retry";
import { exactly } from "../../tables";
import { keptBirth } from "../births";
import { changedProperties, driftOf } from "../drift";
import { HalfDoneError } from "../half-done";
import { keepsData } from "../keep-data";
import { isUnknown } from "../unknown";
import { driftIfUnreachable, goneIfManaged } from "../unreachable";
import { checkInputs } from "./check";
import { Connect, type ReportedStatus } from "./connect";
import { failed, isPassing, lookBefore, stateDrift, waitUntilFlowing } from "./flow";
import { redact } from "./secrets";
import {
  differingSettings,
  generationIn,
  identitySettings,
  includedTables,
  nextGeneration,
  wantedSettings,
} from "./settings";
import { readTables } from "./signal";
import { removeSlot, slotDrift, slotProblem } from "./slot";
import type { DebeziumConnectorInputs, DebeziumConnectorState } from "./types";

/** Longest wait for a Connect that should be there: to read, or to delete. */
const presentMs = 10_000;

const compared = [
  "url",
  "connector",
  "settings",
  "source",
  "generationSetting",
  "heartbeat",
  "signals",
  "births",
  "managed",
  "startTimeoutSeconds",
  "revision",
] as const;

export async function check(
  _olds: DebeziumConnectorInputs,
  news: DebeziumConnectorInputs,
): Promise<dynamic.CheckResult> {
  return checkInputs(news as unknown as Record<string, unknown>);
}

export async function diff(
  _id: string,
  olds: DebeziumConnectorState,
  news: DebeziumConnectorInputs,
): Promise<dynamic.DiffResult> {
  // Not known before the tables are looked at: then they will most likely be the same.
  const births = isUnknown(news.births) ? olds.births : news.births;
  const changed = changedProperties({ ...olds }, { ...news, births }, compared);
  const replaces = changed.filter((name) => {
    switch (name) {
      case "connector":
      // Events without it, or under another header, count as those of no generation.
      case "generationSetting":
        return true;
      // A container of ours keeps its data when its address changes.
      case "url":
        return !news.managed;
      // Not known yet means that it is being made anew.
      case "source":
        return olds.source !== undefined && news.source !== undefined;
      case "settings":
        return isAnother(olds, news);
      default:
        return false;
    }
  });
  return {
    changes: changed.length > 0 || driftOf({ ...olds }).length > 0,
    replaces,
    // A slot has one reader.
    deleteBeforeReplace: true,
  };
}

export async function create(inputs: DebeziumConnectorInputs): Promise<dynamic.CreateResult> {
  return { id: inputs.connector, outs: await establish(inputs, undefined) };
}

export async function update(
  _id: string,
  olds: DebeziumConnectorState,
  news: DebeziumConnectorInputs,
): Promise<dynamic.UpdateResult> {
  return { outs: await establish(news, olds) };
}

export function read(id: string, props: DebeziumConnectorState): Promise<dynamic.ReadResult> {
  return driftIfUnreachable(id, props, async () => {
    const connect = new Connect(props.url);
    await connect.ready(presentMs);
    const found = await connect.settings(props.connector);
    // Not taken for gone: its offsets are still there, and with them an update makes it go on where it was.
    if (found === undefined)
      return { id, props: { ...props, drift: [`connector ${props.connector} does not exist`] } };
    const drift = [
      ...differingSettings(wantedSettings(props, props.generation), found),
      ...stateDrift(props.connector, await settled(connect, props.connector)),
      ...(await slotDrift(props)),
    ];
    return { id, props: { ...props, drift: drift.map((text) => redact(text, props.settings)) } };
  });
}

async function remove(_id: string, { url, connector, managed }: DebeziumConnectorState): Promise<void> {
  const what = `connector ${connector} at ${withoutCredentials(url)} and its offsets`;
  if (keepsData(what)) return;
  const removal = {
    what,
    managed,
    gone: "Kafka Connect does not answer any more; they go with Kafka's volume",
    left: `It still runs ${what}`,
  };
  await goneIfManaged(removal, async () => {
    const connect = new Connect(url);
    await connect.ready(presentMs);
    if (!(await connect.stop(connector))) return;
    // Without them, one of the same name would try to go on at a slot that is gone, and fail.
    await connect.deleteOffsets(connector);
    await connect.delete(connector);
  });
}

export { remove as delete };

/** Makes Connect hold the connector with these settings, and ends when it flows. */
async function establish(
  inputs: DebeziumConnectorInputs,
  olds: DebeziumConnectorState | undefined,
): Promise<DebeziumConnectorState> {
  const { connector, startTimeoutSeconds } = inputs;
  const connect = new Connect(inputs.url);
  await connect.ready(startTimeoutSeconds * 1000);
  const found = await connect.settings(connector);
  if (olds === undefined && found !== undefined) refuseAnother(inputs, found);
  const before = await lookBefore(connect, inputs);
  const undecided = wantedSettings(inputs, 0);
  await refuseProblems(connect, connector, undecided);

  // What an `up` that was cut short has begun may be in Connect alone.
  const lastGeneration = Math.max(olds?.generation ?? 0, generationIn(found, inputs) ?? 0);
  const progress = { generation: lastGeneration, unread: unreadTables(inputs, olds, found) };
  try {
    const startedAt = Date.now();
    if (found === undefined) await connect.createStopped(connector, undecided);
    // Its generation is decided last of all that makes a new life.
    const isNew =
      found === undefined || (inputs.generationSetting !== undefined && !generationIn(found, inputs));
    progress.generation = await beginLife(connect, inputs, isNew, lastGeneration);
    const wanted = wantedSettings(inputs, progress.generation);
    const isChanged = differingSettings(wanted, found ?? undecided).length > 0;
    // A task that still runs with the settings of before would pass over a table that is new to it.
    if (isChanged && progress.unread.length > 0) await connect.stop(connector);
    if (isChanged) await connect.configure(connector, wanted);
    await wake(connect, connector, isChanged);
    await waitUntilFlowing(connect, inputs, before, startedAt);
    // A life that has just begun reads all tables in its snapshot.
    if (inputs.signals && progress.generation === lastGeneration)
      await readTables(inputs.signals, progress.unread);
    progress.unread = [];
  } catch (error) {
    const drift = [`not finished: ${redact(messageOf(error), inputs.settings)}`];
    throw new HalfDoneError(connector, { ...inputs, ...progress, drift }, error);
  }
  return { ...inputs, ...progress, drift: [] };
}

/**
 * What a connector that runs already is to read from its beginning: it is new in the list, its rows end in a table that
 * was made anew, or it is still to be told.
 * @param olds undefined for a connector that no state knows.
 * @param found settings that Connect holds: of one that was kept with the data volumes, they alone say what it has read.
 */
export function unreadTables(
  { settings, births = {} }: DebeziumConnectorInputs,
  olds: DebeziumConnectorState | undefined,
  found: Readonly<Record<string, string>> | undefined,
): readonly string[] {
  const lists = [olds?.settings, found].filter((one) => one !== undefined).map(includedTables);
  if (lists.length === 0) return [];
  const unread = olds?.unread ?? [];
  const reborn = Object.entries(births)
    .filter(([table, birth]) => birth !== (olds === undefined ? keptBirth : (olds.births?.[table] ?? birth)))
    .map(([table]) => exactly(table));
  return includedTables(settings).filter(
    (table) =>
      lists.some((list) => !list.includes(table)) || unread.includes(table) || reborn.includes(table),
  );
}

/**
 * The generation in which the connector goes on from its offsets, or the next one, once nothing is left of its life
 * before: it then begins with a snapshot. One that has not run yet goes on only from offsets that the connector of our
 * state has left, because those of another one mean nothing to it. Without its slot, none goes on: what changed since
 * is in no WAL.
 */
async function beginLife(
  connect: Connect,
  inputs: DebeziumConnectorInputs,
  isNew: boolean,
  last: number,
): Promise<number> {
  const { connector } = inputs;
  const hasOffsets = await connect.hasOffsets(connector);
  const problem = hasOffsets ? await slotProblem(inputs) : undefined;
  if (problem === undefined && (!isNew || (hasOffsets && last > 0))) return last;
  if (problem !== undefined)
    console.log(`connector ${connector}: ${problem}. It begins anew, with a snapshot of all tables`);
  if (hasOffsets) {
    await connect.stop(connector);
    // Cut short from here on, it is one that has not run yet.
    await connect.configure(connector, wantedSettings(inputs, 0));
    if (problem !== undefined) await removeSlot(inputs);
    await connect.deleteOffsets(connector);
  }
  return nextGeneration(last);
}

/** Brings a connector that is new, that somebody has paused or stopped, or that has failed, to work. */
async function wake(connect: Connect, connector: string, isChanged: boolean): Promise<void> {
  const status = await settled(connect, connector);
  if (/^(PAUSED|STOPPED)$/.test(status?.connector.state ?? "")) await connect.resume(connector);
  // New settings start all of it again by themselves.
  else if (failed(status) && !isChanged) await connect.restartFailed(connector);
}

async function refuseProblems(
  connect: Connect,
  connector: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const problems = await connect.problemsWith(settings);
  if (problems.length === 0) return;
  throw new Error(
    `connector ${connector} cannot be made with these settings:\n  - ${problems.join("\n  - ")}`,
  );
}

/** Whether the settings say that it is another connector, not this one with other settings. */
function isAnother(olds: DebeziumConnectorInputs, news: DebeziumConnectorInputs): boolean {
  const wanted: Readonly<Record<string, unknown>> | undefined = isRecord(news.settings)
    ? news.settings
    : undefined;
  return identitySettings.some(
    (name) => wanted !== undefined && !isUnknown(wanted[name]) && wanted[name] !== olds.settings[name],
  );
}

/** A connector of the name that an interrupted `up` has left, or kept data, is taken over; somebody else's is not. */
function refuseAnother(inputs: DebeziumConnectorInputs, found: Readonly<Record<string, string>>): void {
  const differing = identitySettings.filter((name) => found[name] !== inputs.settings[name]);
  if (differing.length === 0) return;
  const list = differing.map((name) => `${name}=${found[name] ?? "(none)"}, not ${inputs.settings[name]}`);
  throw new Error(
    `Kafka Connect at ${withoutCredentials(inputs.url)} has another connector of the name ${inputs.connector} already ` +
      `(${list.join("; ")}). Choose another name, or delete that one: curl -X DELETE ` +
      `${withoutCredentials(inputs.url)}/connectors/${inputs.connector}`,
  );
}

/** The state once it does not change by itself, or after a while the one that it has. */
async function settled(connect: Connect, connector: string): Promise<ReportedStatus | undefined> {
  let status: ReportedStatus | undefined;
  await waitFor(
    async () => {
      status = await connect.status(connector);
      return !isPassing(status);
    },
    { what: `state of connector ${connector}`, timeoutMs: presentMs },
  ).catch(() => {});
  return status;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
