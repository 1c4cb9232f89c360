import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import tar from "tar-stream";
import { afterEach, describe, expect, test, vi } from "vitest";
import { container } from "../../offline/plugins/docker/container/kind";
import { unframed } from "../../offline/plugins/docker/container/logs";
import { createOptions, endpointsOf } from "../../offline/plugins/docker/container/options";
import {
  formatCpus,
  formatDuration,
  parseCpus,
  parseDuration,
  toBytes,
  toMebibytes,
} from "../../offline/plugins/docker/container/units";
import { archiveOf } from "../../offline/plugins/docker/container/uploads";
import { connect } from "../../offline/plugins/docker/engine";
import * as lifecycle from "../../offline/plugins/provider/lifecycle";
import { unknown } from "../../offline/plugins/provider/unknown";

const seed = Buffer.from("seed");
const check = (news: Record<string, unknown>) => lifecycle.check(container as never, {}, news, "c", seed);
const options = (news: Record<string, unknown>) =>
  createOptions(check({ image: "i", name: "c", ...news }).inputs);

describe("the engine's address", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test("is refused where it means ssh, also when it comes from DOCKER_HOST: files with passwords are sent there", () => {
    vi.stubEnv("DOCKER_CONTEXT", undefined);
    vi.stubEnv("DOCKER_HOST", "ssh://me@box.example");
    expect(() => connect({})).toThrow('"ssh://me@box.example" is not supported by the stand-in');
    vi.stubEnv("DOCKER_HOST", "unix:///run/docker.sock");
    expect(() => connect({})).not.toThrow();
  });
});

describe("the engine is asked for", () => {
  test("a container with the official plugin's defaults when only the image is given", () => {
    expect(options({})).toMatchObject({
      name: "c",
      Image: "i",
      Env: undefined,
      Cmd: undefined,
      HostConfig: {
        NetworkMode: "bridge",
        RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
        Init: false,
        Mounts: [],
      },
    });
  });

  test("ports at the addresses that are given, and of the engine's choice without a number", () => {
    const ports = [
      { internal: 5432, external: 15432, ip: "127.0.0.1" },
      { internal: 53, protocol: "udp" },
    ];
    expect(options({ ports })).toMatchObject({
      ExposedPorts: { "5432/tcp": {}, "53/udp": {} },
      HostConfig: {
        PortBindings: {
          "5432/tcp": [{ HostIp: "127.0.0.1", HostPort: "15432" }],
          "53/udp": [{ HostIp: "0.0.0.0", HostPort: "0" }],
        },
      },
    });
  });

  test("named volumes, host folders and the volumes of another container", () => {
    const volumes = [
      { volumeName: "data", containerPath: "/data" },
      { hostPath: "/", containerPath: "/host", readOnly: true },
      { containerPath: "/anonymous" },
      { fromContainer: "other" },
    ];
    expect(options({ volumes })).toMatchObject({
      Volumes: { "/data": {}, "/host": {}, "/anonymous": {} },
      HostConfig: { Binds: ["data:/data:rw", "/:/host:ro"], VolumesFrom: ["other"] },
    });
  });

  test("mounts with the options of their type only", () => {
    const mounts = [
      { type: "bind", source: "/a", target: "/b", readOnly: true, bindOptions: { propagation: "rslave" } },
      { type: "volume", source: "v", target: "/v", tmpfsOptions: { sizeBytes: 1 } },
      { type: "tmpfs", target: "/t", tmpfsOptions: { sizeBytes: 1024, mode: 0o1777 } },
    ];
    expect(options({ mounts }).HostConfig?.Mounts).toEqual([
      { Type: "bind", Source: "/a", Target: "/b", ReadOnly: true, BindOptions: { Propagation: "rslave" } },
      { Type: "volume", Source: "v", Target: "/v", ReadOnly: false },
      {
        Type: "tmpfs",
        Source: "",
        Target: "/t",
        ReadOnly: false,
        TmpfsOptions: { SizeBytes: 1024, Mode: 0o1777 },
      },
    ]);
  });

  test("memory in bytes, and no limit as no limit", () => {
    expect(options({ memory: 64, memorySwap: -1, shmSize: 2 }).HostConfig).toMatchObject({
      Memory: 64 * 1024 * 1024,
      MemorySwap: -1,
      ShmSize: 2 * 1024 * 1024,
    });
  });

  test("a health check in nanoseconds", () => {
    const healthcheck = { tests: ["CMD", "true"], interval: "1m30s", timeout: "500ms", retries: 3 };
    expect(options({ healthcheck }).Healthcheck).toMatchObject({
      Test: ["CMD", "true"],
      Interval: 90e9,
      Timeout: 0.5e9,
      StartPeriod: 0,
      Retries: 3,
    });
  });

  test("processors, which win over the two settings that they are short for", () => {
    expect(options({ cpus: "1.5", cpuQuota: 5 }).HostConfig).toMatchObject({ NanoCpus: 1.5e9 });
    expect(options({ cpus: "1.5", cpuQuota: 5 }).HostConfig).not.toHaveProperty("CpuQuota");
  });

  test("an unconfined container by empty lists, which is how docker's own client does it", () => {
    expect(
      options({ securityOpts: ["systempaths=unconfined", "no-new-privileges:true"] }).HostConfig,
    ).toMatchObject({
      SecurityOpt: ["no-new-privileges:true"],
      MaskedPaths: [],
      ReadonlyPaths: [],
    });
  });

  test("networks with addresses, names and options", () => {
    const networksAdvanced = [
      { name: "net", aliases: ["a"], ipv4Address: "10.0.0.2", driverOpts: ["k=a=b", "junk"] },
    ];
    expect(endpointsOf({ networksAdvanced })).toMatchObject([
      {
        network: "net",
        config: { Aliases: ["a"], IPAMConfig: { IPv4Address: "10.0.0.2" }, DriverOpts: { k: "a=b" } },
      },
    ]);
  });

  test("nothing that an upload holds", () => {
    const uploads = [{ file: "/secret", content: "hunter2" }];
    expect(JSON.stringify(options({ uploads }))).not.toMatch(/hunter2|secret/);
  });
});

