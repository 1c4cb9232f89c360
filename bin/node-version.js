// Loaded before anything else, and written so that a Node of long ago can still read it and say what is wrong.

const needed = /(\d+)\.(\d+)/.exec(require("../package.json").engines.node).slice(1).map(Number);
const found = process.versions.node.split(".").map(Number);

if (found[0] < needed[0] || (found[0] === needed[0] && found[1] < needed[1])) {
  console.error(
    "cdc: this is Node " +
      process.versions.node +
      " (" +
      process.execPath +
      "); Node " +
      needed.join(".") +
      " or newer is needed.\n" +
      "Install one (https://nodejs.org, your distribution's package, or `nvm install 22`), then run the command again.",
  );
  process.exit(1);
}
