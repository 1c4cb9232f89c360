import * as fs from "node:fs/promises";
import type { AgentMetrics } from "./metrics";

export interface DeviceTraffic {
  readonly device: string;
  readonly receivedBytes: number;
  readonly transmittedBytes: number;
}

/**
 * Hands on what the host's network devices have counted, by the kernel's table of them (`/proc/1/net/dev`): an exporter
 * in a container of its own network sees nothing but its own device.
 */
export async function showHostNetwork(file: string, metrics: AgentMetrics): Promise<void> {
  const text = await fs.readFile(file, "utf8").catch(() => undefined);
  metrics.hostReceived.reset();
  metrics.hostTransmitted.reset();
  for (const { device, receivedBytes, transmittedBytes } of trafficIn(text ?? "")) {
    metrics.hostReceived.inc({ device }, receivedBytes);
    metrics.hostTransmitted.inc({ device }, transmittedBytes);
  }
}

/** Without the loopback device, and without the end of each container's own: they come and go with it. */
export function trafficIn(table: string): readonly DeviceTraffic[] {
  return table.split("\n").flatMap((line): DeviceTraffic[] => {
    const [, device, rest] = /^\s*(\S+):\s*(.*)$/.exec(line) ?? [];
    if (device === undefined || rest === undefined || /^(lo|veth.*)$/.test(device)) return [];
    const numbers = rest.trim().split(/\s+/).map(Number);
    return [{ device, receivedBytes: numbers[0] ?? 0, transmittedBytes: numbers[8] ?? 0 }];
  });
}
