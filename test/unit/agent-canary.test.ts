import { describe, expect, test } from "vitest";
import { type Arrival, Canary, CanaryLog } from "../../src/agent/canary";
import { newMetrics } from "../../src/agent/metrics";
import { Outcomes } from "../../src/agent/outcomes";
import { waitFor } from "../../src/lib/retry";

/** Microseconds since 1970 of a canary written at this second. */
const beatAt = (second: number) => 1_700_000_000_000_000 + second * 1_000_000;

function arrival(second: number, more: Partial<Arrival> = {}): Arrival {
  const beat = beatAt(second);
  return {
    beat,
    committed: beat + 1000,
    read: beat + 11_000,
    sent: beat + 15_000,
    arrived: beat + 65_000,
    ...more,
  };
}

/** A log in which canaries were written at these seconds of the agent's clock. */
function written(seconds: readonly number[], limit?: number): CanaryLog {
  const log = new CanaryLog(limit);
  for (const second of seconds) log.written(beatAt(second), second * 1000);
  return log;
}

describe("the canaries on their way", () => {
  test("latency is from the commit on the agent's clock, stages from the row", () => {
    const log = written([10]);
    expect(log.after).toBe(beatAt(10) - 1);
    const [sighting] = log.seen([arrival(10)], 10_080, beatAt(10) + 70_000);
    expect(sighting?.latencySeconds).toBeCloseTo(0.08);
    expect(sighting?.stageSeconds).toEqual({ capture: 0.01, publish: 0.004, consume: 0.05, visible: 0.005 });
    expect(log.isWaiting).toBe(false);
    expect(log.waitingMs(99_000)).toBe(0);
    expect(log.after).toBe(beatAt(10));
  });

  test("no stage lasts less than nothing, and one whose time is not known is left out", () => {
    const log = written([1, 2]);
    const early = arrival(1, { sent: beatAt(1) });
    const [first] = log.seen([early], 1100, beatAt(1) + 100_000);
    expect(first?.stageSeconds).toMatchObject({ publish: 0, consume: 0.065 });
    const [second] = log.seen([arrival(2, { sent: 0 })], 2100, beatAt(2) + 100_000);
    expect(Object.keys(second?.stageSeconds ?? {})).toEqual(["capture", "visible"]);
  });

  test("an event that Kafka delivers twice is one canary", () => {
    const log = written([1]);
    expect(log.seen([arrival(1), arrival(1)], 1100, beatAt(2))).toHaveLength(1);
    expect(log.seen([arrival(1)], 1200, beatAt(2))).toHaveLength(0);
  });

  test("the oldest that waits is the age; one that was overtaken is not waited for", () => {
    const log = written([1, 2, 3, 4]);
    expect(log.waitingMs(5000)).toBe(4000);
    expect(log.seen([arrival(3)], 5000, beatAt(5))).toHaveLength(1);
    expect(log.waitingMs(5000)).toBe(1000);
  });

  test("after an outage that was longer than the list, each canary counts and the age goes down", () => {
    const seconds = Array.from({ length: 50 }, (_, index) => index + 1);
    const log = written(seconds, 10);
    expect(log.waitingMs(51_000)).toBe(50_000);
    const first = log.seen(
      seconds.slice(0, 30).map((second) => arrival(second)),
      51_000,
      beatAt(51),
    );
    expect(first).toHaveLength(30);
    expect(first[29]?.latencySeconds).toBeCloseTo(21);
    expect(log.isWaiting).toBe(true);
    expect(log.waitingMs(51_000)).toBe(21_000);
    expect(
      log.seen(
        seconds.slice(30).map((second) => arrival(second)),
        52_000,
        beatAt(52),
      ),
    ).toHaveLength(20);
    expect(log.isWaiting).toBe(false);
    log.written(beatAt(60), 60_000);
    expect(log.waitingMs(60_500)).toBe(500);
  });

  test("one that is seen before its commit is acknowledged does not wait for ever", () => {
    const log = written([1]);
    log.seen([arrival(1), arrival(2)], 2001, beatAt(2) + 1000);
    log.written(beatAt(2), 2002);
    expect(log.isWaiting).toBe(false);
  });
});

