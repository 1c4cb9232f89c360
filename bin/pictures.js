#!/usr/bin/env node

// Takes a picture of each dashboard of the running stack, for the README: npm run pictures
//
//   npm run pictures -- --url http://127.0.0.1:3000 --folder docs/images --height 1400

const { spawn, execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { parseArgs } = require("node:util");

const root = path.join(__dirname, "..");
const width = 1600;

async function main() {
  const { values } = parseArgs({
    options: {
      url: { type: "string", default: "http://127.0.0.1:3000" },
      folder: { type: "string", default: path.join(root, "docs", "images") },
      // Of what a dashboard is long, its beginning is enough for a README.
      height: { type: "string", default: "1400" },
    },
  });
  await checkPage(values.url);
  fs.mkdirSync(values.folder, { recursive: true });
  const browser = new Browser(findChromium());
  try {
    for (const { name, uid, rows } of dashboards()) {
      const height = Math.min(Number(values.height), 120 + 38 * rows);
      // Without refresh, so that nothing moves while the picture is taken.
      const png = await browser.picture(`${values.url}/d/${uid}?refresh=&${rangeOf(uid)}`, height);
      const file = path.join(values.folder, `${name}.png`);
      fs.writeFileSync(file, png);
      console.log(
        `${path.relative(process.cwd(), file)}: ${width}×${height}, ${Math.round(png.length / 1024)} kB`,
      );
    }
  } finally {
    await browser.close();
  }
}

/** A young stack has minutes to show; what `cdc generate` adds, most of it of today, would dwarf all others. */
function rangeOf(uid) {
  return uid === "cdc-business" ? "from=now-28d&to=now-1d" : "from=now-15m&to=now";
}

function dashboards() {
  const folder = path.join(root, "dashboards");
  const names = fs.readdirSync(folder).filter((name) => name.endsWith(".json"));
  return names.map((name) => {
    const { uid, panels } = JSON.parse(fs.readFileSync(path.join(folder, name), "utf8"));
    const rows = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
    return { name: path.basename(name, ".json"), uid, rows };
  });
}

async function checkPage(url) {
  const health = await fetch(`${url}/api/health`).then(
    (answer) => answer.json(),
    () => ({}),
  );
  if (!health.version)
    throw new Error(`nothing answers at ${url}/api/health: npm run up, or --url with another address`);
  if (health.version !== "dashboard page")
    throw new Error(
      `${url} is Grafana ${health.version}, which asks for a login; pictures are taken of the dashboard page that stands ` +
        "in for it with local images (cdc:images is local)",
    );
}

function findChromium() {
  const names = [process.env.CHROMIUM, "chromium", "chromium-browser", "google-chrome"].filter(Boolean);
  for (const name of names) {
    try {
      execFileSync(name, ["--version"], { stdio: "ignore" });
      return name;
    } catch {}
  }
  throw new Error(
    `no ${names.join(", ")} to be run: apt-get install chromium, or set CHROMIUM to the path of one`,
  );
}

/** Chromium without a window, spoken to through a pipe: each message is JSON and ends with a zero byte. */
class Browser {
  constructor(command) {
    this.profile = fs.mkdtempSync(path.join(os.tmpdir(), "cdc-pictures-"));
    const flags = [
      "--headless=new",
      "--remote-debugging-pipe",
      "--hide-scrollbars",
      "--disable-gpu",
      `--user-data-dir=${this.profile}`,
      // Chromium's own sandbox does not work for root.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ];
    this.process = spawn(command, flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    this.ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.ended.then((code) => this.failAll(new Error(`${command} ended with ${code}`)));
    this.waiting = new Map();
    this.lastId = 0;
    this.process.stdio[3].on("error", () => {});
    let rest = "";
    this.process.stdio[4].on("data", (chunk) => {
      const messages = (rest + chunk).split("\0");
      rest = messages.pop();
      for (const message of messages) this.receive(JSON.parse(message));
    });
  }

  receive({ id, result, error }) {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result);
  }

  failAll(error) {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  send(method, params = {}, sessionId = undefined) {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
  }

  async picture(url, height) {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const size = { width, height, deviceScaleFactor: 1, mobile: false };
    await this.send("Emulation.setDeviceMetricsOverride", size, sessionId);
    await this.send("Page.navigate", { url }, sessionId);
    await this.untilDrawn(url, sessionId);
    const { data } = await this.send("Page.captureScreenshot", { format: "png" }, sessionId);
    await this.send("Target.closeTarget", { targetId });
    return Buffer.from(data, "base64");
  }

  /** Until no panel on the screen has waited for an answer for a second. */
  async untilDrawn(url, sessionId) {
    const expression =
      'document.querySelectorAll("[aria-busy]").length > 0 && !document.querySelector("[aria-busy=true]")';
    const patienceMs = 60_000;
    const started = Date.now();
    let since;
    while (since === undefined || Date.now() - since < 1000) {
      if (Date.now() - started > patienceMs)
        throw new Error(`${url}: panels still wait for answers after ${patienceMs / 1000} s`);
      const { result } = await this.send("Runtime.evaluate", { expression }, sessionId);
      since = result.value ? (since ?? Date.now()) : undefined;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async close() {
    await this.send("Browser.close").catch(() => {});
    await this.ended;
    fs.rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
