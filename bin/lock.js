const fs = require("node:fs");
const path = require("node:path");

/** See lock.d.ts. */
async function withLock(file, options, work) {
  const release = await acquire(file, options);
  try {
    return await work();
  } finally {
    release();
  }
}

async function acquire(file, options) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const me = describeProcess(process.pid);
  const deadline = Date.now() + options.timeoutMs;
  let told = false;
  for (;;) {
    if (create(file, me)) return () => release(file, me);
    const holder = read(file);
    if (holder === undefined) continue;
    if (!isAlive(holder)) {
      evict(file, holder);
      continue;
    }
    const pid = holder.split(" ")[0];
    if (Date.now() >= deadline)
      throw new Error(
        `${options.what}: process ${pid} has been at it for ${Math.round(options.timeoutMs / 1000)} s; ` +
          `wait for it or end it (kill ${pid}), then run the command again (lock: ${file})`,
      );
    if (!told) options.onWait?.(Number(pid));
    told = true;
    await new Promise((resolve) => setTimeout(resolve, options.everyMs ?? 250));
  }
}

/** Makes the lock with its content in one step: nobody can ever read a lock that does not name its holder. */
function create(file, holder) {
  const draft = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  fs.writeFileSync(draft, holder);
  try {
    fs.linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  } finally {
    fs.unlinkSync(draft);
  }
}

/**
 * Takes away the lock of a process that is gone. Another waiter may have done so already and hold the lock by now:
 * what was taken is looked at, and given back when it is not what was to be taken.
 */
function evict(file, holder) {
  const aside = `${file}.${process.pid}.stale`;
  try {
    fs.renameSync(file, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  try {
    if (read(aside) !== holder) fs.linkSync(aside, file);
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  } finally {
    fs.unlinkSync(aside);
  }
}

function release(file, me) {
  if (read(file) === me) fs.rmSync(file, { force: true });
}

function read(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** See lock.d.ts. */
function describeProcess(pid) {
  return `${pid} ${startOf(pid)}`;
}

function startOf(pid) {
  try {
    const fields = statOf(pid);
    return `${fields[19]}@${fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}`;
  } catch {
    return "";
  }
}

/** What the kernel says of a process after its name, which may hold blanks: its state first, its start time 20th. */
function statOf(pid) {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** See lock.d.ts. */
function isAlive(description) {
  const pid = Number(description.split(" ")[0]);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code !== "EPERM") return false;
  }
  return describeProcess(pid) === description && !isZombie(pid);
}

/** Ended, but not yet noticed by its parent; where process 1 is no init system it stays so. */
function isZombie(pid) {
  try {
    return statOf(pid)[0] === "Z";
  } catch {
    return false;
  }
}

module.exports = { withLock, describeProcess, isAlive };
