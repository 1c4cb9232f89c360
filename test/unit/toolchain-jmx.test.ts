import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { fetchJmxExporter } from "../../offline/images";
import { thisHost } from "../../offline/images/tools";
import { summary } from "../../src/cli/commands/up";
import { ensureJmxExporter, missingJmx } from "../../src/cli/toolchain/jmx";
import type { ResolvedImages } from "../../src/images";

vi.mock("../../offline/images", async (original) => ({
  ...(await original<typeof import("../../offline/images")>()),
  fetchJmxExporter: vi.fn(),
}));
vi.mock("../../offline/images/tools", async (original) => ({
  ...(await original<typeof import("../../offline/images/tools")>()),
  thisHost: vi.fn(),
}));

let dir: string;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-jmx-"));
  vi.stubEnv("XDG_CACHE_HOME", path.join(dir, "cache"));
  vi.stubEnv("CDC_HOME", path.join(dir, "state"));
  vi.stubEnv("CDC_OFFLINE", undefined);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.clearAllMocks();
  fs.rmSync(dir, { recursive: true, force: true });
});

/** A machine on which its user, who is not root, finds these programs. */
function machineWith(programs: readonly string[]): void {
  vi.mocked(thisHost).mockReturnValue({
    has: (program) => programs.includes(program),
    isRoot: false,
    hasApt: true,
    run: async () => ({ stdout: "", stderr: "", code: 0 }),
  });
}

const without: ResolvedImages = { mode: "registry", images: {}, missing: [], why: "" };
const exporter = { path: "/jmx.jar", sha256: "0" };

describe("without Maven and Java", () => {
  const steps: string[] = [];
  const ensure = () => ensureJmxExporter({ logFile: "", onStep: (text) => steps.push(text) });

  beforeEach(() => {
    steps.length = 0;
  });

  test("the exporter is missing, and nothing is said of building images", async () => {
    machineWith([]);
    expect(await ensure()).toBeUndefined();
    expect(steps).toEqual([
      "Kafka and Connect run without JMX metrics: the JMX exporter can't be had: not found on this machine: java, mvn; " +
        "run: sudo apt-get install default-jre-headless maven",
    ]);
  });

  test("nothing is believed for an hour: the next up tries once they are there", async () => {
    machineWith(["java"]);
    await ensure();
    expect(fetchJmxExporter).not.toHaveBeenCalled();
    machineWith(["java", "mvn"]);
    vi.mocked(fetchJmxExporter).mockRejectedValue(new Error("no route"));
    await ensure();
    expect(fetchJmxExporter).toHaveBeenCalledTimes(1);
    expect(steps.at(-1)).toContain("no route");
  });

  test("the end of up says what is missing with it, and what to install", () => {
    machineWith([]);
    const facts = { endpoints: {}, pipeline: { missing: [] } } as never;
    const plugins = { plugins: { home: "", origins: {} } } as never;
    const said = summary(facts, without, plugins).join("\n");
    expect(said).toMatch(
      /no jobs kafka and connect.*CdcKafkaUnderReplicated.*apt-get install.*, then npm run up/,
    );
    expect(summary(facts, { ...without, jmxExporter: exporter }, plugins).join("\n")).not.toContain("JMX");
  });
});

test("where Maven is there and did not get it, the next attempt is one that does not believe the last", () => {
  machineWith(["java", "mvn"]);
  expect(missingJmx(without)).toContain("npx cdc up --retry-downloads");
});

test.each([
  ["official images with the exporter", { ...without, jmxExporter: exporter }],
  ["local images, which hold it", { ...without, mode: "local" } as const],
  ["images of which nothing is known", undefined],
])("%s miss nothing", (_, images) => {
  machineWith([]);
  expect(missingJmx(images)).toBeUndefined();
});
