import Docker from "dockerode";
import tar from "tar-stream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { waitFor } from "../../../src/lib/retry";
import { tinyImage } from "../../support/tiny-image";
import { InitFailed, PluginClient, type Stored, type Values } from "./client";
import { ours, removeLeftovers } from "./leftovers";

const docker = new Docker();
const name = `${ours}-box`;
let image: string;
let plugin: PluginClient;
let urn: string;

beforeAll(async () => {
  await removeLeftovers(docker);
  image = await tinyImage(docker);
  plugin = await PluginClient.start("docker");
  urn = plugin.urn("Container", "box");
});

afterEach(async () => {
  await removeLeftovers(docker);
});

afterAll(async () => {
  await plugin.end();
});

const inspect = (id: string = name) => docker.getContainer(id).inspect();
const create = (news: Values = {}) => plugin.create(urn, { image, name, ...news });
const diff = (stored: Stored, news: Values) => plugin.diff(urn, stored, { image, name, ...news });

/** A check that passes when the file is there; fast, because tests wait for it. */
const checkOf = (file: string) => ({
  tests: ["CMD", "/tiny", "check", file],
  interval: "200ms",
  timeout: "5s",
  retries: 2,
});

describe("a container as the engine shows it", () => {
  test("has what the stack's containers are given", async () => {
    const network = await plugin.create(plugin.urn("Network", "net"), {
      name: `${ours}-net`,
      driver: "bridge",
    });
    const volume = await plugin.create(plugin.urn("Volume", "data"), { name: `${ours}-data` });
    const { state } = await create({
      hostname: "box",
      restart: "unless-stopped",
      user: "1000:1000",
      command: ["sleep"],
      envs: ["A=1"],
      labels: [{ label: "cdc.test", value: "yes" }],
      networkMode: "bridge",
      networksAdvanced: [{ name: network.id, aliases: ["alias"] }],
      ports: [{ internal: 80, ip: "127.0.0.1" }],
      volumes: [{ volumeName: volume.id, containerPath: "/data" }],
      mounts: [{ type: "bind", source: "/etc/hostname", target: "/there", readOnly: true }],
      tmpfs: { "/scratch": "size=16m" },
      memory: 32,
      memorySwap: 32,
      capabilities: { drops: ["ALL"], adds: ["CHOWN"] },
      securityOpts: ["no-new-privileges:true"],
      ulimits: [{ name: "nofile", soft: 100, hard: 200 }],
      logDriver: "json-file",
      logOpts: { "max-size": "1m" },
      stopTimeout: 7,
      healthcheck: checkOf("/tiny"),
      wait: true,
    });
    const seen = await inspect();
    expect(seen.State).toMatchObject({ Running: true, Health: { Status: "healthy" } });
    expect(seen.Config).toMatchObject({
      Hostname: "box",
      User: "1000:1000",
      Cmd: ["sleep"],
      Entrypoint: ["/tiny"],
      Env: ["A=1", "FROM_IMAGE=yes"],
      Labels: { "cdc.test": "yes", "from.image": "yes" },
      StopTimeout: 7,
      Healthcheck: { Test: ["CMD", "/tiny", "check", "/tiny"], Interval: 2e8, Timeout: 5e9, Retries: 2 },
    });
    expect(seen.HostConfig).toMatchObject({
      Binds: [`${ours}-data:/data:rw`],
      CapAdd: ["CHOWN"],
      CapDrop: ["ALL"],
      LogConfig: { Type: "json-file", Config: { "max-size": "1m" } },
      Memory: 32 * 1024 * 1024,
      MemorySwap: 32 * 1024 * 1024,
      Mounts: [{ Type: "bind", Source: "/etc/hostname", Target: "/there", ReadOnly: true }],
      NetworkMode: "bridge",
      RestartPolicy: { Name: "unless-stopped" },
      SecurityOpt: ["no-new-privileges:true"],
      Tmpfs: { "/scratch": "size=16m" },
      Ulimits: [{ Name: "nofile", Soft: 100, Hard: 200 }],
    });
    expect(Object.keys(seen.NetworkSettings.Networks)).toEqual([`${ours}-net`]);
    expect(seen.NetworkSettings.Networks[`${ours}-net`]?.Aliases).toContain("alias");
    const [binding] = seen.NetworkSettings.Ports["80/tcp"] ?? [];
    expect(binding?.HostIp).toBe("127.0.0.1");
    expect(state.ports).toEqual([
      { internal: 80, external: Number(binding?.HostPort), ip: "127.0.0.1", protocol: "tcp" },
    ]);
    expect(state.networkDatas).toMatchObject([{ networkName: `${ours}-net` }]);
  });

  test("has nothing that isn't asked for: no label, no environment, no limit of the stand-in's own", async () => {
    await create({ name: `${ours}-made` });
    const plain = await docker.createContainer({
      name: `${ours}-plain`,
      Image: image,
      HostConfig: { Init: false },
    });
    await plain.start();
    const comparable = async (id: string) => {
      const { Config, HostConfig } = await inspect(id);
      return { Config: { ...Config, Hostname: "" }, HostConfig };
    };
    const made = await comparable(`${ours}-made`);
    const expected = await comparable(`${ours}-plain`);
    // The official plugin asks for these by name, and gets what others get without asking.
    expect(made.HostConfig).toEqual({
      ...expected.HostConfig,
      NetworkMode: "bridge",
      RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
    });
    expect(made.Config).toEqual(expected.Config);
  });

  test("holds uploaded files, with mode and owner, and shows nothing of them", async () => {
    const { id } = await create({
      uploads: [
        { file: "/etc/secret", content: "hunter2", permissions: "0400", owner: "101", group: "102" },
        { file: "/run/a/b/script", content: "#!", executable: true },
      ],
    });
    expect(await fileIn(id, "/etc/secret")).toMatchObject({
      content: "hunter2",
      mode: 0o400,
      uid: 101,
      gid: 102,
    });
    expect(await fileIn(id, "/run/a/b/script")).toMatchObject({ content: "#!", mode: 0o744, uid: 0, gid: 0 });
    expect(JSON.stringify(await inspect())).not.toMatch(/hunter2|etc\/secret/);
  });

  test("is only made, not started, when that is asked for", async () => {
    await create({ start: false, mustRun: false });
    expect((await inspect()).State.Status).toBe("created");
  });

  test("that is attached to is waited for until its end, and its log is kept", async () => {
    const { state } = await create({
      command: ["say", "3", "one", "two"],
      attach: true,
      logs: true,
      mustRun: false,
    });
    expect(state).toMatchObject({ containerLogs: expect.stringContaining("one\n"), exitCode: 3 });
    expect(state.containerLogs).toContain("two\n");
  });
});

