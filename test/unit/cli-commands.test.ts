import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { CommandContext } from "../../src/cli/command";
import { down } from "../../src/cli/commands/down";
import { preview } from "../../src/cli/commands/preview";
import type { StackState } from "../../src/cli/engine/state";
import { refuseForeignVolumes } from "../../src/cli/engine/volumes";
import { noteImages } from "../../src/cli/toolchain/images";
import { silent } from "../../src/cli/ui/terminal";
import { imagesFile, type ResolvedImages, readResolvedImages } from "../../src/images";

const given = vi.hoisted(() => ({
  state: {} as StackState,
  /** The steps that were taken. */
  steps: [] as string[],
  /** The images that the step for them chooses. */
  planned: undefined as unknown,
  /** The automation's operations. */
  destroy: async () => {},
  preview: async (_program: () => Promise<unknown>) => {},
  /** Volumes on the machine, and the bytes in each. */
  volumes: {} as Record<string, number | undefined>,
  /** The images that the program was run with. */
  program: undefined as unknown,
}));

vi.mock("../../src/cli/session", async () => {
  const images = await import("../../src/cli/toolchain/images");
  return {
    dockerStep: async () => given.steps.push("docker"),
    pulumiStep: async () => given.steps.push("pulumi"),
    imagesStep: async (_steps: unknown, _config: unknown, { planOnly }: { planOnly?: boolean }) => {
      if (!planOnly) images.noteImages(given.planned as ResolvedImages);
      return given.planned;
    },
    stackFor: (_: unknown, { program }: { program?: () => Promise<() => Promise<unknown>> }) => ({
      automation: async () => ({
        destroy: given.destroy,
        preview: async () => given.preview(await (program?.() ?? Promise.reject(new Error("no program")))),
      }),
      read: async () => given.state,
    }),
  };
});
vi.mock("../../src/cli/engine/recovery", () => ({ recover: async () => given.state }));
vi.mock("../../src/cli/toolchain/docker", () => ({ stopDockerIfOurs: async () => false }));
vi.mock("../../src/program", () => ({
  program: (images: unknown) => {
    given.program = images;
    return {};
  },
}));
vi.mock("dockerode", () => ({
  default: class {
    listContainers = async () => [];
    listVolumes = async ({ filters }: { filters: unknown }) => {
      expect(filters).toEqual({ label: ["cdc.service"] });
      return { Volumes: Object.keys(given.volumes).map((Name) => ({ Name })) };
    };
    df = async () => ({
      Volumes: Object.entries(given.volumes).map(([Name, Size]) => ({ Name, UsageData: { Size } })),
    });
  },
}));

const images = (why: string): ResolvedImages => ({
  mode: "local",
  images: {},
  missing: [],
  why,
});
const volumes = (...names: string[]): StackState => ({
  resources: names.map((name) => ({
    urn: `urn:pulumi:dev::cdc::docker:index/volume:Volume::${name}`,
    type: "docker:index/volume:Volume",
    id: name,
    custom: true,
    inputs: { name },
    outputs: {},
  })),
  pending: [],
  outputs: {},
});

let folder: string;
let controller: AbortController;
const context = (): CommandContext => ({
  terminal: silent,
  steps: { terminal: silent, logFile: "", log: () => {}, step: () => Promise.reject(new Error("no step")) },
  interruption: {
    signal: controller.signal,
    engines: new Set(),
    check: () => controller.signal.throwIfAborted(),
    soften: () => controller.signal,
  },
});

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-commands-"));
  vi.stubEnv("CDC_HOME", folder);
  controller = new AbortController();
  given.volumes = {};
  given.program = undefined;
  given.steps = [];
});
afterEach(() => {
  vi.unstubAllEnvs();
  fs.rmSync(folder, { recursive: true });
});

describe("down", () => {
  test("of a stack that is down already leaves the note of the images, by which another may run", async () => {
    noteImages(images("another stack runs on them"));
    given.state = volumes();
    expect(await down({ stack: "none", yes: true }, context())).toBeUndefined();
    expect(readResolvedImages()?.why).toBe("another stack runs on them");
  });

  test("that has destroyed something lets the next up choose its images anew", async () => {
    noteImages(images("of the stack"));
    given.state = volumes("cdc-postgres-data");
    const destroy = vi.spyOn(given, "destroy");
    await down({ stack: "none", yes: true }, context());
    expect(destroy).toHaveBeenCalledOnce();
    expect(fs.existsSync(imagesFile())).toBe(false);
  });
});

describe("preview", () => {
  beforeEach(() => {
    given.planned = images("of the plan");
  });

  test.each([
    ["another choice", images("of the stack")],
    ["none", undefined],
  ])("plans with the images of the plan, while %s stays noted", async (_, noted) => {
    if (noted) noteImages(noted);
    const engine = vi.spyOn(given, "preview").mockImplementation(async (program) => {
      await program();
      // A second Ctrl-C ends the process here.
      expect(readResolvedImages()).toEqual(noted);
    });
    await preview({ stack: "none" }, context());
    expect(engine).toHaveBeenCalledOnce();
    expect(given.program).toEqual(given.planned);
  });

  test("does not begin its next step after a Ctrl-C", async () => {
    controller.abort();
    await expect(preview({ stack: "none" }, context())).rejects.toThrow(/abort/i);
    expect(given.steps).toEqual(["docker"]);
  });
});

describe("volumes that are there before an up", () => {
  test("go on where they are the stack's own, as after down --keep-data", async () => {
    given.volumes = { "cdc-postgres-data": 5e6, "cdc-kafka-data": 1e6 };
    await refuseForeignVolumes(volumes("cdc-postgres-data", "cdc-kafka-data"), "dev");
  });

  test("are refused where they hold the data of another stack: which, and how to go on", async () => {
    given.volumes = { "cdc-postgres-data": 5e6, "cdc-kafka-data": undefined, "cdc-grafana-data": 7 };
    await expect(refuseForeignVolumes(volumes("cdc-grafana-data"), "test")).rejects.toThrow(
      /^cdc-kafka-data, cdc-postgres-data: .*another stack or checkout.*not of the stack test[\s\S]*docker volume rm cdc-kafka-data cdc-postgres-data$/,
    );
  });

  test("hold nothing where an up was killed as it made them, and are taken over", async () => {
    given.volumes = { "cdc-postgres-data": 0 };
    await refuseForeignVolumes(volumes(), "dev");
  });
});
