import { Command, InvalidArgumentError, Option } from "commander";
import { runCommand } from "./command";
import type { DownOptions } from "./commands/down";
import type { GenerateOptions } from "./commands/generate";
import type { PreviewOptions } from "./commands/preview";
import type { StatusOptions } from "./commands/status";
import type { UpOptions } from "./commands/up";
import type { VerifyOptions } from "./commands/verify";
import { defaultStack } from "./engine/stack";
import type { CommonOptions } from "./session";

// Each command is loaded when it is called: the Pulumi program and its SDK alone take a second.

const program = new Command("cdc")
  .description("PostgreSQL → Debezium → Kafka → ClickHouse → Grafana, brought up by one command")
  .helpCommand(true)
  .showHelpAfterError("(cdc --help lists the commands)");

command("up", "brings the stack up, or to what the configuration says, and measures a first row")
  .option("--refresh", "look at what is really there first, so that drift is repaired")
  .action((options: UpOptions) =>
    runCommand("up", {}, async (context) => (await import("./commands/up")).up(options, context)),
  );

command("preview", "shows what up would do")
  .option("--expect-no-changes", "exit code 1 where something would change")
  .option("--refresh", "look at what is really there first, so that drift is seen")
  .action((options: PreviewOptions) =>
    runCommand("preview", {}, async (context) =>
      (await import("./commands/preview")).preview(options, context),
    ),
  );

command("down", "takes the stack down, after it has said what that deletes")
  .option("-y, --yes", "do not ask")
  .option("--keep-data", "keep the data volumes and their passwords; the next up takes them over")
  .action((options: DownOptions) =>
    runCommand("down", {}, async (context) => (await import("./commands/down")).down(options, context)),
  );

command(
  "status",
  "shows services, connector, replication slot, lag and row counts; exit code 1 where not well",
)
  .option("--json", "print JSON")
  .option("--watch", "show health, latency, losses and alerts again and again, as Prometheus knows them")
  .option("--every <seconds>", "with --watch: seconds from one look to the next", positive, 2)
  .action((options: StatusOptions) =>
    runCommand("status", { resultOnStdout: true }, async (context) =>
      (await import("./commands/status")).status(options, context),
    ),
  );

command("env", 'prints what pulumi, psql and other clients need: eval "$(npx cdc env)"').action(
  (options: CommonOptions) =>
    runCommand("env", { resultOnStdout: true }, async (context) =>
      (await import("./commands/env")).env(options, context),
    ),
);

command("generate", "puts a workload of a shop on the demo tables: inserts, updates and deletes")
  .option("--rate <rows>", "changed rows a second", positive, 100)
  .option("--seconds <seconds>", "how long", positive, 30)
  .option("--seed <number>", "the same seed on the same data gives the same workload", whole)
  .action((options: GenerateOptions) =>
    runCommand("generate", {}, async (context) =>
      (await import("./commands/generate")).generate(options, context),
    ),
  );

command("verify", "compares every captured table in Postgres and ClickHouse; exit code 1 where they differ")
  .option("--wait <seconds>", "how long the two may take to become equal", positive, 30)
  .option("--json", "print JSON")
  .action((options: VerifyOptions) =>
    runCommand("verify", { resultOnStdout: true }, async (context) =>
      (await import("./commands/verify")).verify(options, context),
    ),
  );

program
  .command("images")
  .description("local images, for where no image registry can be reached")
  .command("build")
  .description("builds the local images that are missing")
  .action(() =>
    runCommand("images-build", {}, async (context) =>
      (await import("./commands/images")).buildImages(context),
    ),
  );

/** A command with the options that all have. */
function command(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .addOption(
      new Option("-s, --stack <name>", "name of the Pulumi stack").default(defaultStack).env("CDC_STACK"),
    )
    .option("--retry-downloads", "try downloads and registries again that failed within the last hour")
    .option("-v, --verbose", "print all that Pulumi prints");
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value)))
    throw new InvalidArgumentError("a number greater than 0 is needed");
  return value;
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError("a whole number is needed");
  return value;
}

program.parseAsync().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
