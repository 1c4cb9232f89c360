import type { CdcConfig, OptionalService } from "../config";
import { officialImages, type ResolvedImages, type ServiceName, serviceNames } from "../images";
import type { Interruption } from "./engine/interrupt";
import { type OpenStack, openStack, type StackOptions } from "./engine/stack";
import { type DockerFacts, ensureDocker } from "./toolchain/docker";
import { useEngine } from "./toolchain/docker-endpoints";
import { resolveImages } from "./toolchain/images";
import { ensurePulumi, type PulumiFacts, pulumiEnv } from "./toolchain/pulumi";
import { count } from "./ui/format";
import type { Steps } from "./ui/steps";

/** What the options of every command say. */
export interface CommonOptions {
  readonly stack: string;
  readonly retryDownloads?: boolean;
  readonly verbose?: boolean;
}

/** Finds, starts or installs the Docker Engine; from then on all programs that are run use it. */
export async function dockerStep(steps: Steps): Promise<DockerFacts> {
  const docker = await steps.step("Docker", async (progress) => {
    const value = await ensureDocker(progress);
    return { value, detail: `Engine ${value.version} at ${value.host}` };
  });
  useEngine(docker);
  return docker;
}

/** Finds, downloads or builds Pulumi; from then on all programs that are run use it. */
export async function pulumiStep(
  steps: Steps,
  { retryDownloads = false }: CommonOptions,
): Promise<PulumiFacts> {
  const pulumi = await steps.step("Pulumi", async (progress) => {
    const value = await ensurePulumi({ ...progress, retryDownloads });
    return { value, detail: describePulumi(value) };
  });
  Object.assign(process.env, pulumiEnv(pulumi));
  return pulumi;
}

/** The CLI and the plugins in one clause, each with where it comes from. */
export function describePulumi({ cli, plugins }: PulumiFacts): string {
  const names = Object.entries(plugins.origins).map(([name, origin]) => `${name} ${origin}`);
  return `CLI ${cli.version} (${cli.origin}), plugins: ${names.join(", ")}`;
}

/** The official image of each service that is on; those that the configuration names itself are found by the engine. */
export function wantedImages(config: CdcConfig): Partial<Record<ServiceName, string>> {
  const on = serviceNames.filter((name) => config.services[name as OptionalService] ?? true);
  const ours = on.filter((name) => !(name in config.imageOverrides));
  return Object.fromEntries(ours.map((name) => [name, officialImages[name]]));
}

/** Chooses official or local images, and builds local ones that are missing, unless it is all for a plan only. */
export async function imagesStep(
  steps: Steps,
  config: CdcConfig,
  { retryDownloads = false, planOnly = false }: CommonOptions & { readonly planOnly?: boolean },
): Promise<ResolvedImages> {
  return steps.step("Images", async (progress) => {
    const value = await resolveImages({
      ...progress,
      retryDownloads,
      planOnly,
      mode: config.images,
      wanted: wantedImages(config),
    });
    return { value, detail: describeImages(value) };
  });
}

export function describeImages({ mode, images, why }: ResolvedImages): string {
  const which = mode === "registry" ? "official" : "local";
  return `${count(Object.keys(images).length, `${which} image`)}; ${why}`;
}

interface StackContext extends Pick<StackOptions, "pulumi" | "program" | "makes"> {
  readonly steps: Steps;
  readonly interruption: Interruption;
}

/** Opens the stack, for an operation of the engine or to look at its state. */
export function stackFor(options: CommonOptions, { steps, interruption, ...how }: StackContext): OpenStack {
  return openStack({
    name: options.stack,
    logFile: steps.logFile,
    running: interruption.engines,
    ...how,
  });
}
