import * as fs from "node:fs";
import Docker from "dockerode";
import {
  type ImageMode,
  imagesFile,
  type ResolvedImages,
  readResolvedImages,
  type ServiceName,
} from "../../images";
import { writeAtomically } from "../../lib/files";
import { messageOf } from "../../lib/retry";
import { type Attempt, attempt } from "./downloads";
import { ensureJmxExporter } from "./jmx";
import { ensureLocalImages, localReferences, localServices } from "./offline";
import type { DownloadProgress } from "./progress";

export interface ImageOptions extends DownloadProgress {
  /** The configuration's `images`. */
  readonly mode: "auto" | ImageMode;
  /** The official image of each service that is on. */
  readonly wanted: Readonly<Partial<Record<ServiceName, string>>>;
  /** Only says which images it would be: nothing is built, and the note stays that of the last `up`. */
  readonly planOnly?: boolean;
}

/** For the program, which goes by the note. */
export function noteImages(resolved: ResolvedImages): void {
  writeAtomically(imagesFile(), `${JSON.stringify(resolved, null, 2)}\n`);
}

/** To be called when the stack is gone: the next one chooses its images anew. */
export function forgetImages(): void {
  fs.rmSync(imagesFile(), { force: true });
}

/** Chooses between official and local images, builds the local ones that are missing, and notes the result. */
export async function resolveImages(options: ImageOptions): Promise<ResolvedImages> {
  const { mode, why } = await chooseMode(options);
  const resolved = await (mode === "registry" ? official : local)(options, why);
  if (!options.planOnly) noteImages(resolved);
  return resolved;
}

type Choice = Pick<ResolvedImages, "mode" | "why">;

async function chooseMode({ mode, wanted, ...progress }: ImageOptions): Promise<Choice> {
  if (mode !== "auto") return { mode, why: `the configuration says images: ${mode}` };
  // A network that has become better, or worse, must not replace the containers of a running pipeline by itself.
  const runsOn = readResolvedImages()?.mode;
  if (runsOn === "local" && !progress.retryDownloads)
    return {
      mode: "local",
      why: "the stack runs on local images (--retry-downloads looks for registries again)",
    };
  if (runsOn === "registry")
    return { mode: "registry", why: "the stack runs on official images (cdc:images: local changes that)" };
  const references = Object.values(wanted);
  const absent = await absentFrom(references);
  if (absent.length === 0) return { mode: "registry", why: "all official images are on this machine" };
  const samples = samplePerRegistry(absent);
  progress.onStep(`looking for the image registries ${[...samples.keys()].join(", ")}`);
  const answers = await Promise.all(
    [...samples].map(
      async ([registry, image]) =>
        [registry, await attempt(`registry ${registry}`, () => askFor(image), progress)] as const,
    ),
  );
  return choiceFrom(new Map(answers));
}

/** All registries must answer: a half of each kind of image would be neither the one nor the other. */
export function choiceFrom(answers: ReadonlyMap<string, Attempt<unknown>>): Choice {
  const names = [...answers.keys()].join(" and ");
  const failures = [...answers].flatMap(([registry, answer]) =>
    answer.ok ? [] : [`${registry}: ${answer.why}`],
  );
  if (failures.length === 0) return { mode: "registry", why: `${names} can be reached` };
  return { mode: "local", why: `no way to the image registry ${failures.join("; ")}` };
}

/** One image for each registry. */
export function samplePerRegistry(references: readonly string[]): ReadonlyMap<string, string> {
  const samples = new Map<string, string>();
  for (const reference of references) {
    const registry = registryOf(reference);
    if (!samples.has(registry)) samples.set(registry, reference);
  }
  return samples;
}

/** The registry of an image's reference, by Docker's rule: the first part is a host if it looks like one. */
export function registryOf(reference: string): string {
  const [first = "", ...rest] = reference.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first : "docker.io";
}

const patienceMs = 8000;

/**
 * Asks the engine, not this process, to look an image up: what counts is the engine's way to the registry, with its
 * proxy and its mirrors.
 */
async function askFor(reference: string): Promise<void> {
  const started = Date.now();
  try {
    await new Docker({ timeout: patienceMs }).getImage(reference).distribution();
  } catch (error) {
    const tooLate = Date.now() - started >= patienceMs;
    throw new Error(tooLate ? `no answer within ${patienceMs / 1000} s` : reasonOf(error));
  }
}

/** The engine's own words, without what dockerode and the engine wrap around them. */
function reasonOf(error: unknown): string {
  const message = (error as { json?: { message?: string } }).json?.message ?? messageOf(error);
  return message.replace(/^.*Get "?https?:\/\/[^"\s]*"?: /, "");
}

async function absentFrom(references: readonly string[]): Promise<readonly string[]> {
  const docker = new Docker();
  const there = await Promise.all(references.map((reference) => isThere(docker, reference)));
  return references.filter((_, index) => !there[index]);
}

async function isThere(docker: Docker, reference: string): Promise<boolean> {
  try {
    await docker.getImage(reference).inspect();
    return true;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false;
    throw error;
  }
}

async function official(
  { wanted, planOnly = false, ...progress }: ImageOptions,
  why: string,
): Promise<ResolvedImages> {
  const jmxExporter = planOnly ? readResolvedImages()?.jmxExporter : await ensureJmxExporter(progress);
  return { mode: "registry", images: wanted, missing: [], why, ...(jmxExporter && { jmxExporter }) };
}

async function local(
  { wanted, planOnly = false, ...progress }: ImageOptions,
  why: string,
): Promise<ResolvedImages> {
  const services = Object.keys(wanted) as ServiceName[];
  const { available, missing } = splitByLocal(services, localServices);
  const images = planOnly ? localReferences(available) : await ensureLocalImages(available, progress);
  return { mode: "local", images, missing, why };
}

/** Which services there is a local image for, and which there is none for. */
export function splitByLocal(
  services: readonly ServiceName[],
  withImage: readonly ServiceName[],
): { readonly available: readonly ServiceName[]; readonly missing: readonly ServiceName[] } {
  const has = (service: ServiceName) => withImage.includes(service);
  return { available: services.filter(has), missing: services.filter((service) => !has(service)) };
}
