import pg from "pg";
import { run } from "../../src/lib/process";
import { type Checkout, cleanEnv } from "./checkout";

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
  /** By ClickHouse's HTTP interface, as any client asks. */
  const ask = async (sql: string): Promise<string> => {
    const url = new URL(env.CLICKHOUSE_URL as string);
    url.searchParams.set("database", env.CLICKHOUSE_DATABASE as string);
    const answer = await fetch(url, {
      method: "POST",
      body: sql,
      headers: {
        "X-ClickHouse-User": env.CLICKHOUSE_USER as string,
        "X-ClickHouse-Key": env.CLICKHOUSE_PASSWORD as string,
      },
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`ClickHouse: status ${answer.status}: ${text}`);
    return text;
  };
  /** The rows of a query. */
  const clickhouse = async <T>(sql: string): Promise<T[]> => {
    const text = await ask(`${sql} FORMAT JSONEachRow`);
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as T);
  };
  /** A statement without rows. */
  const clickhouseDo = async (sql: string): Promise<void> => {
    await ask(sql);
  };
  return { postgres, clickhouse, clickhouseDo };
}
