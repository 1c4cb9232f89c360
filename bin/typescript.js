const crypto = require("node:crypto");
const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");

const root = path.join(__dirname, "..");
// Below node_modules, so that it goes when the packages are installed anew.
const usualCache = path.join(root, "node_modules", ".cache", "cdc-typescript");

/**
 * Lets `require` load the project's TypeScript: translated file by file, without type check, and kept, so that the
 * compiler, which takes longer to load than all our files together, is loaded only when a file has changed.
 */
function register(cache = usualCache) {
  // Node from 22.18 on has a loader of its own for .ts, which refuses a part of the language: ours goes first.
  if (globalThis.__cdcTypeScript) return;
  globalThis.__cdcTypeScript = true;
  // Node would read the source maps of all packages too, which costs a tenth of a second: only for who reads traces.
  if (process.env.CDC_DEBUG) process.setSourceMapsEnabled(true);
  const settings = hash(
    fs.readFileSync(path.join(root, "tsconfig.json"), "utf8"),
    require("typescript/package.json").version,
  );
  Module._extensions[".ts"] = (module, file) => module._compile(translated(file, { settings, cache }), file);
}

function translated(file, { settings, cache }) {
  const source = fs.readFileSync(file, "utf8");
  const header = `// ${hash(settings, file, source)}\n`;
  const kept = path.join(cache, `${hash(file).slice(0, 16)}.js`);
  const before = readIfThere(kept);
  if (before?.startsWith(header)) return before.slice(header.length);
  const text = translate(file, source);
  // In one step: another process may read it at this moment. A read-only checkout only costs the time.
  const draft = `${kept}.${process.pid}`;
  try {
    fs.mkdirSync(cache, { recursive: true });
    fs.writeFileSync(draft, header + text);
    fs.renameSync(draft, kept);
  } catch {}
  return text;
}

let options;

function translate(file, source) {
  const ts = require("typescript");
  options ??= ts.readConfigFile(path.join(root, "tsconfig.json"), ts.sys.readFile).config.compilerOptions;
  const { outputText, diagnostics } = ts.transpileModule(source, {
    fileName: file,
    reportDiagnostics: true,
    compilerOptions: {
      ...options,
      noEmit: false,
      sourceMap: false,
      inlineSourceMap: true,
      inlineSources: false,
    },
  });
  if (diagnostics.length > 0) {
    const host = {
      getCurrentDirectory: () => root,
      getCanonicalFileName: (name) => name,
      getNewLine: () => "\n",
    };
    throw new Error(ts.formatDiagnostics(diagnostics, host).trimEnd());
  }
  return outputText;
}

function readIfThere(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function hash(...parts) {
  return crypto.createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

module.exports = { register };
