import type { CommandContext } from "../command";
import { dockerStep } from "../session";
import { ensureLocalImages, localServices } from "../toolchain/offline";
import { count, table } from "../ui/format";

/** Builds the local images that are missing, also where the official ones could be had. */
export async function buildImages(context: CommandContext): Promise<undefined> {
  const { steps, terminal } = context;
  await dockerStep(steps);
  const images = await steps.step("Local images", async (progress) => {
    const value = await ensureLocalImages(localServices, progress);
    return { value, detail: count(Object.keys(value).length, "image") };
  });
  for (const line of table(Object.entries(images))) terminal.line(line);
  return undefined;
}
