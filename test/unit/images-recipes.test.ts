import * as fs from "node:fs";
import * as path from "node:path";
import { describe, expect, test } from "vitest";
import { baseRecipes, localServices, serviceRecipes } from "../../offline/images";
import type { Recipe } from "../../offline/images/recipe";
import { officialImages, serviceNames } from "../../src/images";
import { inProject } from "../../src/lib/paths";

const recipes: readonly Recipe[] = [
  ...new Set<Recipe>([...Object.values(baseRecipes), ...Object.values(serviceRecipes)]),
];

test("every service that package registries can make has a local image", () => {
  const without = serviceNames.filter((name) => !(localServices as readonly string[]).includes(name));
  expect(without).toEqual(["kafdrop", "portainer"]);
});

test("every folder with a Dockerfile is a recipe that is used", () => {
  const root = inProject("offline", "images");
  const folders = fs.readdirSync(root).filter((name) => fs.existsSync(path.join(root, name, "Dockerfile")));
  expect(folders.sort()).toEqual(recipes.map(({ folder }) => path.basename(folder)).sort());
});

describe.each(recipes.map((recipe) => [recipe.name, recipe] as const))("the recipe of %s", (name, recipe) => {
  const lines = fs
    .readFileSync(path.join(recipe.folder, "Dockerfile"), "utf8")
    .replace(/\\\n/g, " ")
    .split("\n")
    .filter((line) => line.trim() && !line.startsWith("#"));

  test("is in a folder of its name", () => {
    expect(path.basename(recipe.folder)).toBe(name);
  });

  test("begins with the image that it stands on", () => {
    expect(lines.slice(0, recipe.from ? 2 : 1)).toEqual(
      recipe.from ? ["ARG BASE", "FROM $BASE"] : ["FROM scratch"],
    );
  });

  test("downloads nothing while it is built: a build has no network", () => {
    const downloads = lines.filter((line) => /^RUN.*\b(apt-get|curl|wget|pip3?|npm|mvn|go) /.test(line));
    expect(downloads).toEqual([]);
  });

  test("needs nothing but the classic builder", () => {
    expect(lines.filter((line) => /--(mount|chmod|link)\b|<</.test(line))).toEqual([]);
  });
});

describe("a local image is of the version of the official one", () => {
  const tagOf = (service: keyof typeof officialImages) =>
    (officialImages[service].split("@")[0] ?? "").split(":")[1] ?? "";
  const textOf = (...file: string[]) => fs.readFileSync(inProject("offline", "images", ...file), "utf8");

  test("connect: Debezium", () => {
    expect(serviceRecipes.connect.versions.debezium).toBe(tagOf("connect"));
    expect(textOf("connect", "Dockerfile")).toContain(`DEBEZIUM_VERSION=${tagOf("connect")}`);
  });

  test("kafka", () => {
    expect(textOf("kafka-libs", "pom.xml")).toContain(`<kafka.version>${tagOf("kafka")}</kafka.version>`);
  });

  test("clickhouse-exporter: Node", () => {
    expect(tagOf("clickhouse-exporter")).toBe(`${baseRecipes.node.versions.node}-bookworm-slim`);
    expect(textOf("node", "Dockerfile")).toContain(`NODE_VERSION=${baseRecipes.node.versions.node}`);
  });

  test.each([
    ["node-exporter", "github.com/prometheus/node_exporter"],
    ["postgres-exporter", "github.com/prometheus-community/postgres_exporter"],
  ] as const)("%s: its Go module, pinned with all that it is made of", (service, module) => {
    const goMod = textOf(service, "go.mod");
    expect(goMod).toContain(`${module} ${tagOf(service)} `);
    expect(goMod).toMatch(new RegExp(`^tool ${module}`, "m"));
    expect(textOf(service, "go.sum")).toContain(`${module} ${tagOf(service)} h1:`);
    expect(Object.values(serviceRecipes[service].versions)).toEqual([tagOf(service).slice(1)]);
  });
});
