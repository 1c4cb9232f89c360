import type { AgentMetrics } from "./metrics";
import type { AgentSettings } from "./settings";

/** What Kafka Connect knows, and MISSING: there is no connector of the name. */
const connectorStates = [
  ...["RUNNING", "PAUSED", "STOPPED", "FAILED", "UNASSIGNED", "RESTARTING"],
  "MISSING",
];
const taskStates = ["RUNNING", "PAUSED", "FAILED", "UNASSIGNED", "RESTARTING"];

interface Status {
  readonly connector: { readonly state: string };
  readonly tasks: readonly { readonly state: string }[];
}

/**
 * Asks Kafka Connect once for the state of the connector and its tasks.
 * @throws Error when it does not answer: then no state is known, and all are 0.
 */
export async function lookAtConnector(
  { url, connector }: AgentSettings["connect"],
  metrics: AgentMetrics,
  signal: AbortSignal,
): Promise<undefined> {
  let status: Status | undefined;
  try {
    status = await statusOf(url, connector, signal);
  } catch (error) {
    show(metrics, connector, undefined, []);
    throw error;
  }
  show(
    metrics,
    connector,
    status?.connector.state ?? "MISSING",
    status?.tasks.map(({ state }) => state) ?? [],
  );
}

/** @returns undefined when there is no such connector. */
async function statusOf(url: string, connector: string, signal: AbortSignal): Promise<Status | undefined> {
  const address = `${url.replace(/\/+$/, "")}/connectors/${encodeURIComponent(connector)}/status`;
  const response = await fetch(address, { signal });
  const text = await response.text();
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`Kafka Connect: ${text.slice(0, 300)} (status ${response.status})`);
  return JSON.parse(text);
}

function show(
  { connectorState, connectorTasks }: AgentMetrics,
  connector: string,
  state: string | undefined,
  tasks: readonly string[],
): void {
  // What a later Connect may call otherwise is shown by its own name.
  connectorState.reset();
  connectorTasks.reset();
  for (const one of new Set([...connectorStates, ...(state === undefined ? [] : [state])]))
    connectorState.set({ connector, state: one }, one === state ? 1 : 0);
  for (const one of new Set([...taskStates, ...tasks]))
    connectorTasks.set({ connector, state: one }, tasks.filter((task) => task === one).length);
}
