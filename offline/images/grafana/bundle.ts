import * as fs from "node:fs";
import * as path from "node:path";
import { build } from "esbuild";

/** The server in one file: of packages it needs a YAML reader alone, which is this project's own. */
export async function bundleServer(file: string): Promise<void> {
  await build({
    entryPoints: [path.join(__dirname, "server", "main.ts")],
    outfile: file,
    bundle: true,
    minify: true,
    platform: "node",
    target: "node22",
    logLevel: "error",
  });
}

/**
 * The page, as files that the server serves.
 *
 * @param modules the folder node_modules that belongs to runtime/package-lock.json.
 */
export async function bundlePage(modules: string, folder: string): Promise<void> {
  await build({
    entryPoints: { main: path.join(__dirname, "page", "main.tsx") },
    outdir: folder,
    bundle: true,
    minify: true,
    // So that what is loaded only when it is needed, e.g. the maps of tables, stays apart.
    splitting: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
    nodePaths: [modules],
    // A code editor of 80 MB, which this page never opens.
    plugins: [
      {
        name: "leave-out",
        setup(plugin) {
          plugin.onResolve({ filter: /^(monaco-editor|@monaco-editor\/react)(\/|$)/ }, ({ path }) => ({
            path,
            namespace: "left-out",
          }));
          plugin.onLoad({ filter: /.*/, namespace: "left-out" }, () => ({ contents: "module.exports = {}" }));
        },
      },
    ],
    logLevel: "error",
  });
  fs.copyFileSync(path.join(__dirname, "page", "index.html"), path.join(folder, "index.html"));
  copyLooks(modules, folder);
}

/** What @grafana/ui loads by name while it runs, where it looks for it (page/public-path.ts). */
function copyLooks(modules: string, folder: string): void {
  fs.cpSync(
    path.join(modules, "@grafana", "ui", "dist", "public", "img", "icons"),
    path.join(folder, "public", "build", "img", "icons"),
    { recursive: true },
  );
  // One file holds all weights of Inter.
  const inter = path.join(modules, "@fontsource-variable", "inter", "files", "inter-latin-wght-normal.woff2");
  const fonts = path.join(folder, "public", "fonts", "inter");
  fs.mkdirSync(fonts, { recursive: true });
  for (const weight of ["Regular", "Medium"])
    fs.copyFileSync(inter, path.join(fonts, `Inter-${weight}.woff2`));
}
