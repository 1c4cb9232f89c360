import * as fs from "node:fs";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Attempt } from "../../src/cli/toolchain/downloads";
import {
  choiceFrom,
  noteImages,
  registryOf,
  resolveImages,
  samplePerRegistry,
  splitByLocal,
} from "../../src/cli/toolchain/images";
import { imagesFile, type ResolvedImages, readResolvedImages } from "../../src/images";
import { literally } from "../../src/lib/literal";

test.each([
  ["postgres:16.10", "docker.io"],
  ["grafana/grafana:13.0.0", "docker.io"],
  ["quay.io/debezium/connect:3.6", "quay.io"],
  ["localhost/connect", "localhost"],
  ["registry.example:5000/a/b@sha256:0123", "registry.example:5000"],
])("the registry of %s is %s", (reference, registry) => {
  expect(registryOf(reference)).toBe(registry);
});

test("each registry is asked once", () => {
  const samples = samplePerRegistry(["postgres:16", "quay.io/debezium/connect:3.6", "apache/kafka:4.3.1"]);
  expect([...samples]).toEqual([
    ["docker.io", "postgres:16"],
    ["quay.io", "quay.io/debezium/connect:3.6"],
  ]);
});

describe("official images are used", () => {
  const yes = { ok: true, value: undefined } as const;
  const no = { ok: false, why: "no such host" } as const;

  test("when every registry answers", () => {
    const choice = choiceFrom(
      new Map<string, Attempt<unknown>>([
        ["docker.io", yes],
        ["quay.io", yes],
      ]),
    );
    expect(choice).toEqual({ mode: "registry", why: "docker.io and quay.io can be reached" });
  });

  test("but not when one does not, and it is said which and why", () => {
    const choice = choiceFrom(
      new Map<string, Attempt<unknown>>([
        ["docker.io", yes],
        ["quay.io", no],
      ]),
    );
    expect(choice).toEqual({ mode: "local", why: "no way to the image registry quay.io: no such host" });
  });
});

test("a service without a local image is named, not dropped in silence", () => {
  expect(splitByLocal(["postgres", "kafdrop", "kafka"], ["kafka", "postgres", "clickhouse"])).toEqual({
    available: ["postgres", "kafka"],
    missing: ["kafdrop"],
  });
});

describe("the note of the images", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-images-"));
  // An engine that has no image.
  const engine = http.createServer((_, response) => {
    response.setHeader("Content-Type", "application/json").end("[]");
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    engine.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  test("stays that of the last up where images are chosen for a plan only", async () => {
    const socket = path.join(folder, "engine.sock");
    await new Promise<void>((resolve) => engine.listen(socket, resolve));
    vi.stubEnv("DOCKER_HOST", `unix://${socket}`);
    vi.stubEnv("CDC_HOME", folder);
    const noted: ResolvedImages = {
      mode: "registry",
      images: {},
      missing: [],
      why: "of the stack",
    };
    noteImages(noted);
    const options = {
      mode: "local",
      wanted: {},
      logFile: path.join(folder, "log"),
      onStep: () => {},
    } as const;
    expect((await resolveImages({ ...options, planOnly: true })).mode).toBe("local");
    expect(readResolvedImages()).toEqual(noted);
    await resolveImages(options);
    expect(readResolvedImages()?.mode).toBe("local");
  });
});

describe("the note of the images that can't be understood", () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-images-"));
    vi.stubEnv("CDC_HOME", folder);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    fs.rmSync(folder, { recursive: true });
  });

  test("is not there before the first up", () => {
    expect(readResolvedImages()).toBeUndefined();
  });

  test.each(["", '{"mode":"lo'])("is an error that names it and the way out: %j", (text) => {
    fs.writeFileSync(imagesFile(), text);
    expect(() => readResolvedImages()).toThrow(
      new RegExp(`^${literally(imagesFile())}, which says.* is not JSON .*: rm ${literally(imagesFile())}$`),
    );
  });

  test("is an error also where it can't be read", () => {
    fs.mkdirSync(imagesFile());
    expect(() => readResolvedImages()).toThrow(`${imagesFile()} is there but can't be read`);
  });
});
