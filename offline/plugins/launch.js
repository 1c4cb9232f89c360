// Starts one of the stand-ins: node launch.js <docker|random> [what Pulumi's engine passes to a plugin]
const path = require("node:path");

const [name] = process.argv.splice(2, 1);
require("../../bin/typescript").register();
require(path.join(__dirname, name, "main.ts"));
