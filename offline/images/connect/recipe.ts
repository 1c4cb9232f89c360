import * as fs from "node:fs";
import * as path from "node:path";
import { copyMavenArtifact } from "../maven";
import type { Recipe, Stage } from "../recipe";

const version = "3.6.3.Final";
const connector = "debezium-connector-postgres";

/** Kafka Connect with Debezium's PostgreSQL connector behind the interface of quay.io/debezium/connect:3.6. */
export const recipe: Recipe = {
  name: "connect",
  from: "kafka-libs",
  folder: __dirname,
  versions: { debezium: version },
  tools: ["java", "mvn"],
  prepare,
};

async function prepare(stage: Stage): Promise<void> {
  stage.step(`Debezium ${version} from Maven Central`);
  const archives = path.join(stage.dir, "archives");
  const plugins = path.join(stage.dir, "plugins");
  await copyMavenArtifact(stage, `io.debezium:${connector}:${version}:tar.gz:plugin`, archives);
  fs.mkdirSync(plugins);
  const archive = path.join(archives, `${connector}-${version}-plugin.tar.gz`);
  // Licences stay, as they ask for; the change log and the contributors' guides do not.
  const left = ["*/CHANGELOG.md", "*/CONTRIBUTING.md", "*/README*.md"].map(
    (pattern) => `--exclude=${pattern}`,
  );
  await stage.run("tar", ["--extract", `--file=${archive}`, `--directory=${plugins}`, ...left]);
  fs.rmSync(archives, { recursive: true });
}
