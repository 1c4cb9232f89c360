import * as fs from "node:fs";
import * as path from "node:path";
import { readIfThere, writeAtomically } from "../../src/lib/files";

const names = ["docker", "random"] as const;

/** Lies beside each stand-in's program. An official plugin has no such file. */
const marker = "cdc-stand-in";

/**
 * Puts the stand-ins for Pulumi's docker and random plugins into a Pulumi home, in the versions that the installed
 * SDKs ask for. Changes nothing when they are there already.
 * @throws Error when an official plugin is in the place of one.
 */
export async function installStandIns(home: string): Promise<void> {
  for (const name of names) {
    const folder = path.join(home, "plugins", `resource-${name}-v${versionOf(name)}`);
    const program = path.join(folder, `pulumi-resource-${name}`);
    if (fs.existsSync(program) && !fs.existsSync(path.join(folder, marker))) {
      throw new Error(
        `${folder} holds Pulumi's own plugin; the stand-in for it goes into another Pulumi home`,
      );
    }
    removeOlder(home, name, folder);
    // The marker first: a program without one counts as an official plugin.
    put(
      path.join(folder, marker),
      "A local stand-in for the official plugin, see offline/plugins of its project.\n",
    );
    put(program, launcher(name), 0o755);
    // The engine takes a folder with this file beside it for one that is still being unpacked.
    fs.rmSync(`${folder}.partial`, { force: true });
  }
}

/** Whether a Pulumi home holds a stand-in for this plugin. */
export function isStandIn(home: string, name: string): boolean {
  return folders(home, name).some((folder) => fs.existsSync(path.join(folder, marker)));
}

/** A program that runs this checkout with the Node that runs this. */
function launcher(name: string): string {
  const script = path.join(__dirname, "launch.js");
  return [
    "#!/bin/sh",
    `# A local stand-in for Pulumi's ${name} plugin; npm run up puts it here anew when it no longer starts.`,
    `exec ${quoted(process.execPath)} ${quoted(script)} ${name} "$@"`,
    "",
  ].join("\n");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** In one step, because a plugin may be starting at this moment. */
function put(file: string, content: string, mode?: number): void {
  if (readIfThere(file) !== content) writeAtomically(file, content, mode);
}

/** Stand-ins for the versions of an SDK that was here before. */
function removeOlder(home: string, name: string, current: string): void {
  for (const folder of folders(home, name)) {
    if (folder !== current && fs.existsSync(path.join(folder, marker)))
      fs.rmSync(folder, { recursive: true });
  }
}

function folders(home: string, name: string): string[] {
  const plugins = path.join(home, "plugins");
  if (!fs.existsSync(plugins)) return [];
  const mine = fs.readdirSync(plugins).filter((each) => each.startsWith(`resource-${name}-v`));
  return mine.map((each) => path.join(plugins, each));
}

/** The plugin's version that the installed SDK asks the engine for. */
function versionOf(name: string): string {
  const manifest = require.resolve(`@pulumi/${name}/package.json`);
  const { version, pulumi } = JSON.parse(fs.readFileSync(manifest, "utf8"));
  return pulumi?.version ?? version;
}
