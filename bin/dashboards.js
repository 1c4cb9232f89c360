#!/usr/bin/env node

// Writes dashboards/*.json from src/dashboards/: npm run dashboards

const fs = require("node:fs");
const path = require("node:path");
require("./typescript").register();
const { dashboards, textOf } = require("../src/dashboards");

const folder = path.join(__dirname, "..", "dashboards");
const made = dashboards();
const old = fs.readdirSync(folder).filter((name) => name.endsWith(".json"));
for (const name of old.filter((name) => !made.some(({ file }) => file === name))) {
  fs.rmSync(path.join(folder, name));
}
for (const dashboard of made) fs.writeFileSync(path.join(folder, dashboard.file), textOf(dashboard));
