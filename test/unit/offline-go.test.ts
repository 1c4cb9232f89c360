import { describe, expect, test } from "vitest";
import { type GoHost, goProblem } from "../../offline/go";
import { inProject } from "../../src/lib/paths";
import type { RunOptions } from "../../src/lib/process";

const goMod = inProject("offline", "toolchain", "pulumi", "go.mod");

/** A machine whose go says that it is of this version; undefined for none. */
function machine(version: string | undefined) {
  const asked: (RunOptions | undefined)[] = [];
  const host: GoHost = {
    has: () => version !== undefined,
    run: async (_command, _args, options) => {
      asked.push(options);
      return { stdout: `${version}\n`, stderr: "", code: 0 };
    },
  };
  return { host, asked };
}

describe("go on PATH", () => {
  test.each(["go1.21", "go1.21.13", "go1.26rc1", "go2.0"])("of version %s can build", async (version) => {
    expect(await goProblem(goMod, machine(version).host)).toBeUndefined();
  });

  test.each([
    ["go1.19.8", "the go on PATH is go1.19.8"],
    ["devel", "the go on PATH is devel"],
    [undefined, "there is no go on PATH"],
  ])("of version %s is refused, with what is needed", async (version, found) => {
    expect(await goProblem(goMod, machine(version).host)).toMatch(
      new RegExp(`^${found}; Go 1\\.21 or newer \\(it fetches \\d+\\.\\d+\\S* by itself\\) is needed$`),
    );
  });

  test("is asked for its own version, not for that of the go that a go.mod makes it fetch", async () => {
    const { host, asked } = machine("go1.21");
    await goProblem(goMod, host);
    expect(asked).toEqual([{ env: { GOTOOLCHAIN: "local" } }]);
  });
});
