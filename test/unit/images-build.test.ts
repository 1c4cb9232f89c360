import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { describeProcess } from "../../bin/lock";

let dir: string;
beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-build-"));
  vi.stubEnv("XDG_CACHE_HOME", dir);
});
afterAll(() => {
  vi.unstubAllEnvs();
  fs.rmSync(dir, { recursive: true });
});

test("a build takes away what killed ones have left, also where their process ids are others' now, and nothing else", async () => {
  const { buildImage } = await import("../../offline/images/build");
  const stages = path.join(dir, "cdc-stack", "stages");
  const alive = `kafka-libs-${describeProcess(process.ppid).replace(/\W/g, "-")}`;
  const gone = `base-${spawnSync("true").pid}-1-some-boot`;
  for (const name of [alive, gone, `node-${process.ppid}-1-an-earlier-boot`, `java-${process.ppid}`])
    fs.mkdirSync(path.join(stages, name), { recursive: true });
  const folder = path.join(dir, "recipe");
  fs.mkdirSync(folder);
  let during: readonly string[] = [];
  const recipe = {
    name: "tiny",
    folder,
    versions: {},
    prepare: async () => {
      during = fs.readdirSync(stages);
      throw new Error("no network");
    },
  };
  const options = {
    docker: {} as never,
    reference: "cdc-local/tiny:1",
    base: undefined,
    onStep: () => {},
    logFile: path.join(dir, "log"),
  };
  await expect(buildImage(recipe, options)).rejects.toThrow("no network");
  expect(during).toEqual([alive, expect.stringMatching(new RegExp(`^tiny-${process.pid}-\\d+-[\\w-]+$`))]);
  expect(fs.readdirSync(stages)).toEqual([alive]);
});
