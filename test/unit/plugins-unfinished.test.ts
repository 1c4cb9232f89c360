import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Existing, makeNamed, Unfinished } from "../../offline/plugins/docker/unfinished";

let folder: string;
let unfinished: Unfinished;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-unfinished-"));
  unfinished = new Unfinished(folder);
});

afterEach(() => {
  fs.rmSync(folder, { recursive: true });
});

const [urn, other] = ["urn:one", "urn:other"];
const existing = (changes: Partial<Existing> = {}): Existing => ({
  id: "x",
  created: Date.now() + 1000,
  unused: true,
  ...changes,
});

/** As if the process that wrote the notes had been killed. */
function killHolder(): void {
  const ended = spawnSync("true").pid;
  for (const file of fs.readdirSync(folder)) {
    const note = JSON.parse(fs.readFileSync(path.join(folder, file), "utf8"));
    fs.writeFileSync(path.join(folder, file), JSON.stringify({ ...note, holder: `${ended} 1@boot` }));
  }
}

describe("what holds a name", () => {
  test("is the rest of a creation when its process is gone, and only for that resource and that id", async () => {
    unfinished.begin(urn);
    unfinished.made(urn, "x");
    killHolder();
    expect(await unfinished.isRestOf(urn, existing({ unused: false }))).toBe(true);
    expect(await unfinished.isRestOf(urn, existing({ id: "y" }))).toBe(false);
    expect(await unfinished.isRestOf(other, existing())).toBe(false);
  });

  test("is it, too, when the process ended before it knew the id, if nothing has used it", async () => {
    unfinished.begin(urn);
    killHolder();
    expect(await unfinished.isRestOf(urn, existing())).toBe(true);
    expect(await unfinished.isRestOf(urn, existing({ unused: false }))).toBe(false);
    expect(await unfinished.isRestOf(urn, existing({ created: Date.now() - 60_000 }))).toBe(false);
  });

  test("is somebody's when there is no note, or one that can't be read", async () => {
    expect(await unfinished.isRestOf(urn, existing())).toBe(false);
    unfinished.begin(urn);
    for (const file of fs.readdirSync(folder)) fs.writeFileSync(path.join(folder, file), "{");
    expect(await unfinished.isRestOf(urn, existing())).toBe(false);
  });

  test("is not the rest of a creation that is under way", async () => {
    unfinished.begin(urn);
    unfinished.made(urn, "x");
    vi.useFakeTimers();
    try {
      const answer = unfinished.isRestOf(urn, existing());
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await answer).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  test("is not it any more when Pulumi speaks of it", async () => {
    unfinished.begin(urn);
    unfinished.made(urn, "x");
    killHolder();
    unfinished.isStored(urn, "an older one");
    expect(await unfinished.isRestOf(urn, existing())).toBe(true);
    unfinished.isStored(urn, "x");
    expect(await unfinished.isRestOf(urn, existing())).toBe(false);
  });
});

describe("a note", () => {
  test("goes a moment after Pulumi was told", () => {
    vi.useFakeTimers();
    try {
      unfinished.begin(urn);
      unfinished.told(urn);
      expect(fs.readdirSync(folder)).toHaveLength(1);
      vi.advanceTimersByTime(10_000);
      expect(fs.readdirSync(folder)).toHaveLength(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test("that cannot be removed then does not end the plugin", () => {
    vi.useFakeTimers();
    try {
      unfinished.begin(urn);
      unfinished.told(urn);
      const [note = ""] = fs.readdirSync(folder);
      fs.rmSync(path.join(folder, note));
      fs.mkdirSync(path.join(folder, note));
      vi.advanceTimersByTime(10_000);
      expect(fs.readdirSync(folder)).toEqual([note]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("goes at an orderly end if Pulumi was told, and stays if not", () => {
    unfinished.begin(urn);
    unfinished.begin(other);
    unfinished.told(urn);
    unfinished.end();
    expect(fs.readdirSync(folder)).toHaveLength(1);
  });
});

describe("making something with a name", () => {
  const making = (changes: object = {}) => ({
    urn,
    find: vi.fn(async () => undefined as Existing | undefined),
    remove: vi.fn(async () => {}),
    make: vi.fn(async () => "x"),
    ...changes,
  });

  test("removes the rest of an earlier attempt first, and nobody else's", async () => {
    unfinished.begin(urn);
    unfinished.made(urn, "x");
    killHolder();
    const foreign = making({ find: async () => existing({ id: "y" }) });
    await makeNamed(unfinished, foreign);
    expect(foreign.remove).not.toHaveBeenCalled();

    killHolder();
    const own = making({ find: async () => existing() });
    expect(await makeNamed(unfinished, own)).toBe("x");
    expect(own.remove).toHaveBeenCalledWith("x");
  });

  test("leaves no note when it fails", async () => {
    const failing = making({ make: () => Promise.reject(new Error("conflict")) });
    await expect(makeNamed(unfinished, failing)).rejects.toThrow("conflict");
    expect(fs.readdirSync(folder)).toHaveLength(0);
  });
});
