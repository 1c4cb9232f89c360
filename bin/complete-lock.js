#!/usr/bin/env node

// Run this after `npm install <package>` where the registry serves only packages for its own platform: npm then drops
// the others from package-lock.json, and `npm ci` refuses such a lock file, here and everywhere.

const fs = require("node:fs");
const path = require("node:path");

const lockFile = path.join(__dirname, "..", "package-lock.json");

/**
 * The optional packages that a lock file's packages name and that it does not hold, as entries for it. What such a
 * package is for can be read from its name, by the convention of all who publish native programs through npm.
 */
function missingOptionalPackages(packages) {
  const missing = {};
  for (const [at, { dev, optionalDependencies }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies ?? {})) {
      if (isReachable(packages, at, name)) continue;
      missing[`node_modules/${name}`] = {
        version,
        ...platformOf(name),
        ...(dev ? { dev } : {}),
        optional: true,
      };
    }
  }
  return missing;
}

function isReachable(packages, from, name) {
  for (let dir = from; ; dir = dir.slice(0, Math.max(0, dir.lastIndexOf("/node_modules/")))) {
    if (packages[`${dir}${dir && "/"}node_modules/${name}`]) return true;
    if (dir === "") return false;
  }
}

function platformOf(name) {
  const os = /android|darwin|freebsd|linux|netbsd|openbsd|openharmony|win32/.exec(name)?.[0];
  const cpu = /arm64|arm|x64|ia32|loong64|ppc64|riscv64|s390x/.exec(name)?.[0];
  const libc =
    os !== "linux" ? undefined : name.includes("musl") ? "musl" : name.includes("gnu") ? "glibc" : undefined;
  if (!os || !cpu)
    throw new Error(
      `package-lock.json lacks the optional package ${name}, and its name says no platform; ` +
        "run `npm install` where the registry serves every platform",
    );
  return { os: [os], cpu: [cpu], ...(libc ? { libc: [libc] } : {}) };
}

function main() {
  const lock = JSON.parse(fs.readFileSync(lockFile, "utf8"));
  const missing = missingOptionalPackages(lock.packages);
  if (Object.keys(missing).length === 0) return;
  const all = Object.entries({ ...lock.packages, ...missing });
  lock.packages = Object.fromEntries(all.sort(([a], [b]) => a.localeCompare(b, "en")));
  fs.writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`package-lock.json: added ${Object.keys(missing).join(", ")}`);
}

if (require.main === module) main();

module.exports = { missingOptionalPackages };
