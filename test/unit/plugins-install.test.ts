import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { installStandIns, isStandIn } from "../../offline/plugins/install";
import { hasOfficial, pinnedVersion, pluginNames } from "../../src/cli/toolchain/pulumi-plugins";

let home: string;

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-stand-ins-"));
});

afterEach(() => {
  fs.rmSync(home, { recursive: true, force: true });
});

const folder = (name: "docker" | "random", version = pinnedVersion(name)) =>
  path.join(home, "plugins", `resource-${name}-v${version}`);
const program = (name: "docker" | "random") => path.join(folder(name), `pulumi-resource-${name}`);

describe("installing the stand-ins", () => {
  test("puts a program where the engine looks for each plugin, marked as a stand-in", async () => {
    for (const name of pluginNames) expect(isStandIn(home, name)).toBe(false);
    await installStandIns(home);
    for (const name of pluginNames) {
      expect(fs.statSync(program(name)).mode & 0o111).not.toBe(0);
      expect(isStandIn(home, name)).toBe(true);
      expect(hasOfficial(home, name, pinnedVersion(name))).toBe(false);
    }
    expect(isStandIn(home, "aws")).toBe(false);
  });

  test("again writes nothing", async () => {
    await installStandIns(home);
    const before = pluginNames.map((name) => fs.statSync(program(name)).ino);
    await installStandIns(home);
    expect(pluginNames.map((name) => fs.statSync(program(name)).ino)).toEqual(before);
  });

  test("repairs a program of another checkout or Node, without touching what is being run", async () => {
    await installStandIns(home);
    const right = fs.readFileSync(program("docker"), "utf8");
    fs.writeFileSync(program("docker"), "#!/bin/sh\nexec /gone/node\n");
    const running = fs.statSync(program("docker")).ino;
    await installStandIns(home);
    expect(fs.readFileSync(program("docker"), "utf8")).toBe(right);
    expect(fs.statSync(program("docker")).ino).not.toBe(running);
  });

  test("takes away those of an SDK that was here before", async () => {
    await installStandIns(home);
    fs.renameSync(folder("docker"), folder("docker", "1.0.0"));
    await installStandIns(home);
    expect(fs.existsSync(folder("docker", "1.0.0"))).toBe(false);
    expect(fs.existsSync(program("docker"))).toBe(true);
  });

  test("leaves official plugins alone", async () => {
    fs.mkdirSync(folder("random", "1.0.0"), { recursive: true });
    fs.mkdirSync(folder("docker"), { recursive: true });
    fs.writeFileSync(program("docker"), "official");
    await expect(installStandIns(home)).rejects.toThrow(/holds Pulumi's own plugin/);
    expect(fs.readFileSync(program("docker"), "utf8")).toBe("official");
    expect(fs.existsSync(folder("random", "1.0.0"))).toBe(true);
  });
});

test("a launcher survives blanks and quotes in a path", async () => {
  const odd = path.join(home, "it's a home");
  const file = path.join(
    odd,
    "plugins",
    `resource-random-v${pinnedVersion("random")}`,
    "pulumi-resource-random",
  );
  await installStandIns(odd);
  expect(execFileSync("sh", ["-n", file]).toString()).toBe("");
});
