import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { pulumiVersion } from "../../offline/toolchain/build";
import {
  attempt,
  believedForMs,
  downloadFile,
  downloadText,
  firstServing,
} from "../../src/cli/toolchain/downloads";
import { pulumiEnv } from "../../src/cli/toolchain/pulumi";
import { acceptsVersion, checksumOf, downloadCli } from "../../src/cli/toolchain/pulumi-cli";
import { ensurePlugins, hasOfficial, pinnedVersion } from "../../src/cli/toolchain/pulumi-plugins";
import {
  chooseState,
  dropSalt,
  ensureState,
  hasGeneratedPassphrase,
  type StateSources,
  stateFolder,
} from "../../src/cli/toolchain/pulumi-state";
import { projectRoot } from "../../src/lib/paths";

vi.mock("../../offline/plugins/install", () => {
  const program = (home: string, name: string) => {
    const folder = fs
      .readdirSync(path.join(home, "plugins"))
      .find((one) => one.startsWith(`resource-${name}-`));
    return path.join(home, "plugins", folder ?? "", `pulumi-resource-${name}`);
  };
  return {
    installStandIns: async (home: string) => {
      for (const name of ["docker", "random"] as const) {
        const folder = path.join(home, "plugins", `resource-${name}-v${pinnedVersion(name)}`);
        fs.mkdirSync(folder, { recursive: true });
        fs.writeFileSync(path.join(folder, `pulumi-resource-${name}`), "stand-in");
      }
    },
    isStandIn: (home: string, name: string) =>
      fs.existsSync(path.join(home, "plugins")) &&
      fs.existsSync(program(home, name)) &&
      fs.readFileSync(program(home, name), "utf8") === "stand-in",
  };
});

let dir: string;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-pulumi-"));
  vi.stubEnv("XDG_CACHE_HOME", path.join(dir, "cache"));
  vi.stubEnv("CDC_HOME", path.join(dir, "state"));
  vi.stubEnv("CDC_OFFLINE", undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  fs.rmSync(dir, { recursive: true, force: true });
});

describe("an attempt at a download", () => {
  const failing = vi.fn(async () => {
    throw new Error("get.example: no answer\nat some place");
  });

  beforeEach(() => {
    failing.mockClear();
  });

  test("that failed is believed for an hour, and made again after it", async () => {
    let time = 1e12;
    const now = () => time;
    expect(await attempt("cli", failing, { now })).toEqual({ ok: false, why: "get.example: no answer" });
    time += believedForMs / 2;
    const believed = await attempt("cli", failing, { now });
    expect(believed).toEqual({ ok: false, why: expect.stringContaining("30 min ago; --retry-downloads") });
    expect(failing).toHaveBeenCalledTimes(1);
    time += believedForMs / 2;
    await attempt("cli", failing, { now });
    expect(failing).toHaveBeenCalledTimes(2);
  });

  test("is made again at once when that is asked for, and a failure is forgotten by a success", async () => {
    await attempt("cli", failing);
    const work = vi.fn(async () => "here");
    expect(await attempt("cli", work, { retryDownloads: true })).toEqual({ ok: true, value: "here" });
    expect(await attempt("cli", work)).toEqual({ ok: true, value: "here" });
  });

  test("says nothing about another one", async () => {
    await attempt("cli", failing);
    expect(await attempt("plugin", async () => "here")).toEqual({ ok: true, value: "here" });
  });

  test("is not made with CDC_OFFLINE", async () => {
    vi.stubEnv("CDC_OFFLINE", "1");
    expect(await attempt("cli", failing)).toEqual({ ok: false, why: "CDC_OFFLINE is set" });
    expect(failing).not.toHaveBeenCalled();
  });
});

