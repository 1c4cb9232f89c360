import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { CommandContext } from "../../src/cli/command";
import { env } from "../../src/cli/commands/env";
import { status } from "../../src/cli/commands/status";
import { openPorts, refuseUnreachable, up } from "../../src/cli/commands/up";
import { resourceTypes } from "../../src/cli/engine/state";
import { dockerStep, pulumiStep, stackFor } from "../../src/cli/session";
import { observe } from "../../src/cli/status/collect";
import { parseConfig } from "../../src/config";

vi.mock("../../src/cli/session");
vi.mock("../../src/cli/status/collect");
vi.mock("../../src/cli/toolchain/pulumi", async (original) => ({
  ...(await original<typeof import("../../src/cli/toolchain/pulumi")>()),
  ensurePulumi: async () => pulumi,
}));

const pulumi = {
  cli: { bin: "/bin/pulumi", version: "3.248.0", origin: "found", pathDirs: [] },
  plugins: { home: "/home/me/.pulumi", origins: {} },
  state: { backend: "local", where: "file:///s", env: {} },
} as never;

const lines: string[] = [];
const context = {
  terminal: { line: (text = "") => lines.push(text) },
  steps: { logFile: "" },
  interruption: { check: () => {} },
} as unknown as CommandContext;

let dir: string;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-engine-"));
  vi.stubEnv("CDC_HOME", dir);
  vi.stubEnv("DOCKER_CONFIG", dir);
  for (const name of ["DOCKER_CONTEXT", "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"])
    vi.stubEnv(name, undefined);
  vi.mocked(pulumiStep).mockResolvedValue(pulumi);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  lines.length = 0;
  fs.rmSync(dir, { recursive: true, force: true });
});

/** Makes a Docker context with certificates the one in use. */
function useContext(host: string): string {
  const id = createHash("sha256").update("far").digest("hex");
  const certificates = path.join(dir, "contexts", "tls", id, "docker");
  const meta = path.join(dir, "contexts", "meta", id);
  for (const folder of [meta, certificates]) fs.mkdirSync(folder, { recursive: true });
  for (const name of ["ca", "cert", "key"]) fs.writeFileSync(path.join(certificates, `${name}.pem`), name);
  fs.writeFileSync(path.join(meta, "meta.json"), JSON.stringify({ Endpoints: { docker: { Host: host } } }));
  fs.writeFileSync(path.join(dir, "config.json"), JSON.stringify({ currentContext: "far" }));
  return certificates;
}

function stackWith(state: object): void {
  vi.mocked(stackFor).mockReturnValue({ read: async () => state } as never);
}

test("env hands the engine of the Docker context on to plain pulumi", async () => {
  const certificates = useContext("tcp://192.0.2.7:2376");
  stackWith({ resources: [], pending: [], outputs: {} });
  const print = vi.spyOn(console, "log").mockImplementation(() => {});
  await env({ stack: "dev" }, context);
  const printed = print.mock.calls.map(([line]) => line);
  expect(printed).toContain("export DOCKER_HOST='tcp://192.0.2.7:2376'");
  expect(printed).toContain("export DOCKER_TLS_VERIFY='1'");
  expect(printed).toContain(`export DOCKER_CERT_PATH='${certificates}'`);
});

test.each([
  ["far", undefined, "tcp://192.0.2.7:2376"],
  // The docker command prefers DOCKER_HOST; Pulumi's plugin would not.
  ["far", "unix:///run/mine.sock", "unix:///run/mine.sock"],
  ["default", undefined, undefined],
])("env leaves plain pulumi no DOCKER_CONTEXT=%s beside DOCKER_HOST=%s", async (name, host, expected) => {
  useContext("tcp://192.0.2.7:2376");
  vi.stubEnv("DOCKER_CONTEXT", name);
  vi.stubEnv("DOCKER_HOST", host);
  stackWith({ resources: [], pending: [], outputs: {} });
  const print = vi.spyOn(console, "log").mockImplementation(() => {});
  await env({ stack: "dev" }, context);
  const printed = print.mock.calls.map(([line]) => line);
  expect(printed).toContain("unset DOCKER_CONTEXT");
  expect(printed.filter((line) => line.startsWith("export DOCKER_HOST"))).toEqual(
    expected ? [`export DOCKER_HOST='${expected}'`] : [],
  );
});

