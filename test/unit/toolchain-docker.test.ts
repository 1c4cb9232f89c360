import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { decide, dockerEnv, type Machine, warningsFor } from "../../src/cli/toolchain/docker";
import {
  type Endpoint,
  endpoints,
  isHere,
  machineOf,
  type ProbeResult,
  probe,
} from "../../src/cli/toolchain/docker-endpoints";
import { failedAtIptables, startDockerd, stopDockerIfOurs } from "../../src/cli/toolchain/dockerd";

let dir: string;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-docker-"));
  vi.stubEnv("CDC_HOME", path.join(dir, "state"));
});

afterEach(() => {
  vi.unstubAllEnvs();
  fs.rmSync(dir, { recursive: true, force: true });
});

describe("where no engine answers", () => {
  const bare: Machine = {
    isRoot: true,
    dockerd: undefined,
    hasService: false,
    hasApt: true,
    platform: "linux",
  };
  const socket = { host: "unix:///var/run/docker.sock", chosenBy: undefined, options: {}, env: {} };
  const absent: readonly ProbeResult[] = [{ endpoint: socket, state: "absent", why: "connect ENOENT" }];
  const messageOf = (probes: readonly ProbeResult[], machine: Partial<Machine>) => {
    const next = decide(probes, { ...bare, ...machine });
    return next.do === "fail" ? next.message : `(no failure: ${next.do})`;
  };

  test("root on Debian installs it", () => {
    expect(decide(absent, bare)).toEqual({ do: "install" });
  });

  test("others are told the command that installs it", () => {
    expect(messageOf(absent, { isRoot: false })).toContain("sudo apt-get install -y docker.io iptables");
    expect(messageOf(absent, { hasApt: false })).toContain("dnf install");
    expect(messageOf(absent, { hasApt: false, platform: "darwin" })).toContain("colima start");
  });

  test("an installed one is started, by systemd where that runs", () => {
    expect(decide(absent, { ...bare, dockerd: "/usr/sbin/dockerd" })).toEqual({
      do: "start-dockerd",
      dockerd: "/usr/sbin/dockerd",
    });
    expect(decide(absent, { ...bare, dockerd: "/usr/sbin/dockerd", hasService: true })).toEqual({
      do: "start-service",
    });
  });

  test("who is not root is told the command that starts it", () => {
    const machine = { isRoot: false, dockerd: "/usr/sbin/dockerd" };
    expect(messageOf(absent, { ...machine, hasService: true })).toContain("sudo systemctl start docker");
    expect(messageOf(absent, machine)).toContain("sudo /usr/sbin/dockerd");
  });

  test("a socket that may not be used is no reason to start a second engine", () => {
    const denied: readonly ProbeResult[] = [{ endpoint: socket, state: "denied", why: "connect EACCES" }];
    const message = messageOf(denied, { dockerd: "/usr/sbin/dockerd" });
    expect(message).toContain("connect EACCES");
    expect(message).toContain("usermod -aG docker");
  });

  test("an engine that the user names is not replaced by a local one", () => {
    const endpoint = { host: "tcp://10.0.0.7:2376", chosenBy: "DOCKER_HOST", options: undefined, env: {} };
    const message = messageOf([{ endpoint, state: "absent", why: "ETIMEDOUT" }], {});
    expect(message).toContain("tcp://10.0.0.7:2376, which DOCKER_HOST names: ETIMEDOUT");
    expect(message).toContain("unset DOCKER_HOST");
  });
});

