import type { CommandContext } from "../command";
import { postgresOptions } from "../connections";
import { credentialsFor, endpointOf, factsOf, type StackFacts } from "../facts";
import { quietDocker } from "../running";
import { type CommonOptions, pulumiStep, stackFor } from "../session";
import { pulumiEnv } from "../toolchain/pulumi";
import { exportLines } from "../ui/shell";

/** Prints what a shell needs: `eval "$(npx cdc env)"`. */
export async function env(
  options: CommonOptions,
  { terminal, steps, interruption }: CommandContext,
): Promise<undefined> {
  const context = process.env.DOCKER_CONTEXT;
  await quietDocker();
  const pulumi = await pulumiStep({ ...steps, terminal }, options);
  // Makes the stack where there is none, so that a plain `pulumi up` finds it.
  const stack = stackFor(options, { steps, pulumi, interruption, makes: true });
  const facts = factsOf(await stack.read());
  const variables = {
    ...pulumiEnv(pulumi),
    PULUMI_STACK: options.stack,
    ...engineEnv(),
    ...(facts ? clientEnv(facts) : {}),
  };
  for (const line of exportLines(variables)) console.log(line);
  // What it names is in DOCKER_HOST now, and programs that look at both would go by the context.
  if (context !== undefined && process.env.DOCKER_CONTEXT === undefined) console.log("unset DOCKER_CONTEXT");
  if (!facts)
    terminal.line(
      "the stack is not up: this is what pulumi needs; the addresses and passwords come with it (npx cdc up)",
    );
  return undefined;
}

/** By what programs find the engine; nothing where it is at the usual socket. */
function engineEnv(): Record<string, string> {
  const names = ["DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

/** What psql and clients of ClickHouse, Kafka and Kafka Connect look for. */
export function clientEnv(facts: StackFacts): Record<string, string> {
  const postgres = postgresOptions(facts, "postgres");
  const clickhouse = credentialsFor(facts, "clickhouse");
  return {
    PGHOST: String(postgres.host),
    PGPORT: String(postgres.port),
    PGDATABASE: String(postgres.database),
    PGUSER: String(postgres.user),
    PGPASSWORD: String(postgres.password),
    CLICKHOUSE_URL: endpointOf(facts, "clickhouse"),
    CLICKHOUSE_DATABASE: facts.pipeline.clickhouseDatabase,
    CLICKHOUSE_USER: clickhouse.user,
    CLICKHOUSE_PASSWORD: clickhouse.password,
    KAFKA_BOOTSTRAP_SERVERS: endpointOf(facts, "kafka"),
    CONNECT_URL: endpointOf(facts, "connect"),
  };
}
