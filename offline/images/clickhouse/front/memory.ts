import * as fs from "node:fs";
import * as os from "node:os";
import { textAt } from "./config";
import type { Element } from "./xml";

/** What the front itself takes beside the engine: Node with results on their way. */
const frontBytes = 128 * 1024 * 1024;
/** ClickHouse's default of max_server_memory_usage_to_ram_ratio. */
const usualRatio = 0.9;

/**
 * The engine's memory limit in bytes: max_server_memory_usage, and at most the configured share of what the
 * container may use, less what the front needs.
 */
export function memoryLimit(config: Element, available: number = containerMemory()): number {
  const ratio = Number(textAt(config, "max_server_memory_usage_to_ram_ratio") ?? usualRatio);
  const configured = Number(textAt(config, "max_server_memory_usage") ?? 0);
  const share = Math.max(Math.floor(available * (ratio || 1)) - frontBytes, frontBytes);
  return configured > 0 ? Math.min(configured, share) : share;
}

/** The container's memory limit, or the machine's memory. */
export function containerMemory(): number {
  const limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
    .map((file) => Number(read(file)))
    .filter((limit) => limit > 0);
  return Math.min(os.totalmem(), ...limits);
}

/** What the container uses, as the kernel counts it, page cache included; undefined where it does not say. */
export function containerMemoryUsed(): number | undefined {
  const used = Number(
    read("/sys/fs/cgroup/memory.current") ?? read("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
  );
  return used > 0 ? used : undefined;
}

function read(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}