describe("the endpoint", () => {
  const withContext = (name: string, host: string) => {
    const id = createHash("sha256").update(name).digest("hex");
    const meta = path.join(dir, ".docker", "contexts", "meta", id);
    fs.mkdirSync(meta, { recursive: true });
    fs.writeFileSync(path.join(meta, "meta.json"), JSON.stringify({ Endpoints: { docker: { Host: host } } }));
    fs.writeFileSync(path.join(dir, ".docker", "config.json"), JSON.stringify({ currentContext: name }));
  };

  test("is the usual socket, then the user's own ones", () => {
    const hosts = endpoints({ XDG_RUNTIME_DIR: "/run/user/7" }, dir).map(({ host }) => host);
    expect(hosts.slice(0, 2)).toEqual(["unix:///var/run/docker.sock", "unix:///run/user/7/docker.sock"]);
  });

  test("is that of the Docker context in use, and no other", () => {
    withContext("desktop", "unix:///home/me/desktop.sock");
    expect(endpoints({}, dir)).toEqual([
      {
        host: "unix:///home/me/desktop.sock",
        chosenBy: "the Docker context desktop",
        options: { socketPath: "/home/me/desktop.sock" },
        env: { DOCKER_HOST: "unix:///home/me/desktop.sock" },
      },
    ]);
  });

  test("of a context on another machine is reached as its address says", () => {
    withContext("far", "ssh://me@far.example:2222");
    expect(endpoints({}, dir)[0]?.options).toEqual({
      protocol: "ssh",
      host: "far.example",
      port: "2222",
      username: "me",
    });
  });

  test("in DOCKER_HOST goes before every context", () => {
    withContext("desktop", "unix:///home/me/desktop.sock");
    expect(endpoints({ DOCKER_HOST: "tcp://ci:2375" }, dir)).toEqual([
      { host: "tcp://ci:2375", chosenBy: "DOCKER_HOST", options: undefined, env: {} },
    ]);
  });

  test("reaches other programs through DOCKER_HOST, unless it is the one that all look at", () => {
    const [usual, own] = endpoints({ XDG_RUNTIME_DIR: "/run/user/7" }, dir);
    expect(usual?.env).toEqual({});
    expect(own?.env).toEqual({ DOCKER_HOST: "unix:///run/user/7/docker.sock" });
  });

  test("with certificates passes them on as well", () => {
    withContext("secured", "tcp://far.example:2376");
    const id = createHash("sha256").update("secured").digest("hex");
    const folder = path.join(dir, ".docker", "contexts", "tls", id, "docker");
    fs.mkdirSync(folder, { recursive: true });
    for (const name of ["ca", "cert", "key"])
      fs.writeFileSync(path.join(folder, `${name}.pem`), `the ${name}`);
    expect(endpoints({}, dir)[0]).toMatchObject({
      options: { protocol: "https", host: "far.example", port: "2376", ca: "the ca", key: "the key" },
      env: { DOCKER_HOST: "tcp://far.example:2376", DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: folder },
    });
  });

  test("without a listener is absent", async () => {
    const options = { socketPath: path.join(dir, "none.sock") };
    const result = await probe({ host: "", chosenBy: undefined, options, env: {} });
    expect(result).toMatchObject({ state: "absent", why: expect.stringContaining("ENOENT") });
  });
});

describe("what other programs are told of the engine", () => {
  const socketIn = (name: string): Endpoint => {
    const socketPath = path.join(dir, name);
    const host = `unix://${socketPath}`;
    return { host, chosenBy: undefined, options: { socketPath }, env: { DOCKER_HOST: host } };
  };

  test("is the first socket that answers", async () => {
    const [absent, there] = [socketIn("absent.sock"), socketIn("there.sock")];
    const server = http.createServer((_, response) => response.end("OK"));
    await new Promise<void>((resolve) => server.listen(there.options?.socketPath, resolve));
    try {
      expect(await dockerEnv([absent, there])).toEqual({ DOCKER_HOST: there.host });
    } finally {
      server.close();
    }
  });

  test("is nothing where none answers", async () => {
    expect(await dockerEnv([socketIn("absent.sock")])).toEqual({});
  });

  test("is the one that the user names, which nobody waits for", async () => {
    const named = { ...socketIn("absent.sock"), chosenBy: "the Docker context far" };
    expect(await dockerEnv([named])).toEqual(named.env);
  });
});

