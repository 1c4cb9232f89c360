import * as fs from "node:fs";
import * as path from "node:path";
import Docker from "dockerode";
import type { ServiceName } from "../../src/images";
import { run } from "../../src/lib/process";
import { recipe as alertmanager } from "./alertmanager/recipe";
import { recipe as base } from "./base/recipe";
import { buildImage } from "./build";
import { recipe as clickhouse } from "./clickhouse/recipe";
import { recipe as connect } from "./connect/recipe";
import { recipe as grafana } from "./grafana/recipe";
import { referenceOf, repositoryPrefix } from "./hash";
import { recipe as java } from "./java/recipe";
import { recipe as kafka } from "./kafka/recipe";
import { recipe as kafkaExporter } from "./kafka-exporter/recipe";
import { jmxAgentVersion, recipe as kafkaLibs } from "./kafka-libs/recipe";
import { copyMavenArtifact } from "./maven";
import { recipe as node } from "./node/recipe";
import { recipe as nodeExporter } from "./node-exporter/recipe";
import { recipe as postgres } from "./postgres/recipe";
import { recipe as postgresExporter } from "./postgres-exporter/recipe";
import { recipe as prometheus } from "./prometheus/recipe";
import type { BaseName, Recipe } from "./recipe";
import { ensureTools, thisHost } from "./tools";

export const baseRecipes: Readonly<Record<BaseName, Recipe>> = {
  base,
  java,
  "kafka-libs": kafkaLibs,
  node,
};

export const serviceRecipes = {
  postgres,
  kafka,
  connect,
  clickhouse,
  "node-exporter": nodeExporter,
  "postgres-exporter": postgresExporter,
  "kafka-exporter": kafkaExporter,
  // Scripts of ours on Node alone, with the official images too.
  "clickhouse-exporter": node,
  "cdc-agent": node,
  prometheus,
  alertmanager,
  // A page of ours that draws Grafana's dashboards: Grafana itself is in no package registry.
  grafana,
} as const satisfies Partial<Record<ServiceName, Recipe>>;

/** The services whose images can be built from package registries. Kafdrop and Portainer are in none. */
export const localServices = Object.keys(serviceRecipes) as readonly LocalService[];

export type LocalService = keyof typeof serviceRecipes;

export interface LocalImageOptions {
  /** Called with what is being done, a short text for the user. */
  readonly onStep: (text: string) => void;
  /** File that gets the whole output of the clients and of the engine. */
  readonly logFile: string;
}

/**
 * Makes sure that the local image of each service exists, and returns their references. What exists already is
 * not built again: the tag is a hash of all that goes into the image.
 * @throws Error for a service that has no local image, for missing tools, for a failed download or build.
 */
export async function ensureLocalImages<S extends ServiceName>(
  services: readonly S[],
  options: LocalImageOptions,
): Promise<Record<S, string>> {
  const recipes = services.map(recipeFor);
  const docker = new Docker();
  const plan = missingFirst(recipes, await existingReferences(docker));
  if (plan.length > 0) await buildAll(plan, docker, options);
  return localReferences(services);
}

/** The references that local images have, or will have once they are built. */
export function localReferences<S extends ServiceName>(services: readonly S[]): Record<S, string> {
  const references = services.map((service) => [service, reference(recipeFor(service))]);
  return Object.fromEntries(references) as Record<S, string>;
}

/**
 * Fetches the JMX exporter of the local images as a file, for images that do not hold it.
 * @returns its path.
 * @throws Error where Maven is missing, or does not get it.
 */
export async function fetchJmxExporter(
  folder: string,
  { onStep, logFile }: LocalImageOptions,
): Promise<string> {
  const host = thisHost((command, args, more) => run(command, args, { logFile, ...more }));
  await ensureTools(["java", "mvn"], host, onStep);
  await copyMavenArtifact(host, `io.prometheus.jmx:jmx_prometheus_javaagent:${jmxAgentVersion}`, folder);
  return path.join(folder, `jmx_prometheus_javaagent-${jmxAgentVersion}.jar`);
}

function recipeFor(service: ServiceName): Recipe {
  const recipe = (serviceRecipes as Partial<Record<ServiceName, Recipe>>)[service];
  if (!recipe)
    throw new Error(
      `no local image for ${service}: it is in no package registry; ` +
        `local images exist for ${localServices.join(", ")}; leave ${service} out, or use an image registry`,
    );
  return recipe;
}

function reference(recipe: Recipe): string {
  return referenceOf(recipe, baseRecipes);
}

async function existingReferences(docker: Docker): Promise<ReadonlySet<string>> {
  const images = await docker.listImages({ filters: { reference: [`${repositoryPrefix}*`] } });
  return new Set(images.flatMap((image) => image.RepoTags ?? []));
}

/** The recipes that have to be built, each after the one that it stands on. */
function missingFirst(recipes: readonly Recipe[], existing: ReadonlySet<string>): readonly Recipe[] {
  const plan = new Set<Recipe>();
  const add = (recipe: Recipe) => {
    if (existing.has(reference(recipe))) return;
    if (recipe.from) add(baseRecipes[recipe.from]);
    plan.add(recipe);
  };
  recipes.forEach(add);
  return [...plan];
}

async function buildAll(
  plan: readonly Recipe[],
  docker: Docker,
  { onStep, logFile }: LocalImageOptions,
): Promise<void> {
  fs.mkdirSync(path.dirname(logFile), { recursive: true });
  const host = thisHost((command, args, more) => run(command, args, { logFile, ...more }));
  await ensureTools(
    plan.flatMap((recipe) => recipe.tools ?? []),
    host,
    onStep,
  );
  for (const [index, recipe] of plan.entries()) {
    const position = `[${index + 1}/${plan.length}]`;
    await buildImage(recipe, {
      docker,
      reference: reference(recipe),
      base: recipe.from && reference(baseRecipes[recipe.from]),
      onStep: (text) => onStep(`${position} ${text}`),
      logFile,
    });
  }
  await removeSuperseded(docker);
}

/** Removes older images, so that disks don't fill; those in use stay until the next build. */
async function removeSuperseded(docker: Docker): Promise<void> {
  const existing = await existingReferences(docker);
  // Those that stand on others go first: an image is kept as long as another one needs its layers.
  for (const recipe of [...Object.values(serviceRecipes), ...Object.values(baseRecipes).reverse()]) {
    const current = reference(recipe);
    const old = [...existing].filter(
      (tag) => tag.startsWith(`${repositoryPrefix}${recipe.name}:`) && tag !== current,
    );
    for (const tag of old) {
      await docker.getImage(tag).remove().catch(unlessInUse);
    }
  }
}

function unlessInUse(error: { statusCode?: number }): void {
  if (error.statusCode !== 409 && error.statusCode !== 404) throw error;
}
