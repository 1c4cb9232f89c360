import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect, test } from "vitest";
import { newMetrics } from "../../src/agent/metrics";
import { showHostNetwork, trafficIn } from "../../src/agent/network";

const table = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 316385635  624031    0    0    0     0          0         0 316385635  624031    0    0    0     0       0          0
  eth0: 2633422231   95943    0    0    0     0          0         0  9054382   75641    0    0    0     0       0          0
veth1a2b: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0
docker0:    1000      10    0    0    0     0          0         0      200       2    0    0    0     0       0          0
`;

test("devices with what they received and sent, without loopback and the containers' own", () => {
  expect(trafficIn(table)).toEqual([
    { device: "eth0", receivedBytes: 2_633_422_231, transmittedBytes: 9_054_382 },
    { device: "docker0", receivedBytes: 1000, transmittedBytes: 200 },
  ]);
});

test("the kernel's counts are handed on, not added up; without its table there is nothing", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "net-dev-"));
  const file = path.join(folder, "dev");
  fs.writeFileSync(file, table);
  const metrics = newMetrics();
  const samples = async () =>
    (await metrics.registry.metrics()).split("\n").filter((line) => line.startsWith("cdc_host_network_"));
  await showHostNetwork(file, metrics);
  await showHostNetwork(file, metrics);
  expect(await samples()).toContain('cdc_host_network_receive_bytes_total{device="eth0"} 2633422231');
  fs.rmSync(folder, { recursive: true });
  await showHostNetwork(file, metrics);
  expect(await samples()).toEqual([]);
});