describe("an engine's address", () => {
  test.each([
    "unix:///home/me/.colima/default/docker.sock",
    "tcp://127.0.0.1:2375",
    "tcp://localhost:2376",
    "tcp://[::1]:2375",
    "127.0.0.1:2375",
    "ssh://me@localhost",
  ])("%s is on this machine", (host) => {
    expect(isHere(host)).toBe(true);
  });

  test("that one of this machine's network devices has is on it, too", () => {
    const own = Object.values(os.networkInterfaces()).flatMap((addresses) => addresses ?? []);
    for (const { address, family } of own)
      expect(isHere(`tcp://${family === "IPv6" ? `[${address}]` : address}:2376`)).toBe(true);
  });

  test.each([
    ["tcp://192.0.2.7:2376", "192.0.2.7"],
    ["ssh://me@far.example:2222", "far.example"],
    ["tcp://[2001:db8::7]:2376", "2001:db8::7"],
    ["docker:2375", "docker"],
  ])("%s is on another one, %s", (host, machine) => {
    expect(isHere(host)).toBe(false);
    expect(machineOf(host)).toBe(machine);
  });
});

describe("warnings", () => {
  const good = {
    host: "unix:///var/run/docker.sock",
    env: {},
    version: "28.0",
    memoryBytes: 16e9,
    cpus: 8,
    disk: { total: 100e9, free: 80e9 },
    rootless: false,
    remote: false,
  } as const;

  test("there are none on the recommended machine, nor on the smallest", () => {
    expect(warningsFor(good)).toEqual([]);
    expect(warningsFor({ ...good, memoryBytes: 7.7e9, cpus: 4, disk: { total: 20e9, free: 15e9 } })).toEqual(
      [],
    );
  });

  test.each([
    ["little memory", { memoryBytes: 4e9 }, "4.0 GB of memory"],
    ["few cores", { cpus: 2 }, "2 processor cores"],
    ["a small disk", { disk: { total: 10e9, free: 9e9 } }, "a disk of 10.0 GB"],
    ["a full disk", { disk: { total: 100e9, free: 1e9 } }, "1.0 GB free"],
    ["another machine", { remote: true, host: "tcp://ci:2375" }, "tcp://ci:2375"],
    ["rootless mode", { rootless: true }, "without root"],
  ])("%s is one", (_, facts, text) => {
    expect(warningsFor({ ...good, ...facts })).toEqual([expect.stringContaining(text)]);
  });
});

describe("an engine of ours", () => {
  /** Stands for dockerd: answers pings on the socket that it is given, as long as it is not told to fail. */
  const fakeDockerd = () => {
    const program = path.join(dir, "dockerd");
    const code = `#!${process.execPath}
      const [socket, failure] = process.argv.slice(2);
      if (failure) { console.error("failed to start daemon: " + failure); process.exit(1); }
      require("node:http").createServer((_, response) => response.end("OK")).listen(socket);`;
    fs.writeFileSync(program, code, { mode: 0o755 });
    return program;
  };

  test("answers when it is said to have started, and ends when it is stopped", async () => {
    const socket = path.join(dir, "engine.sock");
    const pidFile = path.join(dir, "docker.pid");
    fs.writeFileSync(pidFile, String(process.pid));
    await startDockerd(fakeDockerd(), { args: [socket], socket, pidFile });
    const options = { socketPath: socket };
    expect((await probe({ host: "", chosenBy: undefined, options, env: {} })).state).toBe("answers");
    // The file of an engine that is gone, its number now ours: it would have kept a real one from starting.
    expect(fs.existsSync(pidFile)).toBe(false);
    expect(await stopDockerIfOurs()).toBe(true);
    expect((await probe({ host: "", chosenBy: undefined, options, env: {} })).state).toBe("absent");
    expect(await stopDockerIfOurs()).toBe(false);
  });

  test("that ends at once is an error with what it said, and nothing of ours is left to stop", async () => {
    const socket = path.join(dir, "engine.sock");
    const starting = startDockerd(fakeDockerd(), {
      args: [socket, "Devices cgroup isn't mounted"],
      socket,
      pidFile: path.join(dir, "docker.pid"),
    });
    await expect(starting).rejects.toThrow(/Devices cgroup isn't mounted.*dockerd\.log/s);
    expect(await stopDockerIfOurs()).toBe(false);
  });

  test("is tried again with the other iptables only where it stumbled over nftables", () => {
    expect(
      failedAtIptables(
        "failed to create NAT chain DOCKER: iptables failed: iptables -t nat -N DOCKER: " +
          "iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Invalid argument",
      ),
    ).toBe(true);
    expect(failedAtIptables("failed to start daemon: Devices cgroup isn't mounted")).toBe(false);
  });
});
