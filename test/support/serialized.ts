import { createRequire } from "node:module";
import { inProject } from "../../src/lib/paths";
import { run } from "../../src/lib/process";
import type { ProviderName } from "../../src/providers/dynamic";

/** What a method of a provider has returned, or the fields of the error that it has thrown. */
export interface Outcome {
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly stack: string; readonly [field: string]: unknown };
}

/** The texts as which Pulumi stores the providers, made in a process that loads the project as `pulumi up` does. */
export async function serializedProviders(
  names: readonly ProviderName[],
): Promise<Record<ProviderName, string>> {
  const { stdout } = await run(process.execPath, ["-e", serializing, JSON.stringify(names)], {
    cwd: inProject(),
  });
  return JSON.parse(stdout);
}

const serializing = `
require("./bin/typescript").register();
const { remoteProvider } = require("./src/providers/dynamic.ts");
const { serializeFunction } = require("@pulumi/pulumi/runtime");
(async () => {
  const texts = {};
  for (const name of JSON.parse(process.argv[1])) {
    const provider = remoteProvider(name);
    texts[name] = (await serializeFunction(() => provider, { allowSecrets: true })).text;
  }
  console.log(JSON.stringify(texts));
})();`;

/**
 * Calls methods of a stored provider one after the other in a process that knows nothing but its text, as Pulumi's
 * provider host does.
 * @param cwd the program's folder, where the engine starts the host.
 */
export async function inHost(
  text: string,
  calls: readonly (readonly [method: string, ...args: unknown[]])[],
  { cwd = inProject("src"), env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Outcome[]> {
  const input = JSON.stringify({ text, calls });
  const loader = fromPulumi.resolve("require-from-string");
  const { stdout } = await run(process.execPath, ["-e", hosting, loader], { cwd, env, input });
  return JSON.parse(stdout.slice(stdout.indexOf(marker) + marker.length));
}

/** The provider host's own packages: it loads the texts with one of them. */
const fromPulumi = createRequire(inProject("node_modules", "@pulumi", "pulumi", "package.json"));

/** What the operations print comes before it. */
const marker = "outcomes:";

const hosting = `
const requireFromString = require(process.argv[1]);
(async () => {
  const { text, calls } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  const provider = requireFromString(text).handler();
  const outcomes = [];
  for (const [method, ...args] of calls) {
    try {
      outcomes.push({ result: await provider[method](...args) });
    } catch (error) {
      outcomes.push({ error: { ...error, message: error.message, stack: error.stack } });
    }
  }
  console.log("${marker}" + JSON.stringify(outcomes));
})();`;
