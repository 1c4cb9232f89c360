import * as path from "node:path";
import type { DownloadProgress } from "./progress";
import { ensureCli, type PulumiCli } from "./pulumi-cli";
import { ensurePlugins, type PulumiPlugins, userHome } from "./pulumi-plugins";
import { ensureState, hasGeneratedPassphrase, type PulumiState } from "./pulumi-state";

/** Everything about the Pulumi that this checkout uses. */
export interface PulumiFacts {
  readonly cli: PulumiCli;
  readonly plugins: PulumiPlugins;
  readonly state: PulumiState;
}

/**
 * Finds the Pulumi CLI, its plugins and its backend; downloads what is missing; builds, or puts a stand-in for, what
 * can't be downloaded.
 */
export async function ensurePulumi(progress: DownloadProgress): Promise<PulumiFacts> {
  const cli = await ensureCli(progress);
  const plugins = await ensurePlugins(cli, progress);
  const state = ensureState(userHome(), plugins.home);
  return { cli, plugins, state };
}

/**
 * The environment in which plain `pulumi` commands work on the stack. A program that uses the Automation API puts it
 * into its own environment; a shell gets it by `eval "$(npx cdc env)"`. Holds no secret, only the path of one.
 */
export function pulumiEnv({ cli, plugins, state }: PulumiFacts): Record<string, string> {
  const standIns = Object.values(plugins.origins).includes("stand-in");
  return {
    PATH: prepend(cli.pathDirs, process.env.PATH ?? ""),
    PULUMI_HOME: plugins.home,
    // What was found is what is used: no word about newer versions amid the output.
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // `npm run check` checks the types; without this each preview would again.
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
    // With stand-ins in place a download that the engine starts by itself could only be a wrong one, or hang.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: standIns ? "true" : "false",
    // The salt of the generated passphrase may be in state only; see dropSalt.
    ...(hasGeneratedPassphrase(state) ? { PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true" } : {}),
    ...state.env,
  };
}

/** Each folder once, ours first: `eval "$(npx cdc env)"` may be run again and again. */
function prepend(dirs: readonly string[], to: string): string {
  return [...new Set([...dirs, ...to.split(path.delimiter)])].join(path.delimiter);
}
