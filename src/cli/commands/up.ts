import type { ResolvedImages } from "../../images";
import type { CommandContext } from "../command";
import { recover } from "../engine/recovery";
import { factsIn, factsOf, type StackFacts } from "../facts";
import { operate } from "../operation";
import { type CommonOptions, dockerStep, imagesStep, pulumiStep, stackFor } from "../session";
import { readSettings } from "../settings";
import type { PulumiFacts } from "../toolchain/pulumi";
import { duration, table } from "../ui/format";

export interface UpOptions extends CommonOptions {
  /** Looks at what is really there first, so that drift is repaired. */
  readonly refresh?: boolean;
}

/** Brings the stack up, or to what the configuration says, and proves that a row flows. */
export async function up(options: UpOptions, context: CommandContext): Promise<undefined> {
  const { terminal, steps, interruption } = context;
  const started = Date.now();
  const config = readSettings(options.stack);
  const docker = await dockerStep(steps);
  const pulumi = await pulumiStep(steps, options);
  const images = await imagesStep(steps, config, options);
  interruption.check();
  let outputs: unknown;
  const stack = stackFor(options, {
    steps,
    pulumi,
    interruption,
    program: async () => {
      const [{ output }, { program }] = [await import("@pulumi/pulumi"), await import("../../program")];
      return async () => {
        const values = program();
        // To ask the CLI for them again would take a second.
        output(values).apply((known) => {
          outputs = known;
        });
        return values;
      };
    },
  });
  await recover({ stack, stackName: options.stack, pulumi, steps });
  interruption.check();
  const automation = await stack.automation();
  // Loaded while the engine works.
  const proof = import("../first-row");
  await operate("Stack", context, options, (engine) =>
    automation.up({ ...engine, color: "never", refresh: options.refresh ?? false }),
  );
  const facts = factsIn(outputs) ?? factsOf(await stack.read());
  if (!facts)
    throw new Error(
      "the update ended well, but the stack's state holds no containers or outputs; run: npx cdc up --refresh",
    );
  await (await proof).firstRow(facts, context.steps);
  terminal.line();
  for (const line of summary(facts, images, pulumi)) terminal.line(line);
  for (const warning of docker.warnings) terminal.line(`  note: ${warning}`);
  terminal.line();
  terminal.line(`up in ${duration(Date.now() - started)}`);
  return undefined;
}

/** What the user wants to know at the end: where everything is, how to get in, and what is different here. */
export function summary(
  { endpoints, pipeline }: StackFacts,
  images: ResolvedImages,
  { plugins }: Pick<PulumiFacts, "plugins">,
): readonly string[] {
  const standIns = Object.entries(plugins.origins).filter(([, origin]) => origin === "stand-in");
  return [
    ...table(Object.entries(endpoints)),
    "",
    `  users and passwords: npx cdc env, or pulumi stack output credentials --show-secrets`,
    `  for psql, curl, pulumi: eval "$(npx cdc env)"`,
    ...(pipeline.missing.length > 0
      ? [`  left out: ${pipeline.missing.join(", ")}: no image of them in a package registry; ${images.why}`]
      : []),
    ...(images.mode === "local" && images.images.grafana && endpoints.grafana
      ? [
          `  ${endpoints.grafana} is a read-only page of ours that draws Grafana's dashboards: Grafana is in no package registry`,
        ]
      : []),
    ...(standIns.length > 0
      ? [
          `  stand-ins for Pulumi's plugins ${standIns.map(([name]) => name).join(" and ")}${plugins.why ? `: ${plugins.why}` : ""}`,
        ]
      : []),
  ];
}
