import * as fs from "node:fs";
import type * as http from "node:http";
import type { AddressInfo } from "node:net";
import { Canary } from "./canary";
import { clickhouseQuery } from "./clickhouse";
import { ComparisonRounds, compareTable } from "./comparison";
import { lookAtConnector } from "./connector";
import { Containers, showContainers } from "./containers";
import { countErrors } from "./errors";
import { Loop } from "./loop";
import { type AgentMetrics, newMetrics, type ProbeName } from "./metrics";
import { showHostNetwork } from "./network";
import { Outcomes } from "./outcomes";
import { Postgres } from "./postgres";
import { createServer } from "./server";
import type { AgentSettings } from "./settings";
import { lookAtSlot } from "./slot";

export interface AgentOptions {
  /** 0 for any that is free. */
  readonly port: number;
  readonly log: (line: string) => void;
  /** As ComparisonOptions has it. */
  readonly rest?: number;
}

export interface RunningAgent {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts to watch, and to serve what is seen. */
export async function startAgent(
  settings: AgentSettings,
  { port, log, rest }: AgentOptions,
): Promise<RunningAgent> {
  const postgres = { ...settings.postgres, password: secret(settings.postgres.passwordFile) };
  const clickhouse = clickhouseQuery({
    ...settings.clickhouse,
    password: secret(settings.clickhouse.passwordFile),
  });
  const metrics = newMetrics();
  const outcomes = new Outcomes(metrics, log);
  // A connection each: what one waits for must not keep the other.
  const writing = new Postgres(postgres, 4000);
  const looking = new Postgres(postgres, 4000);

  const canary = new Canary({ postgres: writing, clickhouse, metrics, outcomes });
  const rounds = new ComparisonRounds({
    tables: settings.tables,
    comparisonSeconds: settings.comparisonSeconds,
    metrics,
    compare: (table, signal, busy) =>
      compareTable(
        table,
        {
          postgres,
          clickhouse,
          database: settings.clickhouse.database,
          canary,
          catalogSql: settings.catalogSql,
        },
        signal,
        busy,
      ),
    onResult: (table, error) => outcomes.report("comparison", table, error),
    log,
    ...(rest !== undefined && { rest }),
  });
  const probe = (
    name: ProbeName,
    seconds: { readonly every: number; readonly timeout: number },
    run: (signal: AbortSignal) => Promise<number | undefined>,
  ) =>
    new Loop({
      name,
      everyMs: seconds.every * 1000,
      timeoutMs: seconds.timeout * 1000,
      run,
      onResult: (error) => outcomes.report(name, name, error),
    });
  const loops = [
    ...canary.loops,
    probe("connector", { every: 5, timeout: 5 }, (signal) =>
      lookAtConnector(settings.connect, metrics, signal),
    ),
    probe("slot", { every: 5, timeout: 5 }, (signal) => lookAtSlot(looking, settings.slot, metrics, signal)),
    probe("errors", { every: 15, timeout: 30 }, (signal) =>
      countErrors(settings.tables, clickhouse, metrics, signal),
    ),
    probe("comparison", { every: 1, timeout: 900 }, (signal) => rounds.run(signal)),
  ];
  const lookAtContainers = containersProbe(settings, metrics, outcomes, log);

  const server = createServer({
    metrics: async () => {
      canary.refresh();
      // At the moment of the scrape, so that rates are right.
      await Promise.all([lookAtContainers(), showHostNetwork(settings.hostNetworkFile, metrics)]);
      return metrics.registry.metrics();
    },
    contentType: metrics.registry.contentType,
    dead: () => loops.filter(({ isAlive }) => !isAlive).map(({ name }) => name),
  });
  await listening(server, port);
  for (const loop of loops) loop.start();
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await Promise.all(loops.map((loop) => loop.stop()));
      await Promise.all([writing.close(), looking.close()]);
    },
  };
}

/** Without cgroups there is nothing to look at: said once, and no failure. */
function containersProbe(
  { cgroupRoot, containers: wanted }: AgentSettings,
  metrics: AgentMetrics,
  outcomes: Outcomes,
  log: (line: string) => void,
): () => Promise<void> {
  const containers = new Containers(cgroupRoot, wanted);
  let isMissing = false;
  return async () => {
    try {
      if (showContainers(await containers.look(), metrics)) {
        isMissing = false;
        outcomes.report("containers", "containers", undefined);
        return;
      }
      metrics.probeSuccess.remove({ probe: "containers" });
      if (!isMissing)
        log(`containers: none of the services' cgroups is in ${cgroupRoot}; they are not measured`);
      isMissing = true;
    } catch (error) {
      outcomes.report("containers", "containers", error);
    }
  };
}

function listening(server: http.Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, () => resolve());
  });
}

function secret(file: string): string {
  return fs.readFileSync(file, "utf8").trim();
}
