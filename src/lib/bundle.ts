import { inProject, projectRoot } from "./paths";

export interface BundleOptions {
  /** Leaves out names and white space: for what is kept in the stack's state. */
  readonly minify?: boolean;
  /** Where the packages come from: within the text, or from where it is run. */
  readonly packages?: "bundle" | "external";
}

const made = new Map<string, Promise<string>>();

/**
 * A program of ours as one JavaScript text for Node 22. The same sources give the same text wherever the checkout is:
 * it may be part of the stack's state, and another text would replace the container. Types were checked with the
 * project's.
 * @param entry path of its first file, from the project's root
 */
export function bundled(entry: string, options: BundleOptions = {}): Promise<string> {
  const key = JSON.stringify([entry, options]);
  const text = made.get(key) ?? bundle(entry, options);
  made.set(key, text);
  return text;
}

async function bundle(entry: string, { minify = false, packages = "bundle" }: BundleOptions) {
  // Only where it is needed: it takes a while to load.
  const esbuild = await import("esbuild");
  const { outputFiles } = await esbuild.build({
    absWorkingDir: projectRoot,
    entryPoints: [entry],
    tsconfig: inProject("tsconfig.json"),
    bundle: true,
    platform: "node",
    target: "node22",
    format: "cjs",
    minify,
    packages,
    legalComments: "none",
    sourcemap: false,
    // pg tries it and goes on without it.
    external: ["pg-native"],
    write: false,
    logLevel: "silent",
  });
  const [output] = outputFiles;
  if (!output) throw new Error(`esbuild has made nothing of ${entry}`);
  return output.text;
}
