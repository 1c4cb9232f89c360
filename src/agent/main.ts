// The agent: a small service beside the pipeline that sees what no exporter does. It is bundled into one file
// (bundle.ts) and runs on Node 22 in a container of its own: node agent.js <settings.json>
import * as fs from "node:fs";
import { inOneLine } from "../lib/retry";
import { startAgent } from "./agent";
import { parseSettings } from "./settings";

const port = 9469;

function log(line: string): void {
  console.log(`cdc-agent: ${line}`);
}

async function main(): Promise<void> {
  const file = process.argv[2] ?? process.env.CDC_AGENT_SETTINGS;
  if (file === undefined)
    throw new Error("name the settings: node agent.js <settings.json>, or CDC_AGENT_SETTINGS");
  const settings = parseSettings(fs.readFileSync(file, "utf8"));
  const agent = await startAgent(settings, { port, log });
  log(`watching ${settings.tables.length} tables; metrics on port ${agent.port}`);
  // The first process of a container is ended by no signal that it does not handle.
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => {
      log(`${signal}: stopping`);
      // What does not end in time is not worth waiting for.
      setTimeout(() => process.exit(0), 5000).unref();
      agent.stop().then(
        () => process.exit(0),
        () => process.exit(0),
      );
    });
}

main().catch((error) => {
  log(error instanceof Error && error.message.includes("\n") ? error.message : inOneLine(error));
  process.exit(1);
});
