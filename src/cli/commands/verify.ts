import type { CommandContext } from "../command";
import { runningStack } from "../running";
import type { CommonOptions } from "../session";
import { count, duration } from "../ui/format";
import { verify as compare, type Verification } from "../verify/verify";

export interface VerifyOptions extends CommonOptions {
  /** Seconds that the two sides may take to become equal. */
  readonly wait: number;
  readonly json?: boolean;
}

/** Says whether ClickHouse holds what Postgres holds; the exit code says it too. */
export async function verify(options: VerifyOptions, context: CommandContext): Promise<number> {
  const { terminal } = context;
  const started = Date.now();
  const facts = await runningStack(options, context);
  const results = await compare(facts, {
    waitMs: options.wait * 1000,
    signal: context.interruption.soften(),
  });
  if (options.json) console.log(JSON.stringify(results, null, 2));
  else {
    for (const line of results.flatMap(describe)) console.log(line);
    terminal.line(`compared in ${duration(Date.now() - started)}`);
  }
  return results.every(({ equal }) => equal) ? 0 : 1;
}

function describe(result: Verification): readonly string[] {
  const { source, target, equal, postgres, clickhouse, notCompared, differences } = result;
  const name = `${source} → ${target}`;
  const left = notCompared.length > 0 ? `, not compared: ${notCompared.join(", ")}` : "";
  if (equal) return [`✓ ${name}: ${count(postgres.rows, "row")}, checksum ${postgres.checksum}${left}`];
  const shown = 10;
  return [
    `✗ ${name}: ${count(postgres.rows, "row")} in Postgres, ${count(clickhouse.rows, "row")} in ClickHouse; checksums ${postgres.checksum} and ${clickhouse.checksum}${left}`,
    ...differences.slice(0, shown).map(({ key, what }) => `    ${key.replaceAll("\x1f", ", ")}: ${what}`),
    ...(differences.length > shown ? [`    and more`] : []),
    "    Are rows being written? Then look again when it is quiet. Else see which part is behind: npx cdc status",
  ];
}