describe("inputs are refused", () => {
  test.each([
    ["an unknown one", { nonsense: 1 }, /unknown input "nonsense"/],
    [
      "an unknown one further down",
      { uploads: [{ file: "/a", content: "a", mode: "1" }] },
      /unknown input "uploads\[0\]\.mode"/,
    ],
    ["a value of another type", { memory: "much" }, /"memory" must be an integer/],
    ["an upload without content", { uploads: [{ file: "/a" }] }, /exactly one of content/],
  ])("for %s", async (_, news, message) => {
    expect((await plugin.failures(urn, { image, ...news })).join()).toMatch(message);
  });

  test("for a type that the stand-in doesn't have", async () => {
    const failures = await plugin.failures(plugin.urn("Image", "built"), { imageName: "x" });
    expect(failures.join()).toMatch(
      /docker:index\/image:Image is not supported by the stand-in .* it serves/,
    );
  });

  test("for an image that is built", async () => {
    const news = { name: "x", build: { context: "." } };
    const failures = await plugin.failures(plugin.urn("RemoteImage", "built"), news);
    expect(failures.join()).toMatch(/builds none/);
  });
});

describe("a change", () => {
  let stored: Stored | undefined;
  const news = {
    restart: "unless-stopped",
    memory: 32,
    memorySwap: 32,
    envs: ["A=1", "B=2"],
    labels: [{ label: "a", value: "1" }],
    ports: [
      { internal: 81, ip: "127.0.0.1" },
      { internal: 80, ip: "127.0.0.1" },
    ],
    uploads: [{ file: "/a", content: "a" }],
    healthcheck: { ...checkOf("/tiny"), interval: "1m0s" },
    logDriver: "json-file",
  };

  test("of nothing is none, neither right after the creation nor after a refresh", async () => {
    const made = await create(news);
    expect((await diff(made, news)).differences).toEqual([]);
    const refreshed = (await plugin.read(urn, made)) as Stored;
    expect(refreshed).toEqual(made);
    expect((await diff(refreshed, { ...news, envs: ["B=2", "A=1"] })).differences).toEqual([]);
  });

  test.each([
    ["memory", { memory: 48, memorySwap: 48 }, ["memory", "memorySwap"], false],
    ["the restart policy", { restart: "always" }, ["restart"], false],
    ["how long is waited", { waitTimeout: 5 }, ["waitTimeout"], false],
    // As with the official plugin: it reaches the container only with the next replacement.
    [
      "the health check",
      { healthcheck: checkOf("/other") },
      ["healthcheck.interval", "healthcheck.tests[3]"],
      false,
    ],
    ["a port", { ports: [{ internal: 80, ip: "127.0.0.1" }] }, ["ports"], true],
    ["the environment", { envs: ["A=1"] }, ["envs"], true],
    ["a label", { labels: [{ label: "a", value: "2" }] }, ["labels"], true],
    ["an upload's content", { uploads: [{ file: "/a", content: "b" }] }, ["uploads"], true],
    ["the command", { command: ["later", "0", "/tmp/x"] }, ["command"], true],
    ["the image", { image: "other:1" }, ["image"], true],
    ["the name", { name: `${ours}-other` }, ["name"], true],
  ])("of %s is what the official plugin would plan", async (_, changes, paths, replaces) => {
    // A plan is made from the state alone: one container's does for all.
    stored ??= await create(news);
    const made = stored;
    const plan = await diff(made, { ...news, ...changes });
    expect(plan.differences.map(({ path }) => path).sort()).toEqual(paths);
    expect(plan.differences.some(({ replace }) => replace)).toBe(replaces);
    // A container's name is taken until it is gone.
    expect(plan.deleteBeforeReplace).toBe(replaces);
  });

  test("in place reaches the running container", async () => {
    const made = await create(news);
    const changes = {
      ...news,
      image,
      name,
      memory: 48,
      memorySwap: 48,
      restart: "on-failure",
      maxRetryCount: 2,
    };
    const updated = await plugin.update(urn, made, changes);
    const { HostConfig, State, Id } = await inspect();
    expect(Id).toBe(made.id);
    expect(State.Running).toBe(true);
    expect(HostConfig).toMatchObject({
      Memory: 48 * 1024 * 1024,
      RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 },
    });
    expect((await diff(updated, changes)).differences).toEqual([]);
    expect(await plugin.read(urn, updated)).toEqual(updated);
  });
});

