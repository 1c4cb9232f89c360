import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { describeProcess, isAlive, withLock } from "../../bin/lock";

const lockModule = path.resolve(__dirname, "../../bin/lock.js");
const options = { what: "building", timeoutMs: 10_000, everyMs: 5 };

let dir: string;
let file: string;

beforeEach(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-lock-"));
  file = path.join(dir, "below", "a.lock");
});

afterEach(() => fs.rmSync(dir, { recursive: true, force: true }));

test("work under the same lock never overlaps, and the lock is gone afterwards", async () => {
  let inside = 0;
  let most = 0;
  const work = () =>
    withLock(file, options, async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise(setImmediate);
      inside -= 1;
    });
  await Promise.all([work(), work(), work()]);
  expect(most).toBe(1);
  expect(fs.readdirSync(path.dirname(file))).toEqual([]);
});

test("a failure of the work frees the lock and is passed on", async () => {
  const failing = withLock(file, options, () => {
    throw new Error("disk full");
  });
  await expect(failing).rejects.toThrow("disk full");
  expect(await withLock(file, options, () => "done")).toBe("done");
});

test("the lock of a process that was killed does not count", async () => {
  const holder = spawn(process.execPath, [
    "-e",
    `require(${JSON.stringify(lockModule)}).withLock(${JSON.stringify(file)}, { what: "x", timeoutMs: 1000 },
       () => new Promise(() => { console.log("held"); setInterval(() => {}, 1000); }))`,
  ]);
  await once(holder.stdout, "data");
  expect(fs.existsSync(file)).toBe(true);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  expect(await withLock(file, options, () => "done")).toBe("done");
});

test("the lock of an earlier process does not count when its id is another's now", async () => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, `${process.pid} 1@an-earlier-boot`);
  expect(await withLock(file, options, () => "done")).toBe("done");
});

test("waiting for a living holder ends with an error that names it, its lock untouched", async () => {
  const holder = describeProcess(process.ppid);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, holder);
  const waited: number[] = [];
  const late = withLock(
    file,
    { ...options, timeoutMs: 30, onWait: (pid) => waited.push(pid) },
    () => "never",
  );
  await expect(late).rejects.toThrow(`kill ${process.ppid}`);
  expect(waited).toEqual([process.ppid]);
  expect(fs.readFileSync(file, "utf8")).toBe(holder);
});

test("many processes that find the same dead lock at once still take turns", async () => {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const gone = spawnSync(process.execPath, ["-e", ""]).pid;
  fs.writeFileSync(file, `${gone} 1@gone`);
  const log = path.join(dir, "log");
  const script = `require(${JSON.stringify(lockModule)}).withLock(${JSON.stringify(file)},
    { what: "x", timeoutMs: 20000, everyMs: 2 }, async () => {
      const fs = require("node:fs");
      fs.appendFileSync(${JSON.stringify(log)}, "in ");
      await new Promise((resolve) => setTimeout(resolve, 3));
      fs.appendFileSync(${JSON.stringify(log)}, "out ");
    })`;
  const processes = Array.from({ length: 6 }, () => spawn(process.execPath, ["-e", script]));
  const codes = await Promise.all(processes.map(async (child) => (await once(child, "exit"))[0]));
  expect(codes).toEqual([0, 0, 0, 0, 0, 0]);
  expect(fs.readFileSync(log, "utf8")).toBe("in out ".repeat(6));
});

test("a process is told from a later one with the same id", () => {
  expect(isAlive(describeProcess(process.pid))).toBe(true);
  expect(isAlive(`${process.pid} 1@an-earlier-boot`)).toBe(false);
  expect(isAlive("")).toBe(false);
});
