import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Containers, showContainers } from "../../src/agent/containers";
import { newMetrics } from "../../src/agent/metrics";

let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "cgroup-"));
});
afterEach(() => fs.rmSync(root, { recursive: true }));

const id = "4f".repeat(32);
const other = "a0".repeat(32);
const kafka = { service: "kafka-exporter", cgroup: "cdc-kafka_exporter.slice" };

function files(folder: string, content: Readonly<Record<string, string>>): void {
  fs.mkdirSync(path.join(root, folder), { recursive: true });
  for (const [name, text] of Object.entries(content)) fs.writeFileSync(path.join(root, folder, name), text);
}

const v2 = {
  "memory.current": "73400320\n",
  "memory.max": "167772160\n",
  "memory.stat": "anon 31457280\ninactive_file 20971520\nactive_file 4096\n",
  "memory.events": "low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\n",
  "cpu.stat": "usage_usec 12500000\nuser_usec 9000000\n",
};

for (const [driver, slice, name] of [
  ["cgroupfs", kafka.cgroup, id],
  ["systemd", `cdc.slice/${kafka.cgroup}`, `docker-${id}.scope`],
] as const)
  test(`cgroup v2 with the driver ${driver}`, async () => {
    files("", { "cgroup.controllers": "cpu memory\n" });
    files(`${slice}/${name}`, v2);
    files(slice, { "memory.events": "oom_kill 3\n" });
    const found = await new Containers(root, [kafka]).look();
    expect(found.get("kafka-exporter")).toEqual({
      memoryBytes: 50 * 1024 * 1024,
      memoryLimitBytes: 160 * 1024 * 1024,
      cpuSeconds: 12.5,
      // Of the slice, which outlives a container that was killed.
      oomKills: 3,
      startedAt: expect.closeTo(Date.now() / 1000, -1),
    });
  });

test("cgroup v1, with the engine in a cgroup of its own for memory alone", async () => {
  files(`memory/vm/engine/${kafka.cgroup}/${id}`, {
    "memory.usage_in_bytes": "73400320\n",
    "memory.limit_in_bytes": "167772160\n",
    "memory.stat": "cache 1\ninactive_file 5\ntotal_inactive_file 20971520\n",
    "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
  });
  files(`cpuacct/${kafka.cgroup}/${id}`, { "cpuacct.usage": "12500000000\n" });
  const found = await new Containers(root, [kafka]).look();
  expect(found.get("kafka-exporter")).toEqual({
    memoryBytes: 50 * 1024 * 1024,
    memoryLimitBytes: 160 * 1024 * 1024,
    cpuSeconds: 12.5,
    oomKills: 2,
    startedAt: expect.closeTo(Date.now() / 1000, -1),
  });
});

test("an engine that ran in another cgroup before has left slices without containers", async () => {
  const use = { "memory.usage_in_bytes": "1", "memory.limit_in_bytes": "9223372036854771712" };
  files(`memory/vm/a-former-engine/${kafka.cgroup}`, {});
  files(`memory/vm/engine/${kafka.cgroup}/${id}`, use);
  files(`memory/vm/the-one-before/${kafka.cgroup}`, {});
  files(`cpuacct/${kafka.cgroup}/${id}`, { "cpuacct.usage": "3000000000\n" });
  const found = await new Containers(root, [kafka]).look();
  expect(found.get("kafka-exporter")).toMatchObject({ memoryBytes: 1, cpuSeconds: 3 });
});

test("without a limit there is none to show", async () => {
  files("", { "cgroup.controllers": "" });
  files(`${kafka.cgroup}/${id}`, { ...v2, "memory.max": "max\n" });
  const found = await new Containers(root, [kafka]).look();
  expect(found.get("kafka-exporter")).not.toHaveProperty("memoryLimitBytes");
  fs.rmSync(path.join(root, "cgroup.controllers"));
  files(`memory/${kafka.cgroup}/${id}`, {
    "memory.usage_in_bytes": "1",
    "memory.limit_in_bytes": "9223372036854771712",
  });
  const old = await new Containers(root, [kafka]).look();
  expect(old.get("kafka-exporter")).toEqual({ memoryBytes: 1, startedAt: expect.any(Number) });
});

test("a container that was started again has another start, one that runs on keeps its own", async () => {
  files("", { "cgroup.controllers": "" });
  const folder = path.join(root, kafka.cgroup, id);
  files(`${kafka.cgroup}/${id}`, v2);
  const containers = new Containers(root, [kafka]);
  const started = async () => (await containers.look()).get("kafka-exporter")?.startedAt;
  const first = await started();
  await new Promise((resolve) => setTimeout(resolve, 20));
  fs.chmodSync(folder, 0o700);
  expect(fs.statSync(folder).ctimeMs / 1000).toBeGreaterThan(first as number);
  expect(await started()).toBe(first);
  fs.renameSync(folder, `${folder}-gone`);
  files(`${kafka.cgroup}/${id}`, v2);
  expect(await started()).toBeGreaterThan(first as number);
});

test("of two containers the newer one, until the older one's cgroup is gone", async () => {
  files("", { "cgroup.controllers": "" });
  files(`${kafka.cgroup}/${id}`, v2);
  await new Promise((resolve) => setTimeout(resolve, 20));
  files(`${kafka.cgroup}/${other}`, { ...v2, "cpu.stat": "usage_usec 1000000\n" });
  const found = await new Containers(root, [kafka]).look();
  expect(found.get("kafka-exporter")?.cpuSeconds).toBe(1);
});

test("a service without a container is absent, and so is everything where there are no cgroups", async () => {
  files("", { "cgroup.controllers": "" });
  files(`${kafka.cgroup}/${id}`, v2);
  const metrics = newMetrics();
  const containers = new Containers(root, [kafka, { service: "kafka", cgroup: "cdc-kafka.slice" }]);
  const samples = async () =>
    (await metrics.registry.metrics()).split("\n").filter((line) => line.startsWith("cdc_container_"));
  expect(showContainers(await containers.look(), metrics)).toBe(true);
  expect(await samples()).toHaveLength(5);
  // Counters are handed on, not added up.
  showContainers(await containers.look(), metrics);
  expect(await samples()).toContain('cdc_container_cpu_seconds_total{service="kafka-exporter"} 12.5');
  fs.rmSync(path.join(root, kafka.cgroup), { recursive: true });
  expect(showContainers(await containers.look(), metrics)).toBe(false);
  expect(await samples()).toEqual([]);
  expect(await new Containers(path.join(root, "nowhere"), [kafka]).look()).toEqual(new Map());
});