describe("the canary", () => {
  function pipeline({ isBroken = (): boolean => false } = {}) {
    const metrics = newMetrics();
    const lines: string[] = [];
    const rows: Record<string, string>[] = [];
    const queries: string[] = [];
    const canary = new Canary({
      metrics,
      outcomes: new Outcomes(metrics, (line) => lines.push(line)),
      postgres: {
        query: async <T>() => {
          const beat = String(Date.now() * 1000);
          setTimeout(() => {
            const us = Object.fromEntries(
              ["beat_at", "committed_at", "read_at", "sent_at", "arrived_at"].map((name) => [
                `${name}_us`,
                beat,
              ]),
            );
            rows.push(us);
          }, 50);
          return [{ beat }] as T[];
        },
      },
      clickhouse: async <T>(sql: string) => {
        queries.push(sql);
        if (isBroken()) throw new Error("ClickHouse is away");
        const after = Number(/toInt64\((\d+)\)/.exec(sql)?.[1]);
        return rows.filter(({ beat_at_us }) => Number(beat_at_us) > after) as T[];
      },
    });
    const value = async (name: string) =>
      (await metrics.registry.getSingleMetricAsString(name)).split("\n").at(-1);
    return { canary, lines, queries, value };
  }

  test("writes, sees, and says how long it took", async () => {
    const { canary, queries, value } = pipeline();
    for (const loop of canary.loops) loop.start();
    await canary.nextCommitted(new AbortController().signal);
    const [writing, looking] = canary.loops;
    await writing?.stop();
    await waitFor(() => canary.waitingMs() === 0, { what: "all canaries", timeoutMs: 5000, everyMs: 5 });
    await looking?.stop();
    canary.refresh();
    const count = async (name: string) => Number((await value(name))?.split(" ")[1]);
    const written = await count("cdc_canary_written_total");
    // The first was on its way already when the next was asked for; on a slow machine there are more.
    expect(written).toBeGreaterThanOrEqual(2);
    expect(await count("cdc_canary_arrived_total")).toBe(written);
    expect(await value("cdc_canary_waiting_seconds")).toBe("cdc_canary_waiting_seconds 0");
    expect(await value("cdc_agent_probe_success")).toBe('cdc_agent_probe_success{probe="canary"} 1');
    expect(queries.length).toBeLessThan(10 * written);
  });

  test("goes on writing while ClickHouse is away, fails, and counts them when it is back", async () => {
    let broken = true;
    const { canary, lines, value } = pipeline({ isBroken: () => broken });
    for (const loop of canary.loops) loop.start();
    const { signal } = new AbortController();
    await canary.nextCommitted(signal);
    const beat = await canary.nextCommitted(signal);
    canary.refresh();
    expect(canary.waitingMs()).toBeGreaterThan(500);
    expect(await value("cdc_agent_probe_success")).toBe('cdc_agent_probe_success{probe="canary"} 0');
    broken = false;
    await waitFor(() => canary.hasArrived(beat), { what: "the canaries", timeoutMs: 5000, everyMs: 10 });
    await Promise.all(canary.loops.map((loop) => loop.stop()));
    const [, arrived] = ((await value("cdc_canary_arrived_total")) ?? "").split(" ");
    expect(Number(arrived)).toBeGreaterThanOrEqual(2);
    expect(lines).toEqual(["canary, look: ClickHouse is away", "canary, look: works again"]);
  });

  test("a canary that cannot be written is said so to whoever waits for it", async () => {
    const { canary } = pipeline();
    await expect(canary.nextCommitted(new AbortController().signal, 100)).rejects.toThrow(
      "no canary can be written in Postgres",
    );
  });
});
