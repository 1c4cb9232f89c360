#!/usr/bin/env node

require("./node-version");
require("./bootstrap").start("src/cli/main.ts");
