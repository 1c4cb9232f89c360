import * as fs from "node:fs";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { imagesFile, officialImages, type ResolvedImages } from "../../src/images";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-servers-"));
const there = new Set<string>();
const requests: string[] = [];

/** An engine that has the images that were pulled. */
const engine = http.createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://engine");
  requests.push(`${request.method} ${pathname}`);
  const [, looked] = /\/images\/(.+)\/json$/.exec(pathname) ?? [];
  if (looked !== undefined) {
    response.statusCode = there.has(decodeURIComponent(looked)) ? 200 : 404;
    response.end(JSON.stringify({ message: "No such image" }));
    return;
  }
  const tag = searchParams.get("tag") ?? "";
  const pulled = `${searchParams.get("fromImage")}${tag.startsWith("sha256:") ? "@" : ":"}${tag}`;
  const refused = pulled.includes("clickhouse");
  if (!refused) there.add(pulled);
  response.end(`${JSON.stringify(refused ? { error: "manifest unknown" } : { status: "Pulling" })}\n`);
});

let imageOf: typeof import("../support/servers").imageOf;

beforeAll(async () => {
  const socket = path.join(folder, "engine.sock");
  await new Promise<void>((resolve) => engine.listen(socket, resolve));
  vi.stubEnv("DOCKER_HOST", `unix://${socket}`);
  vi.stubEnv("CDC_HOME", folder);
  vi.spyOn(console, "log").mockImplementation(() => {});
  const chosen: ResolvedImages = {
    mode: "registry",
    images: officialImages,
    missing: [],
    why: "the registries answer",
  };
  fs.writeFileSync(imagesFile(), JSON.stringify(chosen));
  ({ imageOf } = await import("../support/servers"));
});

afterAll(() => {
  engine.close();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  fs.rmSync(folder, { recursive: true, force: true });
});

test("an official image that is not on the machine is pulled, once", async () => {
  expect(await imageOf("postgres")).toBe(officialImages.postgres);
  expect([...there]).toEqual([officialImages.postgres]);
  requests.length = 0;
  expect(await imageOf("postgres")).toBe(officialImages.postgres);
  expect(requests).toEqual([expect.stringMatching(/^GET .*postgres.*\/json$/)]);
});

test("what the registry says against it is the error", async () => {
  await expect(imageOf("clickhouse")).rejects.toThrow("manifest unknown");
});
