import Docker from "dockerode";
import type { Query } from "../../compare/pair";
import { HttpClient } from "../../lib/http";
import { withKafkaAdmin } from "../../lib/kafka";
import { messageOf } from "../../lib/retry";
import { postgresName, quotedIdentifier } from "../../tables";
import { withClickHouse, withPostgres } from "../connections";
import { endpointOf, type StackFacts } from "../facts";

import type {
  ConnectorStatus,
  ConsumerStatus,
  ServiceStatus,
  SlotStatus,
  Status,
  TableStatus,
} from "./model";

const patienceMs = 5000;

type Observed = Omit<Status, "healthy" | "notes" | "toolchain">;

/** Looks at everything at the same time; what does not answer becomes a problem, and the rest is shown all the same. */
export async function observe(facts: StackFacts): Promise<Observed> {
  const problems: string[] = [];
  const orElse = <T>(what: string, instead: T, work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      problems.push(`${what}: ${messageOf(error)}`);
      return instead;
    });
  const [services, connector, slot, consumers, tables] = await Promise.all([
    orElse("Docker", [], serviceStates(facts)),
    orElse("Kafka Connect", undefined, connectorState(facts)),
    orElse("Postgres", undefined, slotState(facts)),
    orElse("Kafka", [], consumerLag(facts)),
    orElse("row counts", [], rowCounts(facts)),
  ]);
  const observed = { services, connector, slot, consumers, tables };
  return { ...observed, problems: [...problems, ...problemsIn(facts, observed)] };
}

async function serviceStates({ pipeline, endpoints }: StackFacts): Promise<readonly ServiceStatus[]> {
  const docker = new Docker({ timeout: patienceMs });
  return Promise.all(
    pipeline.services.map(async (service) => {
      const url = endpoints[service] ?? "";
      try {
        const { State, RestartCount, Config } = await docker.getContainer(service).inspect();
        const health = State.Health?.Status ?? "none";
        return { service, state: State.Status, health, restarts: RestartCount, url, image: Config.Image };
      } catch (error) {
        if ((error as { statusCode?: number }).statusCode !== 404) throw error;
        return { service, state: "missing", health: "none", restarts: 0, url, image: "" };
      }
    }),
  );
}

async function connectorState(facts: StackFacts): Promise<ConnectorStatus> {
  const name = facts.pipeline.connector;
  const connect = new HttpClient(endpointOf(facts, "connect"), { timeoutMs: patienceMs });
  const { status, data } = await connect.get(`/connectors/${encodeURIComponent(name)}/status`);
  if (status === 404) return { name, state: "MISSING", tasks: [] };
  if (status !== 200) throw new Error(`GET /connectors/${name}/status: status ${status}`);
  const { connector, tasks } = data as {
    connector: { state: string };
    tasks: readonly { id: number; state: string; trace?: string }[];
  };
  return {
    name,
    state: connector.state,
    tasks: tasks.map(({ id, state, trace }) => ({ id, state, ...(trace ? { error: causeIn(trace) } : {}) })),
  };
}

/** The innermost cause of a Java stack trace says what happened. */
export function causeIn(trace: string): string {
  const lines = trace.split("\n");
  const cause = lines.filter((line) => line.startsWith("Caused by: ")).at(-1);
  return (cause?.replace("Caused by: ", "") ?? lines[0] ?? "").trim();
}

async function slotState(facts: StackFacts): Promise<SlotStatus | undefined> {
  const { slot } = facts.pipeline;
  return withPostgres(facts, "postgres-admin", async (client) => {
    const { rows } = await client.query(
      `SELECT active, wal_status,
              pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::float8 AS lag
       FROM pg_replication_slots WHERE slot_name = $1`,
      [slot],
    );
    const [row] = rows;
    return row && { name: slot, active: row.active, lagBytes: row.lag, walStatus: row.wal_status };
  });
}

/** Per topic, over all partitions. */
export async function consumerLag(facts: StackFacts): Promise<readonly ConsumerStatus[]> {
  const { tables, consumerGroup } = facts.pipeline;
  const topics = tables.map(({ topic }) => topic);
  return withKafkaAdmin(endpointOf(facts, "kafka"), patienceMs, async (admin) => {
    const taken = await admin.fetchOffsets({ groupId: consumerGroup, topics });
    return Promise.all(
      topics.map(async (topic) => {
        const partitions = taken.find((one) => one.topic === topic)?.partitions ?? [];
        const ends = await admin.fetchTopicOffsets(topic);
        return { topic, lag: ends.map((end) => lagOf(end, partitions)).reduce((a, b) => a + b, 0) };
      }),
    );
  });
}

interface Ends {
  readonly partition: number;
  readonly high: string;
  readonly low: string;
}

/** Where nothing was taken yet, Kafka says -1, and all that there is counts. */
function lagOf(
  { partition, high, low }: Ends,
  taken: readonly { readonly partition: number; readonly offset: string }[],
): number {
  const offset = Number(taken.find((one) => one.partition === partition)?.offset ?? -1);
  return Math.max(0, Number(high) - (offset < 0 ? Number(low) : offset));
}

async function rowCounts(facts: StackFacts): Promise<readonly TableStatus[]> {
  return withPostgres(facts, "postgres-admin", (postgres) =>
    withClickHouse(facts, async (query: Query) => {
      const counted: TableStatus[] = [];
      for (const { source, target } of facts.pipeline.tables) {
        const { rows } = await postgres.query(`SELECT count(*)::float8 AS n FROM ${postgresName(source)}`);
        const [there] = await query<{ n: string }>(`SELECT count() AS n FROM ${quotedIdentifier(target)}`);
        counted.push({ source, target, postgresRows: rows[0].n, clickhouseRows: Number(there?.n) });
      }
      return counted;
    }),
  );
}

/** Lag and differences of rows are no problem by themselves: both are normal while rows flow. */
export function problemsIn(
  { pipeline }: Pick<StackFacts, "pipeline">,
  { services, connector, slot }: Pick<Observed, "services" | "connector" | "slot">,
): readonly string[] {
  const bad = services.filter(
    ({ state, health }) => state !== "running" || (health !== "healthy" && health !== "none"),
  );
  const tasks = connector?.tasks ?? [];
  return [
    ...bad.map(
      ({ service, state, health }) => `${service}: ${state}, ${health}; docker logs ${service} says why`,
    ),
    ...(connector && connector.state !== "RUNNING"
      ? [`connector ${connector.name}: ${connector.state}`]
      : []),
    ...(connector?.state === "RUNNING" && tasks.length === 0
      ? [`connector ${connector.name}: has no task`]
      : []),
    ...tasks.flatMap(({ id, state, error }) =>
      state === "RUNNING" ? [] : [`connector task ${id}: ${state}${error ? `: ${error}` : ""}`],
    ),
    ...(slot && !slot.active ? [`replication slot ${slot.name}: nobody reads it`] : []),
    ...(slot && slot.walStatus === "lost"
      ? [`replication slot ${slot.name}: lost, Postgres has removed WAL that it needs`]
      : []),
    ...(slot === undefined &&
    services.some(({ service, state }) => service === "postgres" && state === "running")
      ? [`replication slot ${pipeline.slot}: missing`]
      : []),
  ];
}