describe("drift", () => {
  test("by a container that is gone is seen, and deleting it is no error", async () => {
    const made = await create();
    await docker.getContainer(name).remove({ force: true });
    expect(await plugin.read(urn, made)).toBeUndefined();
    await plugin.delete(urn, made);
  });

  test("by a container that has stopped is seen, and the update starts it", async () => {
    const made = await create();
    await docker.getContainer(name).stop({ t: 0 });
    const refreshed = (await plugin.read(urn, made)) as Stored;
    expect((await diff(refreshed, {})).differences).toEqual([{ path: "mustRun", replace: false }]);
    await plugin.update(urn, refreshed, { image, name });
    expect((await inspect()).State.Running).toBe(true);
  });

  test("by limits that somebody else has changed is seen", async () => {
    const news = { memory: 32, memorySwap: 32 };
    const made = await create(news);
    await docker.getContainer(name).update({ Memory: 64 * 1024 * 1024, MemorySwap: 64 * 1024 * 1024 });
    const refreshed = (await plugin.read(urn, made)) as Stored;
    expect(refreshed.inputs).toMatchObject({ memory: 64, memorySwap: 64 });
    expect((await diff(refreshed, news)).differences.map(({ path }) => path)).toEqual([
      "memory",
      "memorySwap",
    ]);
  });
});

describe("waiting for health", () => {
  test("ends when the health check passes", async () => {
    await create({ command: ["later", "1", "/tmp/ready"], healthcheck: checkOf("/tmp/ready"), wait: true });
    expect((await inspect()).State.Health?.Status).toBe("healthy");
  });

  test("that is in vain ends with what one would look at next, and the container is made anew", async () => {
    const news = { healthcheck: checkOf("/nothing"), wait: true, waitTimeout: 2 };
    const failed = (await create(news).catch((error) => error)) as InitFailed;
    expect(failed).toBeInstanceOf(InitFailed);
    expect(failed.message).toContain(`container ${name} failed to be in healthy state`);
    expect(failed.message).toContain("not ready after 2 s");
    expect(failed.message).toContain("unhealthy, exit code 1: /nothing is missing");
    expect(failed.message).toContain("sleeping");
    expect(failed.stored.id).toBe((await inspect()).Id);
    const plan = await diff(failed.stored, { ...news, waitTimeout: 2 });
    expect(plan).toMatchObject({ differences: [{ replace: true }], deleteBeforeReplace: true });
  });

  test("ends at once when the container has ended, with its last lines", async () => {
    const news = {
      command: ["say", "3", "out", "err"],
      healthcheck: checkOf("/tiny"),
      wait: true,
      waitTimeout: 60,
    };
    const began = Date.now();
    const failed = (await create(news).catch((error) => error)) as InitFailed;
    for (const part of ["ended with exit code 3", "\n  out", "\n  err"])
      expect(failed.message).toContain(part);
    expect(Date.now() - began).toBeLessThan(30_000);
  });

  test("of a container without a health check is refused", async () => {
    await expect(create({ wait: true })).rejects.toThrow(/has no health check: give it a `healthcheck`/);
  });

  test("ends when the user gives up, and the container is made anew next time", async () => {
    const own = await PluginClient.start("docker");
    try {
      const news = { image, name, healthcheck: checkOf("/nothing"), wait: true, waitTimeout: 100 };
      const creation = own.create(urn, news).catch((error) => error);
      await waitFor(async () => (await inspect()).State.Running, {
        what: "start of the container",
        timeoutMs: 20_000,
      });
      await own.cancel();
      const failed = await creation;
      expect(failed).toBeInstanceOf(InitFailed);
      expect(failed.message).toContain("interrupted");
      expect((await diff(failed.stored, news)).differences).toMatchObject([{ replace: true }]);
    } finally {
      await own.end();
    }
  });
});

