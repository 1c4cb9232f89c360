import type { Stage } from "./recipe";

const plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";

/** Copies the runtime dependencies of the context's pom.xml, their own dependencies included, to `target`. */
export async function copyMavenDependencies(stage: Stage, target: string): Promise<void> {
  await maven(stage, `${plugin}:copy-dependencies`, "-DincludeScope=runtime", `-DoutputDirectory=${target}`);
}

/** Copies one artifact, `group:artifact:version[:type[:classifier]]`, to `target`, a folder. */
export async function copyMavenArtifact(
  host: Pick<Stage, "run">,
  artifact: string,
  target: string,
): Promise<void> {
  await maven(host, `${plugin}:copy`, `-Dartifact=${artifact}`, `-DoutputDirectory=${target}`);
}

async function maven(host: Pick<Stage, "run">, goal: string, ...properties: string[]): Promise<void> {
  // A checksum that does not match ends it; Maven by itself would only warn.
  await host.run("mvn", [
    "--batch-mode",
    "--no-transfer-progress",
    "--strict-checksums",
    goal,
    ...properties,
  ]);
}
