import type { CommandContext } from "../command";
import { describeChange, plannedChanges } from "../engine/plan";
import { operate } from "../operation";
import { type CommonOptions, dockerStep, imagesStep, pulumiStep, stackFor } from "../session";
import { readSettings } from "../settings";
import { forgetImages } from "../toolchain/images";

export interface PreviewOptions extends CommonOptions {
  /** Ends with exit code 1 where something would change. */
  readonly expectNoChanges?: boolean;
  /** Looks at what is really there first, so that drift is seen. */
  readonly refresh?: boolean;
}

/** Shows what `up` would do. */
export async function preview(options: PreviewOptions, context: CommandContext): Promise<number | undefined> {
  const { terminal, steps, interruption } = context;
  const config = readSettings(options.stack);
  await dockerStep(steps);
  const pulumi = await pulumiStep(steps, options);
  await imagesStep(steps, config, { ...options, planOnly: true });
  interruption.check();
  const stack = stackFor(options, {
    steps,
    pulumi,
    interruption,
    program: async () => (await import("../../program")).program(),
  });
  const isUp = (await stack.read()).resources.length > 0;
  const automation = await stack.automation();
  const plan = plannedChanges();
  await operate("Plan", context, { ...options, planned: true }, (engine) =>
    automation.preview({
      ...engine,
      onEvent: (event) => {
        plan.onEvent(event);
        engine.onEvent(event);
      },
      color: "never",
      refresh: options.refresh ?? false,
    }),
  );
  // The choice was for the plan; an `up` makes its own, until there is a stack that goes by it.
  if (!isUp) forgetImages();
  const changes = plan.changes();
  for (const change of changes) for (const line of describeChange(change)) terminal.line(line);
  return changes.length > 0 && options.expectNoChanges ? 1 : undefined;
}
