#!/usr/bin/env node

// Writes the table of settings into README.md: npm run readme

const fs = require("node:fs");
const path = require("node:path");
require("./typescript").register();
const { withSettings } = require("../src/config-table");

const file = path.join(__dirname, "..", "README.md");
fs.writeFileSync(file, withSettings(fs.readFileSync(file, "utf8")));
