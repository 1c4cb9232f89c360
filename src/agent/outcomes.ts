import { inOneLine } from "../lib/retry";
import type { AgentMetrics, ProbeName } from "./metrics";

/**
 * Whether each probe's last look worked, as a metric, and in the log when it changes. A probe may look at several
 * things (`part`): it works when all of them do.
 */
export class Outcomes {
  private readonly failures = new Map<ProbeName, Map<string, boolean>>();

  constructor(
    private readonly metrics: AgentMetrics,
    private readonly log: (line: string) => void,
  ) {}

  /** @param error undefined when it has worked. */
  report(probe: ProbeName, part: string, error: unknown): void {
    const parts = this.failures.get(probe) ?? new Map<string, boolean>();
    this.failures.set(probe, parts);
    const failed = error !== undefined;
    if (failed !== (parts.get(part) ?? false)) {
      const what = part === probe ? probe : `${probe}, ${part}`;
      this.log(failed ? `${what}: ${inOneLine(error)}` : `${what}: works again`);
    }
    parts.set(part, failed);
    this.metrics.probeSuccess.set({ probe }, [...parts.values()].includes(true) ? 0 : 1);
  }
}
