import { ensureDocker } from "../../src/cli/toolchain/docker";
import { useEngine } from "../../src/cli/toolchain/docker-endpoints";
import { resolveImages } from "../../src/cli/toolchain/images";
import { ensurePulumi } from "../../src/cli/toolchain/pulumi";
import { officialImages } from "../../src/images";
import { inState } from "../../src/lib/paths";

/**
 * Brings up what the tests on real servers need: Docker, Pulumi and the images, found, built or installed in the same
 * way as for the stack itself.
 */
export async function prepareMachine(): Promise<void> {
  const progress = {
    onStep: (text: string) => console.log(`  ${text}`),
    logFile: inState("logs", "test-preparation.log"),
  };
  useEngine(await ensureDocker(progress));
  await ensurePulumi(progress);
  await resolveImages({ ...progress, mode: "auto", wanted: officialImages });
}
