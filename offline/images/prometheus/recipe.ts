import * as fs from "node:fs";
import * as path from "node:path";
import { debianSuite, unpackDebianPackages } from "../debian";
import type { Recipe, Stage } from "../recipe";

/** The pages that Prometheus serves are made with these, which Debian keeps in packages of their own. */
const pagePackages = [
  "fonts-glyphicons-halflings",
  "libjs-bootstrap4",
  "libjs-d3",
  "libjs-eonasdan-bootstrap-datetimepicker",
  "libjs-jquery",
  "libjs-jquery-hotkeys",
  "libjs-moment",
  "libjs-moment-timezone",
  "libjs-mustache",
  "libjs-popper.js",
  "libjs-rickshaw",
];

/** Debian's Prometheus, 2.42, behind the interface of docker.io/prom/prometheus. */
export const recipe: Recipe = {
  name: "prometheus",
  from: "base",
  folder: __dirname,
  versions: { debian: debianSuite, packages: ["prometheus", ...pagePackages].join(" ") },
  tools: ["debootstrap", "dpkg"],
  prepare,
};

async function prepare(stage: Stage): Promise<void> {
  stage.step("Prometheus from Debian");
  const root = path.join(stage.dir, "rootfs");
  await unpackDebianPackages(stage, ["prometheus", ...pagePackages], root);
  for (const program of ["prometheus", "promtool"])
    fs.renameSync(path.join(root, "usr/bin", program), path.join(stage.dir, program));
  for (const unused of [
    ...["etc", "lib", "var", "usr/bin", "usr/lib", "usr/share/doc", "usr/share/lintian"],
    // 200 MiB of sources of the one file that the pages use.
    "usr/share/javascript/moment-timezone/data",
  ])
    fs.rmSync(path.join(root, unused), { recursive: true, force: true });
}