test("env leaves a context that does not exist to whoever needs it", async () => {
  vi.stubEnv("DOCKER_CONTEXT", "nowhere");
  stackWith({ resources: [], pending: [], outputs: {} });
  const print = vi.spyOn(console, "log").mockImplementation(() => {});
  await env({ stack: "dev" }, context);
  expect(print.mock.calls.map(([line]) => line)).not.toContain("unset DOCKER_CONTEXT");
});

test("env needs no engine: a context that leads nowhere is not its business", async () => {
  useContext("not an address");
  stackWith({ resources: [], pending: [], outputs: {} });
  const print = vi.spyOn(console, "log").mockImplementation(() => {});
  await env({ stack: "dev" }, context);
  const printed = print.mock.calls.map(([line]) => line);
  expect(printed).toContain("export PULUMI_STACK='dev'");
  expect(printed.join("\n")).not.toContain("DOCKER_HOST");
});

test("status looks at the containers of the engine that the Docker context names", async () => {
  useContext("tcp://192.0.2.7:2376");
  stackWith({
    resources: [{ type: resourceTypes.container }],
    pending: [],
    outputs: {
      endpoints: {},
      credentials: {},
      pipeline: {
        database: "d",
        publication: "p",
        slot: "s",
        connector: "c",
        topicPrefix: "t",
        consumerGroup: "g",
        clickhouseDatabase: "c",
        tables: [],
        bindAddress: "127.0.0.1",
        services: [],
        missing: [],
      },
    },
  });
  vi.spyOn(console, "log").mockImplementation(() => {});
  let asked: string | undefined;
  vi.mocked(observe).mockImplementation(async () => {
    asked = process.env.DOCKER_HOST;
    return {
      services: [],
      connector: undefined,
      slot: undefined,
      consumers: [],
      tables: [],
      problems: [],
    };
  });
  expect(await status({ stack: "dev", json: true, every: 2 }, context)).toBe(0);
  expect(asked).toBe("tcp://192.0.2.7:2376");
});

describe("up", () => {
  const engine = { host: "unix:///var/run/docker.sock", remote: false, warnings: ["4.0 GB of memory"] };

  test("says what may go wrong on this machine before it does anything else", async () => {
    vi.mocked(dockerStep).mockResolvedValue(engine as never);
    vi.mocked(pulumiStep).mockRejectedValue(new Error("no Pulumi"));
    await expect(up({ stack: "none" }, context)).rejects.toThrow("no Pulumi");
    expect(lines).toEqual(["  note: 4.0 GB of memory"]);
  });

  test.each([
    ["127.0.0.1", 0],
    ["::1", 0],
    ["0.0.0.0", 1],
    ["192.168.1.5", 1],
  ])("with ports on %s it says %i times that others reach what has no login", (bindAddress, times) => {
    expect(openPorts({ bindAddress })).toHaveLength(times);
  });

  test("does not begin where its ports would be published on another machine", async () => {
    const far = { ...engine, host: "tcp://192.0.2.7:2376", remote: true };
    vi.mocked(dockerStep).mockResolvedValue(far as never);
    await expect(up({ stack: "none" }, context)).rejects.toThrow(
      /another machine \(tcp:\/\/192\.0\.2\.7:2376\): with cdc:bindAddress 127\.0\.0\.1 .* such as 192\.0\.2\.7;/s,
    );
    expect(pulumiStep).not.toHaveBeenCalled();
  });

  test.each(["127.0.0.1", "0.0.0.0", "::", "::1"])(
    "finds nothing at %s of another machine",
    (bindAddress) => {
      const config = parseConfig({ "cdc:bindAddress": bindAddress });
      const far = { host: "ssh://me@far.example", remote: true };
      expect(() => refuseUnreachable(far, config)).toThrow(`with cdc:bindAddress ${bindAddress}`);
      expect(() => refuseUnreachable({ ...far, remote: false }, config)).not.toThrow();
    },
  );

  test("goes on with another machine whose own address is set", () => {
    const config = parseConfig({ "cdc:bindAddress": "192.0.2.7" });
    expect(() => refuseUnreachable({ host: "tcp://192.0.2.7:2376", remote: true }, config)).not.toThrow();
  });
});