describe("a container's inputs are refused", () => {
  test.each([
    ["an upload without content", { uploads: [{ file: "/a" }] }, /uploads\[0\]".*exactly one of .*none is/],
    [
      "an upload with two",
      { uploads: [{ file: "/a", content: "a", source: "b" }] },
      /content and source are/,
    ],
    [
      "a file mode that is none",
      { uploads: [{ file: "/a", content: "a", permissions: "444" }] },
      /"444" does not match/,
    ],
    [
      "a volume that is nowhere",
      { volumes: [{ volumeName: "v" }] },
      /containerPath or fromContainer must be set/,
    ],
    [
      "a volume that is two",
      { volumes: [{ containerPath: "/a", fromContainer: "b" }] },
      /exclude each other/,
    ],
    ["a duration that is none", { healthcheck: { interval: "5" } }, /"5" is not a duration such as 10s/],
    ["a restart policy that is none", { restart: "sometimes" }, /"sometimes" does not match/],
    ["a host path that is relative", { volumes: [{ containerPath: "/a", hostPath: "b" }] }, /does not match/],
    ["an empty word in a command", { command: ["a", ""] }, /may not be empty/],
    ["two ways to ask for graphics cards", { gpus: "all", deviceRequests: [{}] }, /not together/],
  ])("for %s", (_, news, message) => {
    const { failures } = check({ image: "i", ...news });
    expect(failures.map(({ reason }) => reason).join()).toMatch(message);
  });

  test("but not for what is not known yet", () => {
    const uploads = [{ file: "/a", content: unknown }];
    expect(check({ image: unknown, uploads, volumes: [{ containerPath: unknown }] }).failures).toEqual([]);
  });
});

describe("an upload", () => {
  const unpack = async (uploads: Record<string, unknown>[]) => {
    const files: { header: tar.Headers; content: string }[] = [];
    const extract = tar.extract();
    extract.on("entry", (header, stream, next) => {
      buffer(stream).then((content) => {
        files.push({ header, content: content.toString() });
        next();
      });
    });
    const done = new Promise((resolve) => extract.on("finish", resolve));
    Readable.from([await archiveOf(uploads)]).pipe(extract);
    await done;
    return files;
  };

  test("has the mode that is given, else the official plugin's", async () => {
    const files = await unpack([
      { file: "/etc/a", content: "a" },
      { file: "/etc/b", contentBase64: Buffer.from("b\n").toString("base64"), executable: true },
      { file: "/etc/c", content: "c", executable: true, permissions: "0400" },
    ]);
    const seen = files.map(({ header, content }) => [header.name, header.mode?.toString(8), content]);
    expect(seen).toEqual([
      ["etc/a", "644", "a"],
      ["etc/b", "744", "b\n"],
      ["etc/c", "400", "c"],
    ]);
  });

  test("belongs to root unless said otherwise, by number or by this machine's names", async () => {
    const files = await unpack([
      { file: "/a", content: "a" },
      { file: "/b", content: "b", owner: "101", group: "root" },
    ]);
    expect(files.map(({ header }) => [header.uid, header.gid])).toEqual([
      [0, 0],
      [101, 0],
    ]);
    await expect(archiveOf([{ file: "/a", content: "a", owner: "no-such-user" }])).rejects.toThrow(
      /unknown owner/,
    );
  });

  test("from a file that isn't there is a clear error", async () => {
    const source = "/no/such/file";
    await expect(archiveOf([{ file: "/a", source }])).rejects.toThrow(
      "cannot read /no/such/file, the source of the upload /a: there is no such file",
    );
  });
});

test("a container's log loses the engine's framing", () => {
  const piece = (stream: number, text: string) => {
    const header = Buffer.alloc(8);
    header.writeUInt8(stream, 0);
    header.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  const cut = piece(1, "cut off").subarray(0, 5);
  expect(unframed(Buffer.concat([piece(1, "out ü\n"), piece(2, "err\n"), cut]))).toBe("out ü\nerr\n");
});

describe("units", () => {
  test.each([
    ["0s", 0],
    ["10s", 10e9],
    ["1m0s", 60e9],
    ["1h0m1s", 3601e9],
    ["500ms", 0.5e9],
    ["1.5s", 1.5e9],
    ["20µs", 20_000],
    ["7ns", 7],
  ])("the duration %s is read and written as Go does", (text, nanoseconds) => {
    expect(parseDuration(text)).toBe(nanoseconds);
    expect(formatDuration(nanoseconds)).toBe(text);
  });

  test.each(["", "5", "s", "1 s", "1d", "abc"])('"%s" is no duration', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test.each([
    ["0.5", 0.5e9, "0.5"],
    ["1", 1e9, "1.0"],
    ["2.0", 2e9, "2.0"],
    ["1.25", 1.25e9, "1.25"],
  ])("%s processors", (text, nano, back) => {
    expect(parseCpus(text)).toBe(nano);
    expect(formatCpus(nano)).toBe(back);
  });

  test("memory, where a negative number means no limit", () => {
    expect([512, 0, -1].map(toBytes)).toEqual([536870912, 0, -1]);
    expect([536870912, 0, -1].map(toMebibytes)).toEqual([512, 0, -1]);
  });
});