describe("a download", () => {
  let server: http.Server;
  let base: string;
  let files: Record<string, string | Buffer>;

  beforeEach(async () => {
    files = { "/file": "content" };
    server = http.createServer((request, response) => {
      const content = files[request.url ?? ""];
      if (request.url === "/slow") return;
      if (request.url === "/endless") return void response.writeHead(200).write("the first part");
      if (content === undefined) response.writeHead(403).end();
      else response.end(request.method === "HEAD" ? undefined : content);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  test("comes from the first address that serves it", async () => {
    expect(await firstServing([`${base}/blocked`, `${base}/file`], 2000)).toBe(`${base}/file`);
    const file = path.join(dir, "below", "file");
    await downloadFile(`${base}/file`, file, { timeoutMs: 2000 });
    expect(fs.readFileSync(file, "utf8")).toBe("content");
  });

  test("from this machine needs no proxy, whatever the environment names", async () => {
    for (const name of ["http_proxy", "HTTP_PROXY"]) vi.stubEnv(name, "http://127.0.0.1:1");
    for (const name of ["no_proxy", "NO_PROXY"]) vi.stubEnv(name, undefined);
    expect(await firstServing([`${base}/file`], 2000)).toBe(`${base}/file`);
    expect(await downloadText(`${base}/file`, 2000)).toBe("content");
  });

  test("says how much of it is there", async () => {
    files["/large"] = Buffer.alloc(300_000);
    const parts: number[] = [];
    const file = path.join(dir, "large");
    await downloadFile(`${base}/large`, file, { timeoutMs: 2000, onProgress: (part) => parts.push(part) });
    expect(parts.at(-1)).toBe(1);
    expect(fs.statSync(file).size).toBe(300_000);
  });

  test("that is refused, or takes too long, is an error", async () => {
    const file = path.join(dir, "none");
    const refused = downloadFile(`${base}/blocked`, file, { timeoutMs: 2000 });
    await expect(refused).rejects.toThrow("answered with status 403");
    const late = "not all of it within 0.15 s";
    await expect(downloadFile(`${base}/endless`, file, { timeoutMs: 150 })).rejects.toThrow(late);
    await expect(downloadText(`${base}/endless`, 150)).rejects.toThrow(late);
  });

  test("that none serves is an error with each one's reason, in bounded time", async () => {
    const none = firstServing([`${base}/blocked`, `${base}/slow`], 150);
    await expect(none).rejects.toThrow(/403.*; .*no answer within 0.15 s/);
  });

  describe("of the Pulumi CLI", () => {
    const name = `pulumi-v${pulumiVersion}-${process.platform}-${process.arch}.tar.gz`;
    const checksums = `/pulumi-${pulumiVersion}-checksums.txt`;
    const target = () => path.join(dir, "cli");
    const download = () =>
      downloadCli(target(), [`${base}/blocked/`, `${base}/`], {
        onStep: () => {},
        logFile: path.join(dir, "log"),
      });

    /** An archive as the official one is laid out: one folder, `pulumi`, with all programs in it. */
    const archive = () => {
      fs.mkdirSync(path.join(dir, "made", "pulumi"), { recursive: true });
      fs.writeFileSync(path.join(dir, "made", "pulumi", "pulumi-language-nodejs"), "host");
      fs.writeFileSync(path.join(dir, "made", "pulumi", "pulumi"), "cli", { mode: 0o755 });
      return execFileSync("tar", ["-czf", "-", "-C", path.join(dir, "made"), "pulumi"]);
    };

    test("ends with the whole CLI in place when the published checksum is right", async () => {
      const content = archive();
      files[`/${name}`] = content;
      files[checksums] = `${createHash("sha256").update(content).digest("hex")}  ${name}\n`;
      await download();
      expect(fs.readdirSync(path.join(target(), "bin")).sort()).toEqual(["pulumi", "pulumi-language-nodejs"]);
      expect(fs.statSync(path.join(target(), "bin", "pulumi")).mode & 0o111).not.toBe(0);
    });

    test.each([
      ["another checksum", () => `${"0".repeat(64)}  ${name}\n`, "not used"],
      ["no checksum", () => "", "no checksum for it"],
    ])("is refused with %s, and leaves nothing that could be taken for it", async (_, list, message) => {
      files[`/${name}`] = archive();
      files[checksums] = list();
      await expect(download()).rejects.toThrow(message);
      expect(fs.existsSync(target())).toBe(false);
    });
  });
});

test.each([
  ["3.158.0", true],
  ["3.259.0", true],
  ["3.260.0-alpha.1", true],
  // Its `destroy` has no --exclude.
  ["3.157.0", false],
  ["2.25.0", false],
  ["4.0.0", false],
  ["", false],
])("a Pulumi CLI %s is used: %s", (version, used) => {
  expect(acceptsVersion(version)).toBe(used);
});

test("a checksum is that of the file with exactly that name", () => {
  const [a, b] = ["a".repeat(64), "b".repeat(64)];
  const list = `${a}  pulumi-v3.1.0-linux-x64.tar.gz.sbom\n${b}  pulumi-v3.1.0-linux-x64.tar.gz\n`;
  expect(checksumOf("pulumi-v3.1.0-linux-x64.tar.gz", list)).toBe(b);
  expect(checksumOf("pulumi-v3.1.0-linux-arm64.tar.gz", list)).toBeUndefined();
});

describe("the official plugin", () => {
  const version = pinnedVersion("random");
  const folder = () => path.join(dir, "plugins", `resource-random-v${version}`);
  const install = () => {
    fs.mkdirSync(folder(), { recursive: true });
    fs.writeFileSync(path.join(folder(), "pulumi-resource-random"), "");
  };

  test("is there when its program is, in the version that the SDK asks for", () => {
    expect(hasOfficial(dir, "random", version)).toBe(false);
    install();
    expect(hasOfficial(dir, "random", version)).toBe(true);
    expect(hasOfficial(dir, "random", "0.0.1")).toBe(false);
  });

  test("is not there as long as it is being unpacked", () => {
    install();
    fs.writeFileSync(`${folder()}.partial`, "");
    expect(hasOfficial(dir, "random", version)).toBe(false);
  });
});

describe("the plugins where nothing can be downloaded", () => {
  const user = () => path.join(dir, "user");
  const program = (home: string, name: "docker" | "random") =>
    path.join(home, "plugins", `resource-${name}-v${pinnedVersion(name)}`, `pulumi-resource-${name}`);
  const install = (...names: ("docker" | "random")[]) => {
    for (const name of names) {
      fs.mkdirSync(path.dirname(program(user(), name)), { recursive: true });
      fs.writeFileSync(program(user(), name), "official");
    }
  };
  const read = (home: string, name: "docker" | "random") => fs.readFileSync(program(home, name), "utf8");
  const cli = {
    bin: "/nonexistent/pulumi",
    version: "3.259.0",
    origin: "built",
    pathDirs: [],
  } as const;
  const ensure = () => ensurePlugins(cli, { onStep: () => {}, logFile: path.join(dir, "log") });

  beforeEach(() => {
    vi.stubEnv("CDC_OFFLINE", "1");
    vi.stubEnv("PULUMI_HOME", user());
  });

  test("are the official ones in the user's home when both are there", async () => {
    install("docker", "random");
    const { home, origins, why } = await ensure();
    expect(home).toBe(user());
    expect(origins).toEqual({ docker: "official", random: "official" });
    expect(why).toBeUndefined();
  });

  test("are stand-ins in a home of this checkout when none is there, and the user's home stays as it was", async () => {
    const { home, origins, why } = await ensure();
    expect(home).toBe(path.join(dir, "state", "pulumi-home"));
    expect(origins).toEqual({ docker: "stand-in", random: "stand-in" });
    expect(why).toBe("CDC_OFFLINE is set");
    expect(read(home, "docker")).toBe("stand-in");
    expect(fs.existsSync(user())).toBe(false);
  });

  test("are mixed when one is there, run after run, without a stand-in ever written over the official one", async () => {
    install("random");
    for (let run = 0; run < 2; run += 1) {
      const { home, origins } = await ensure();
      expect(origins).toEqual({ docker: "stand-in", random: "official" });
      expect([read(home, "docker"), read(home, "random")]).toEqual(["stand-in", "official"]);
    }
    expect(read(user(), "random")).toBe("official");
    fs.rmSync(user(), { recursive: true });
    const { home } = await ensure();
    expect(read(home, "random")).toBe("stand-in");
    expect(fs.existsSync(user())).toBe(false);
  });

  test("of a home of ours, which `cdc env` has put into the shell, are not taken for the user's", async () => {
    const { home } = await ensure();
    vi.stubEnv("PULUMI_HOME", home);
    vi.stubEnv("HOME", dir);
    expect((await ensure()).origins).toEqual({ docker: "stand-in", random: "stand-in" });
  });
});

describe("state and passphrase", () => {
  const local = {
    PULUMI_BACKEND_URL: "file:///p/.cdc/state",
    PULUMI_CONFIG_PASSPHRASE_FILE: "/p/.cdc/passphrase",
  };
  const choose = (sources: Partial<StateSources>) =>
    chooseState({
      env: {},
      credentials: undefined,
      userHome: "/home/me/.pulumi",
      home: "/home/me/.pulumi",
      localState: "/p/.cdc/state",
      passphraseFile: "/p/.cdc/passphrase",
      ...sources,
    });
  const login = (current: string) => JSON.stringify({ current, accessTokens: {} });

  test("are local where the user has none", () => {
    expect(choose({})).toEqual({ backend: "local", where: "file:///p/.cdc/state", env: local });
    expect(choose({ credentials: login("") }).backend).toBe("local");
  });

  test("stay local after `cdc env` has put them into the shell", () => {
    expect(choose({ env: local })).toEqual({ backend: "local", where: "file:///p/.cdc/state", env: local });
  });

  test.each([
    [
      "PULUMI_BACKEND_URL",
      { env: { PULUMI_BACKEND_URL: "https://pulumi.example" } },
      "https://pulumi.example",
    ],
    ["PULUMI_ACCESS_TOKEN", { env: { PULUMI_ACCESS_TOKEN: "pul-1" } }, "Pulumi Cloud"],
    ["a login", { credentials: login("https://api.pulumi.com") }, "https://api.pulumi.com"],
    [
      "a login that is encrypted",
      { credentials: '{"$pulumiSecureStore":1}' },
      "the backend of your Pulumi login",
    ],
  ])("are the user's own with %s, and nothing is added", (_, sources, where) => {
    expect(choose(sources)).toEqual({ backend: "own", where, env: {} });
  });

  test("on storage of the user's own still get a passphrase, unless there is one", () => {
    const s3 = { PULUMI_BACKEND_URL: "s3://bucket" };
    expect(choose({ env: s3 }).env).toEqual({ PULUMI_CONFIG_PASSPHRASE_FILE: "/p/.cdc/passphrase" });
    expect(choose({ env: { ...s3, PULUMI_CONFIG_PASSPHRASE: "" } }).env).toEqual({});
    expect(choose({ env: { ...s3, PULUMI_CONFIG_PASSPHRASE_FILE: "/mine" } }).env).toEqual({});
  });

  test("go by the generated passphrase only where the user has none", () => {
    const s3 = { PULUMI_BACKEND_URL: "s3://bucket" };
    expect(hasGeneratedPassphrase(choose({}))).toBe(true);
    expect(hasGeneratedPassphrase(choose({ env: local }))).toBe(true);
    expect(hasGeneratedPassphrase(choose({ env: s3 }))).toBe(true);
    expect(hasGeneratedPassphrase(choose({ env: { ...s3, PULUMI_CONFIG_PASSPHRASE: "mine" } }))).toBe(false);
    expect(hasGeneratedPassphrase(choose({ env: { PULUMI_CONFIG_PASSPHRASE_FILE: "/mine" } }))).toBe(false);
    expect(hasGeneratedPassphrase(choose({ credentials: login("https://api.pulumi.com") }))).toBe(false);
  });

  test.each([
    ["file:///p/.cdc/state", "/p/.cdc/state"],
    ["file:///shared/state?metadata=skip", "/shared/state"],
    ["file://~", os.homedir()],
    ["file://~/states", path.join(os.homedir(), "states")],
    ["file://./states", path.join(projectRoot, "states")],
    ["s3://bucket", undefined],
    ["https://api.pulumi.com", undefined],
    ["the backend of your Pulumi login", undefined],
  ])("of a backend %s are in the folder %s", (where, folder) => {
    expect(stateFolder({ where })).toBe(folder);
  });

  test("of the user's login are found from a PULUMI_HOME of ours, too", () => {
    const state = choose({ credentials: login("https://api.pulumi.com"), home: "/p/.cdc/pulumi-home" });
    expect(state.env).toEqual({ PULUMI_CREDENTIALS_PATH: "/home/me/.pulumi" });
  });

  test("the passphrase is made once, and only its owner can read it", () => {
    for (const name of ["BACKEND_URL", "ACCESS_TOKEN", "CONFIG_PASSPHRASE", "CONFIG_PASSPHRASE_FILE"])
      vi.stubEnv(`PULUMI_${name}`, undefined);
    vi.stubEnv("PULUMI_CREDENTIALS_PATH", undefined);
    const file = ensureState(dir, dir).env.PULUMI_CONFIG_PASSPHRASE_FILE as string;
    const passphrase = fs.readFileSync(file, "utf8");
    expect(passphrase.length).toBeGreaterThan(30);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    ensureState(dir, dir);
    expect(fs.readFileSync(file, "utf8")).toBe(passphrase);
  });
});

describe("the salt that Pulumi puts into the stack's settings", () => {
  const saltless = (text: string) => {
    const file = path.join(dir, "Pulumi.dev.yaml");
    fs.writeFileSync(file, text);
    dropSalt(file);
    return fs.readFileSync(file, "utf8");
  };

  test("is taken out, and all else stays", () => {
    expect(saltless("encryptionsalt: v1:abc=:v1:def\n# ports\nconfig:\n  cdc:x: 1\n")).toBe(
      "# ports\nconfig:\n  cdc:x: 1\n",
    );
    expect(saltless("config:\n  cdc:x: 1\nencryptionsalt: v1:abc=:v1:def\n")).toBe("config:\n  cdc:x: 1\n");
  });

  test("stays where a value is encrypted with it", () => {
    const text = "encryptionsalt: v1:abc=:v1:def\nconfig:\n  cdc:x:\n    secure: v1:xyz\n";
    expect(saltless(text)).toBe(text);
  });

  test("is no trouble where there is no such file", () => {
    expect(() => dropSalt(path.join(dir, "Pulumi.none.yaml"))).not.toThrow();
  });
});

describe("the environment for pulumi commands", () => {
  const facts = {
    cli: {
      bin: "/t/bin/pulumi",
      version: "3.259.0",
      origin: "built",
      pathDirs: ["/t/bin"],
    },
    plugins: {
      home: "/p/.cdc/pulumi-home",
      origins: { docker: "stand-in", random: "official" },
      versions: { docker: "5.2.0", random: "4.21.2" },
    },
    state: { backend: "local", where: "file:///s", env: { PULUMI_BACKEND_URL: "file:///s" } },
  } as const;

  test("puts our folders first on PATH, each once, however often it is used", () => {
    vi.stubEnv("PATH", "/usr/bin:/bin");
    const once = pulumiEnv(facts).PATH as string;
    expect(once).toBe("/t/bin:/usr/bin:/bin");
    vi.stubEnv("PATH", once);
    expect(pulumiEnv(facts).PATH).toBe(once);
  });

  test("keeps the engine from downloading plugins by itself where stand-ins are in place, and only there", () => {
    const variable = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION";
    expect(pulumiEnv(facts)[variable]).toBe("true");
    const plugins = { ...facts.plugins, origins: { docker: "official", random: "official" } } as const;
    expect(pulumiEnv({ ...facts, plugins })[variable]).toBe("false");
  });

  test("holds home and backend", () => {
    expect(pulumiEnv(facts)).toMatchObject({
      PULUMI_HOME: "/p/.cdc/pulumi-home",
      PULUMI_BACKEND_URL: "file:///s",
    });
  });

  test("lets the engine look for the salt in state only where the passphrase was generated", () => {
    const variable = "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER";
    expect(pulumiEnv(facts)[variable]).toBeUndefined();
    const env = { ...facts.state.env, PULUMI_CONFIG_PASSPHRASE_FILE: "/p/.cdc/passphrase" };
    expect(pulumiEnv({ ...facts, state: { ...facts.state, env } })[variable]).toBe("true");
  });
});
