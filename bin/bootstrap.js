const fs = require("node:fs");
const path = require("node:path");
const { spawn } = require("node:child_process");
const { withLock } = require("./lock");

const root = path.join(__dirname, "..");

/** Brings the npm packages up to date where they are not, then runs a TypeScript file of the project. */
async function start(script) {
  try {
    await ensurePackages({ root, state: process.env.CDC_HOME ?? path.join(root, ".cdc") });
  } catch (error) {
    console.error(`cdc: ${error.message}`);
    process.exitCode = 1;
    return;
  }
  require("./typescript").register();
  require(path.join(root, script));
}

/**
 * Installs exactly what package-lock.json names, unless it is there already.
 *
 * @param root the project's folder
 * @param state where the log and the lock go
 * @param install does the installation into `root`; npm by default
 */
async function ensurePackages({ root, state, install = npmCi }) {
  if (packagesAreFresh(root)) return;
  const options = {
    what: "installing npm packages",
    timeoutMs: 15 * 60_000,
    onWait: (pid) => console.error(`npm packages: process ${pid} is installing them; waiting`),
  };
  await withLock(path.join(state, "npm.lock"), options, async () => {
    // Whoever held the lock has done the work.
    if (packagesAreFresh(root)) return;
    await install(root, path.join(state, "logs"));
    linkCommand(root);
  });
}

/**
 * Whether node_modules holds every package of package-lock.json in its version. npm itself notes what it has installed
 * in node_modules/.package-lock.json, when all is done: an `npm ci` that was killed half-way leaves none.
 */
function packagesAreFresh(root) {
  const wanted = packagesIn(path.join(root, "package-lock.json"));
  const found = packagesIn(path.join(root, "node_modules", ".package-lock.json"));
  if (wanted === undefined)
    throw new Error(
      `${root}: package-lock.json is missing or not JSON; restore it: git checkout package-lock.json`,
    );
  if (found === undefined) return false;
  return Object.entries(wanted).every(([name, { version, integrity, optional }]) => {
    if (name === "") return true;
    const there = found[name];
    // A package for another operating system or processor is optional and is not installed.
    if (there === undefined) return optional === true;
    // What bin/complete-lock.js put into the lock file has no checksum there; npm notes one once it is installed.
    return there.version === version && (integrity === undefined || there.integrity === integrity);
  });
}

function packagesIn(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")).packages;
  } catch {
    return undefined;
  }
}

/** npm links the commands of a project's dependencies, not the project's own; without it `npx cdc` asks the registry. */
function linkCommand(root) {
  const link = path.join(root, "node_modules", ".bin", "cdc");
  fs.rmSync(link, { force: true });
  fs.symlinkSync(path.join("..", "..", "bin", "cdc.js"), link);
}

function npmCi(root, logs) {
  fs.mkdirSync(logs, { recursive: true });
  const logFile = path.join(logs, `npm-${new Date().toISOString().replace(/[:.]/g, "-")}.log`);
  const log = fs.openSync(logFile, "a");
  // No package of ours needs its install script, so none is run; the tests' tools count, whatever NODE_ENV says.
  const args = ["ci", "--ignore-scripts", "--include=dev", "--include=optional", "--no-audit", "--no-fund"];
  const [command, ...first] = npmCommand();
  return new Promise((resolve, reject) => {
    const progress = showProgress("installing npm packages");
    const child = spawn(command, [...first, ...args], { cwd: root, stdio: ["ignore", log, log] });
    const end = (failure) => {
      fs.closeSync(log);
      progress(failure === undefined);
      if (failure === undefined) return resolve();
      reject(
        new Error(
          `npm ${args.join(" ")}: ${failure}\n${beginningOfErrors(logFile)}\n` +
            `full output: ${logFile}; run the command again to retry`,
        ),
      );
    };
    child.on("error", (error) =>
      end(`could not be started (${error.message}); install npm, which comes with Node`),
    );
    child.on("close", (code, signal) =>
      code === 0 ? end() : end(signal ? `ended by ${signal}` : `exit code ${code}`),
    );
  });
}

/** What went wrong comes first; after it npm prints its whole usage. */
function beginningOfErrors(logFile) {
  const lines = fs.readFileSync(logFile, "utf8").split("\n");
  const errors = lines.filter((line) => line.startsWith("npm error"));
  return (errors.length > 0 ? errors : lines).slice(0, 20).join("\n").trimEnd();
}

/** The npm that runs us, if one does; else the one on PATH. */
function npmCommand() {
  const running = process.env.npm_execpath;
  if (running && /^np[mx]-cli\.js$/.test(path.basename(running)))
    return [process.execPath, path.join(path.dirname(running), "npm-cli.js")];
  return ["npm"];
}

/** One line, kept up to date on a terminal; elsewhere printed at the start and at the end. */
function showProgress(what) {
  const started = Date.now();
  const terminal = process.stderr.isTTY;
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;
  const draw = () => process.stderr.write(`\r  ${what} … ${seconds()}`);
  if (terminal) draw();
  else process.stderr.write(`  ${what} …\n`);
  const timer = terminal ? setInterval(draw, 1000) : undefined;
  return (ok) => {
    clearInterval(timer);
    process.stderr.write(`${terminal ? "\r" : ""}${ok ? "✓" : "✗"} ${what} (${seconds()})\n`);
  };
}

module.exports = { start, ensurePackages, packagesAreFresh };
