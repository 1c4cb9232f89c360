import { inProject, projectRoot } from "../lib/paths";

let made: string | undefined;

/**
 * The agent as one JavaScript text that needs nothing but Node 22. The same sources give the same text wherever the
 * checkout is: it is part of the stack's state, and another text would replace the container.
 */
export function agentBundle(): string {
  made ??= bundle();
  return made;
}

function bundle(): string {
  // Only where it is needed: it takes a while to load.
  const esbuild = require("esbuild") as typeof import("esbuild");
  const { outputFiles } = esbuild.buildSync({
    absWorkingDir: projectRoot,
    entryPoints: ["src/agent/main.ts"],
    tsconfig: inProject("tsconfig.json"),
    bundle: true,
    platform: "node",
    target: "node22",
    format: "cjs",
    minify: true,
    legalComments: "none",
    sourcemap: false,
    // pg tries it and goes on without it.
    external: ["pg-native"],
    write: false,
    logLevel: "silent",
  });
  const [output] = outputFiles;
  if (!output) throw new Error("esbuild has made nothing of src/agent/main.ts");
  return output.text;
}
