#!/usr/bin/env node

require("./node-version");
require("./bootstrap").start("test/run.ts");
