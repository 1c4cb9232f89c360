import { type ResolvedImages, readResolvedImages } from "../../images";
import type { CommandContext } from "../command";
import { factsOf } from "../facts";
import { quietDocker, quietPulumi } from "../running";
import { type CommonOptions, stackFor } from "../session";
import { observe } from "../status/collect";
import type { Status, ToolchainStatus } from "../status/model";
import { render } from "../status/render";
import { watch } from "../status/watch";
import { missingJmx } from "../toolchain/jmx";
import type { PulumiFacts } from "../toolchain/pulumi";
import { terminalOn } from "../ui/terminal";

export interface StatusOptions extends CommonOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
  /** Seconds from one look to the next. */
  readonly every: number;
}

/** Shows how the stack is; the exit code says whether all is well. */
export async function status(options: StatusOptions, context: CommandContext): Promise<number> {
  const { terminal, steps, interruption } = context;
  const pulumi = await quietPulumi(context);
  const stack = stackFor(options, { steps, pulumi, interruption });
  const facts = factsOf(await stack.read());
  if (!facts) {
    if (options.json)
      console.log(JSON.stringify({ healthy: false, problems: ["the stack is not up"] }, null, 2));
    else terminal.line("the stack is not up; bring it up: npm run up");
    return 1;
  }
  if (options.watch) {
    const signal = interruption.soften();
    await watch(facts, { terminal: terminalOn(process.stdout), everyMs: options.every * 1000, signal });
    return 0;
  }
  await quietDocker();
  const observed = await observe(facts);
  const images = readResolvedImages();
  const withoutJmx = missingJmx(images);
  const found: Status = {
    healthy: observed.problems.length === 0,
    notes: withoutJmx ? [withoutJmx] : [],
    ...observed,
    toolchain: toolchainOf(pulumi, images, facts.pipeline.missing),
  };
  if (options.json) console.log(JSON.stringify(found, null, 2));
  else for (const line of render(found)) console.log(line);
  return found.healthy ? 0 : 1;
}

function toolchainOf(
  { cli, plugins, state }: PulumiFacts,
  images: ResolvedImages | undefined,
  missing: readonly string[],
): ToolchainStatus {
  return {
    pulumi: `${cli.version}, ${cli.origin}: ${cli.bin}`,
    plugins: { ...plugins.origins },
    ...(plugins.why ? { pluginsWhy: plugins.why } : {}),
    images: images?.mode === "local" ? "local, built from package registries" : "official",
    ...(images ? { imagesWhy: images.why } : {}),
    missing,
    state: state.where,
  };
}
