import type { CommandContext } from "../command";
import { describeChange, plannedChanges } from "../engine/plan";
import { operate } from "../operation";
import { type CommonOptions, dockerStep, imagesStep, pulumiStep, stackFor } from "../session";
import { readSettings } from "../settings";

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
  interruption.check();
  const pulumi = await pulumiStep(steps, options);
  interruption.check();
  const images = await imagesStep(steps, config, { ...options, planOnly: true });
  interruption.check();
  const stack = stackFor(options, {
    steps,
    pulumi,
    interruption,
    program: async () => {
      const { program } = await import("../../program");
      return async () => program(images);
    },
  });
  const automation = await stack.automation();
  interruption.check();
  const view = plannedChanges();
  await operate("Plan", context, { ...options, planned: true }, (engine) =>
    automation.preview({
      ...engine,
      onEvent: (event) => {
        view.onEvent(event);
        engine.onEvent(event);
      },
      color: "never",
      refresh: options.refresh ?? false,
    }),
  );
  const changes = view.changes();
  for (const change of changes) for (const line of describeChange(change)) terminal.line(line);
  return changes.length > 0 && options.expectNoChanges ? 1 : undefined;
}