describe("a name that is taken", () => {
  test("by somebody's container is an error that says how to get rid of it", async () => {
    await docker.createContainer({ name, Image: image });
    await expect(create()).rejects.toThrow(new RegExp(`already in use .*docker rm -f ${name}`));
    expect((await inspect()).State.Status).toBe("created");
  });

  test("by the rest of a creation that was killed is free again", async () => {
    const killed = await PluginClient.start("docker");
    const net = killed.urn("Network", "net");
    const network = { name: `${ours}-net` };
    const waiting = { image, name, healthcheck: checkOf("/nothing"), wait: true, waitTimeout: 100 };
    const creation = killed.create(urn, waiting).catch((error) => error);
    await waitFor(async () => (await inspect()).State.Running, {
      what: "start of the container",
      timeoutMs: 20_000,
    });
    // The creation of the network is over for the plugin; to Pulumi, killed with it, it is as if it had never been.
    await killed.create(net, network);
    await killed.stop("SIGKILL");
    expect(await creation).toBeInstanceOf(Error);
    const rest = (await inspect()).Id;

    const next = await PluginClient.start("docker", killed.home);
    try {
      await next.create(net, network);
      const { id } = await next.create(urn, { image, name, healthcheck: checkOf("/tiny"), wait: true });
      expect(id).not.toBe(rest);
      expect((await inspect()).Id).toBe(id);
    } finally {
      await next.end();
    }
  });
});

describe("deleting", () => {
  test("gives the container its time, and takes its anonymous volumes along", async () => {
    const made = await create({ volumes: [{ containerPath: "/anonymous" }], destroyGraceSeconds: 5 });
    const [volume] = (await inspect()).Mounts.map((mount) => mount.Name as string);
    await plugin.delete(urn, made);
    await expect(inspect()).rejects.toThrow(/no such container/i);
    await expect(docker.getVolume(volume as string).inspect()).rejects.toThrow(/no such volume/i);
  });

  test("an image that shall be kept leaves it", async () => {
    const at = plugin.urn("RemoteImage", "image");
    const made = await plugin.create(at, { name: image, keepLocally: true });
    expect(made.state.imageId).toMatch(/^sha256:/);
    expect((await plugin.diff(at, made, { name: image, keepLocally: true })).differences).toEqual([]);
    await plugin.delete(at, made);
    expect((await docker.getImage(image).inspect()).Id).toBe(made.state.imageId);
  });

  test("a volume or a network takes it away; both are gone for a refresh, too", async () => {
    for (const type of ["Volume", "Network"]) {
      const at = plugin.urn(type, "thing");
      const news = { name: `${ours}-thing`, labels: [{ label: "a", value: "1" }] };
      const made = await plugin.create(at, news);
      expect((await plugin.diff(at, (await plugin.read(at, made)) as Stored, news)).differences).toEqual([]);
      await plugin.delete(at, made);
      expect(await plugin.read(at, made)).toBeUndefined();
      await plugin.delete(at, made);
    }
  });
});

async function fileIn(id: string, file: string) {
  const archive = await docker.getContainer(id).getArchive({ path: file });
  const extract = tar.extract();
  return new Promise<Values>((resolve, reject) => {
    extract.on("entry", (header, stream, next) => {
      const pieces: Buffer[] = [];
      stream.on("data", (piece: Buffer) => pieces.push(piece));
      stream.on("end", () => {
        // The mode comes with the file's type in it.
        resolve({ ...header, mode: Number(header.mode) & 0o7777, content: Buffer.concat(pieces).toString() });
        next();
      });
    });
    extract.on("error", reject);
    archive.pipe(extract);
  });
}
