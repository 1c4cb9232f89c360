import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundlePage, bundleServer } from "../../offline/images/grafana/bundle";
import { inProject } from "../../src/lib/paths";
import { run } from "../../src/lib/process";

/** The dashboard page has packages of its own, so the project's type check leaves it out. */
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-dashboard-page-"));
const modules = path.join(folder, "node_modules");

beforeAll(async () => {
  const runtime = inProject("offline", "images", "grafana", "runtime");
  for (const name of ["package.json", "package-lock.json"])
    fs.copyFileSync(path.join(runtime, name), path.join(folder, name));
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await run("npm", ["ci", ...quiet], { cwd: folder });
  // 450 MB of small files, which a busy machine unpacks slowly.
}, 10 * 60_000);

afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

test("the page's types are right", async () => {
  const page = inProject("offline", "images", "grafana", "page");
  const settings = {
    extends: path.join(page, "tsconfig.json"),
    compilerOptions: {
      paths: {
        "@grafana/ui/unstable": [path.join(modules, "@grafana", "ui", "dist", "types", "unstable.d.ts")],
        "*": [path.join(modules, "@types", "*"), path.join(modules, "*")],
      },
    },
    include: [page],
  };
  const file = path.join(folder, "tsconfig.json");
  fs.writeFileSync(file, JSON.stringify(settings));
  const { stdout } = await run(process.execPath, [
    inProject("node_modules", "typescript", "bin", "tsc"),
    "-p",
    file,
  ]);
  expect(stdout).toBe("");
});

test("page and server are bundled, with icons and fonts", async () => {
  const built = path.join(folder, "built");
  await bundleServer(path.join(built, "server.js"));
  await bundlePage(modules, path.join(built, "assets"));
  for (const file of [
    "server.js",
    "assets/index.html",
    "assets/main.js",
    "assets/main.css",
    "assets/public/fonts/inter/Inter-Regular.woff2",
    "assets/public/build/img/icons/unicons/info-circle.svg",
  ])
    expect(fs.statSync(path.join(built, file)).size, file).toBeGreaterThan(0);
});
