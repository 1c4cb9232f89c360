import type { CommandContext } from "../command";
import { postgresOptions } from "../connections";
import { type WorkloadProgress, generate as workload } from "../generate/workload";
import { runningStack } from "../running";
import type { CommonOptions } from "../session";

export interface GenerateOptions extends CommonOptions {
  readonly rate: number;
  readonly seconds: number;
  readonly seed?: number;
}

/** Puts a workload on the demo tables. */
export async function generate(
  options: GenerateOptions,
  context: CommandContext,
): Promise<number | undefined> {
  const { terminal, interruption } = context;
  const facts = await runningStack(options, context);
  terminal.line(
    `${options.rate} rows/s for ${options.seconds} s on inventory.orders and inventory.customers`,
  );
  const show = (progress: WorkloadProgress) => {
    const line = `${Math.round(progress.elapsedMs / 1000)} s: ${Math.round(progress.rate)} rows/s; ${totals(progress)}`;
    if (terminal.interactive) terminal.status(line);
    else terminal.line(line);
  };
  const result = await workload({
    connection: postgresOptions(facts, "postgres"),
    rate: options.rate,
    seconds: options.seconds,
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    onProgress: show,
    signal: interruption.soften(),
  });
  terminal.line(
    `${result.rows.toLocaleString("en-US")} rows in ${result.transactions.toLocaleString("en-US")} transactions, ` +
      `${Math.round(result.rate)} rows/s: ${totals(result)}`,
  );
  if (!result.behind) return undefined;
  terminal.line(
    `the rate of ${options.rate} rows/s was not held: this machine, or Postgres on it, does ${Math.round(result.rate)}`,
  );
  return 1;
}

function totals({
  inserts,
  updates,
  deletes,
}: Pick<WorkloadProgress, "inserts" | "updates" | "deletes">): string {
  const number = (value: number) => value.toLocaleString("en-US");
  return `${number(inserts)} inserted, ${number(updates)} updated, ${number(deletes)} deleted`;
}
