import * as fs from "node:fs";
import * as path from "node:path";
import Docker from "dockerode";
import { describe, expect, inject, test } from "vitest";
import { type ResolvedImages, serviceNames } from "../../src/images";
import { waitFor } from "../../src/lib/retry";
import { clients, stackEnv } from "../support/clients";
import { pulumi, theCheckout } from "../support/e2e";

const checkout = theCheckout();
const minutes = 60_000;
const docker = new Docker();

describe.skipIf(inject("e2eKept"))("a first up", () => {
  test("that is killed while it makes containers is completed by the next one", {
    timeout: 14 * minutes,
  }, async () => {
    const controller = new AbortController();
    let pid = 0;
    const killed = checkout
      .cdc(["up"], {
        signal: controller.signal,
        onSpawn: (id) => {
          pid = id;
        },
      })
      .then(
        () => "ended by itself",
        () => "killed",
      );
    // Kafka is being made: Postgres is there and known, or is being made too.
    await waitFor(() => docker.getContainer("kafka").inspect(), {
      what: "container kafka",
      timeoutMs: 12 * minutes,
    });
    for (const engine of enginesBelow(pid)) process.kill(engine, "SIGKILL");
    process.kill(-pid, "SIGKILL");
    expect(await killed).toBe("killed");

    const { code, stdout, stderr } = await checkout.cdc(["up"]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/An interrupted run's lock: taken away/);
    expect(stdout).toMatch(/First row, Postgres to ClickHouse: first \d+ ms; of 10: p50 \d+ ms, max \d+ ms/);
    expect(stdout).toMatch(/postgres\s+postgresql:\/\/127\.0\.0\.1:5432\/inventory/);
  });
});

test("up on a stack that is up changes nothing", async () => {
  const { code, stdout } = await checkout.cdc(["up"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/Stack: nothing changed/);
});

test("status finds everything well, and says what it runs on", async () => {
  const { code, stdout } = await checkout.cdc(["status", "--json"]);
  const status = JSON.parse(stdout);
  expect(status.problems).toEqual([]);
  expect(code).toBe(0);
  expect(status).toMatchObject({
    healthy: true,
    connector: { state: "RUNNING", tasks: [{ id: 0, state: "RUNNING" }] },
    slot: { active: true, walStatus: "reserved" },
  });
  expect(status.services).toEqual(
    expectedServices().map((service) =>
      expect.objectContaining({ service, state: "running", health: "healthy" }),
    ),
  );
  expect(Object.keys(status.toolchain.plugins)).toEqual(["docker", "random"]);
});

test("ports are published on 127.0.0.1 alone, and every container has a health check and a restart policy", async () => {
  for (const service of expectedServices()) {
    const { HostConfig, Config } = await docker.getContainer(service).inspect();
    const bindings = Object.values(HostConfig.PortBindings ?? {}).flat() as { HostIp: string }[];
    for (const { HostIp } of bindings) expect(HostIp).toBe("127.0.0.1");
    expect(Config.Healthcheck?.Test?.length, service).toBeGreaterThan(0);
    expect(HostConfig.RestartPolicy?.Name, service).toBe("unless-stopped");
    expect(HostConfig.Memory, service).toBeGreaterThan(0);
  }
});

test("no password is in what docker inspect prints, in logs, or in clear in the state", async () => {
  const env = await stackEnv(checkout);
  const { stdout } = await pulumi(checkout, env, [
    "stack",
    "output",
    "credentials",
    "--show-secrets",
    "--json",
  ]);
  const credentials = JSON.parse(stdout) as Record<string, { password: string }>;
  const passwords = Object.entries(credentials).map(
    ([service, { password }]) => [service, password] as const,
  );
  expect(passwords.length).toBeGreaterThan(5);

  const places = new Map<string, string>();
  for (const service of expectedServices()) {
    const container = docker.getContainer(service);
    places.set(`docker inspect ${service}`, JSON.stringify(await container.inspect()));
    places.set(
      `docker logs ${service}`,
      (await container.logs({ stdout: true, stderr: true })).toString("latin1"),
    );
  }
  const state = path.join(checkout.folder, ".cdc");
  for (const file of fs.readdirSync(state, { recursive: true, encoding: "utf8" }))
    if (fs.statSync(path.join(state, file)).isFile())
      places.set(`.cdc/${file}`, fs.readFileSync(path.join(state, file), "latin1"));

  const leaks = [...places].flatMap(([place, text]) =>
    passwords.filter(([, password]) => text.includes(password)).map(([service]) => `${service} in ${place}`),
  );
  expect(leaks).toEqual([]);
});

test("clients get in by what cdc env prints, and the demo rows are on both sides", async () => {
  const { postgres, clickhouse } = clients(await stackEnv(checkout));
  const [here] = await postgres<{ n: number }>("SELECT count(*)::int AS n FROM inventory.orders");
  const [there] = await clickhouse<{ n: string }>("SELECT count() AS n FROM orders");
  expect(here?.n).toBeGreaterThan(0);
  expect(Number(there?.n)).toBe(here?.n);
});

/** All of them, but for those that have no image on this machine. */
function expectedServices(): readonly string[] {
  const noted = fs.readFileSync(path.join(checkout.folder, ".cdc", "images.json"), "utf8");
  const { missing } = JSON.parse(noted) as ResolvedImages;
  for (const service of missing) expect(["kafdrop", "portainer"]).toContain(service);
  return serviceNames.filter((service) => !missing.includes(service));
}

/** The engines that a command has started: each leads a process group of its own. */
function enginesBelow(pid: number): readonly number[] {
  const children = fs
    .readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .trim()
    .split(/\s+/)
    .map(Number);
  return children.filter((child) => {
    try {
      return fs.readFileSync(`/proc/${child}/comm`, "utf8").trim() === "pulumi";
    } catch {
      return false;
    }
  });
}
