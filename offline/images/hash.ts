import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { BaseName, Recipe } from "./recipe";

/** Every local image is `cdc-local/<name>:<tag>`. */
export const repositoryPrefix = "cdc-local/";

/**
 * The reference of the image that a recipe makes. The tag is 12 hex digits over all that shapes the image:
 * the recipe's files, its versions, its other inputs, the machine's architecture and the image it stands on.
 */
export function referenceOf(recipe: Recipe, bases: Readonly<Record<BaseName, Recipe>>): string {
  return `${repositoryPrefix}${recipe.name}:${hashOf(recipe, bases).slice(0, 12)}`;
}

function hashOf(recipe: Recipe, bases: Readonly<Record<BaseName, Recipe>>): string {
  const hash = createHash("sha256");
  const versions = Object.entries(recipe.versions).sort(([a], [b]) => (a < b ? -1 : 1));
  const base = recipe.from ? hashOf(bases[recipe.from], bases) : "scratch";
  hash.update(JSON.stringify([recipe.name, process.arch, base, versions]));
  for (const root of [recipe.folder, ...(recipe.inputs ?? [])]) {
    for (const file of filesBelow(root)) {
      const executable = (fs.statSync(file).mode & 0o100) !== 0;
      hash.update(JSON.stringify([path.basename(root), path.relative(root, file), executable]));
      hash.update(createHash("sha256").update(fs.readFileSync(file)).digest());
    }
  }
  return hash.digest("hex");
}

function filesBelow(root: string): readonly string[] {
  if (fs.statSync(root).isFile()) return [root];
  const entries = fs.readdirSync(root, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}
