import Docker from "dockerode";
import pg from "pg";
import { inject } from "vitest";
import { run } from "../../src/lib/process";
import { type Checkout, checkoutIn, cleanEnv } from "./checkout";

/** The checkout whose stack the end-to-end tests bring up. */
export function theCheckout(): Checkout {
  return checkoutIn(inject("e2eFolder"));
}

export const keepsStack = process.env.CDC_E2E_KEEP === "1";

/** What `eval "$(npx cdc env)"` sets, by evaluating it in a shell. */
export async function stackEnv({ folder, cdc }: Checkout): Promise<Record<string, string>> {
  const { stdout, stderr, code } = await cdc(["env"]);
  if (code !== 0) throw new Error(`cdc env: exit code ${code}\n${stderr}`);
  const names = [...stdout.matchAll(/^export (\w+)=/gm)].map(([, name]) => name as string);
  const script = `eval "$CDC_ENV"; for name in ${names.join(" ")}; do eval "printf '%s=%s\\0' $name \\"\\$$name\\""; done`;
  const printed = await run("sh", ["-c", script], { cwd: folder, env: { ...cleanEnv(), CDC_ENV: stdout } });
  const pairs = printed.stdout.split("\0").filter(Boolean);
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
  );
}

/** URLs of the services, as `cdc status` knows them. */
export async function endpointsOf({ cdc }: Checkout): Promise<Readonly<Record<string, string>>> {
  const { stdout } = await cdc(["status", "--json"]);
  const { services } = JSON.parse(stdout) as { services: { service: string; url: string }[] };
  return Object.fromEntries(services.map(({ service, url }) => [service, url]));
}

/** Runs a plain `pulumi` in that environment, as the user of a shell would; any exit code is an answer. */
export function pulumi(checkout: Checkout, env: Readonly<Record<string, string>>, args: readonly string[]) {
  const anyCode = Array.from({ length: 256 }, (_, code) => code);
  return run("sh", ["-c", 'exec pulumi "$@"', "sh", ...args, "--non-interactive"], {
    cwd: checkout.folder,
    env: { ...cleanEnv(), ...env },
    okCodes: anyCode,
    timeoutMs: 4 * 60_000,
    group: true,
  });
}

/** Clients of the stack, by the environment alone, as psql or curl would connect. */
export function clients(env: Readonly<Record<string, string>>) {
  const postgres = async <T extends pg.QueryResultRow>(sql: string): Promise<T[]> => {
    const client = new pg.Client({
      host: env.PGHOST as string,
      port: Number(env.PGPORT),
      database: env.PGDATABASE as string,
      user: env.PGUSER as string,
      password: env.PGPASSWORD as string,
    });
    await client.connect();
    try {
      return (await client.query<T>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  /** Rows, by ClickHouse's HTTP interface, as any client asks for them. */
  const clickhouse = async <T>(sql: string): Promise<T[]> => {
    const url = new URL(env.CLICKHOUSE_URL as string);
    url.searchParams.set("database", env.CLICKHOUSE_DATABASE as string);
    const answer = await fetch(url, {
      method: "POST",
      body: `${sql} FORMAT JSONEachRow`,
      headers: {
        "X-ClickHouse-User": env.CLICKHOUSE_USER as string,
        "X-ClickHouse-Key": env.CLICKHOUSE_PASSWORD as string,
      },
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`ClickHouse: status ${answer.status}: ${text}`);
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as T);
  };
  return { postgres, clickhouse };
}

/** What of a stack is on this machine: names of containers, volumes and networks, sorted. */
export async function traces(names: readonly string[]): Promise<readonly string[]> {
  const docker = new Docker();
  const containers = await docker.listContainers({ all: true });
  const { Volumes } = await docker.listVolumes();
  const networks = await docker.listNetworks();
  return [
    ...containers
      .flatMap(({ Names }) => Names.map((name) => name.slice(1)))
      .filter((name) => names.includes(name)),
    ...(Volumes ?? [])
      .map(({ Name }) => Name)
      .filter((name) => name.startsWith("cdc-") && !name.startsWith("cdc-test-")),
    ...networks.map(({ Name }) => Name).filter((name) => name === "cdc-network"),
  ].sort();
}

/** Processes that have to do with a folder: started in it, or from it. */
export async function processesOf(folder: string): Promise<readonly string[]> {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,args="]);
  const lines = stdout.split("\n").filter((line) => line.includes(folder));
  return lines.filter((line) => !/^\s*\d+ ps /.test(line));
}
