import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { type LocalFile, type ResolvedImages, readResolvedImages } from "../../images";
import { inCache } from "../../lib/paths";
import { run } from "../../lib/process";
import { type Attempt, attempt } from "./downloads";
import { fetchJmxExporter, lackingTools, thisHost } from "./offline";
import type { DownloadProgress } from "./progress";

/** By which it is fetched. */
const tools = ["java", "mvn"] as const;

/** Of the exporter's jar, as Maven Central has it. */
const sha256 = "7d61f737fd661610ccc14aea79764faa1ea94a340cbc8f0029b3d2edea3d80c1";

/**
 * The JMX exporter, a Java agent that the official images of Kafka and Connect do not hold; fetched once, by Maven.
 * @returns undefined, with a word to the user, where it can't be had: they then run without JMX metrics.
 */
export async function ensureJmxExporter(options: DownloadProgress): Promise<LocalFile | undefined> {
  const file = { path: inCache(`jmx-exporter-${sha256.slice(0, 12)}.jar`), sha256 };
  if (hashOf(file.path) === sha256) return file;
  const result = await tryToFetch(file, options);
  if (result.ok) return file;
  // Containers that have it keep it: the state holds its hash.
  const before = readResolvedImages()?.jmxExporter;
  if (before) return before;
  options.onStep(`Kafka and Connect run without JMX metrics: the JMX exporter can't be had: ${result.why}`);
  return undefined;
}

/** Missing tools are no failure of the network's, to be believed for an hour: once they are there, the next `up` tries. */
async function tryToFetch(file: LocalFile, options: DownloadProgress): Promise<Attempt<void>> {
  const why = lackingTools(tools, thisHost(run));
  return why ? { ok: false, why } : attempt("JMX exporter", () => fetchTo(file, options), options);
}

/**
 * What is missing where the official images of Kafka and Connect run without the JMX exporter, and what brings it.
 * @returns undefined where nothing is missing, or nothing is known of the images.
 */
export function missingJmx(images: ResolvedImages | undefined): string | undefined {
  if (images?.mode !== "registry" || images.jmxExporter) return undefined;
  const lacking = lackingTools(tools, thisHost(run));
  const how = lacking
    ? `${lacking}, then npm run up`
    : "Maven did not get it; try again: npx cdc up --retry-downloads";
  return (
    "Kafka and Connect run without JMX metrics: Prometheus has no jobs kafka and connect, panels of Debezium, Kafka and " +
    "Java stay empty, and CdcKafkaPartitionsOffline and CdcKafkaUnderReplicated cannot fire; " +
    `the JMX exporter can't be had: ${how}`
  );
}

async function fetchTo({ path: target }: LocalFile, options: DownloadProgress): Promise<void> {
  fs.mkdirSync(path.dirname(target), { recursive: true });
  const draft = fs.mkdtempSync(`${target}.`);
  try {
    const fetched = await fetchJmxExporter(draft, options);
    const found = hashOf(fetched);
    if (found !== sha256) throw new Error(`its SHA-256 is ${found}, expected is ${sha256}`);
    fs.renameSync(fetched, target);
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

function hashOf(file: string): string | undefined {
  try {
    return createHash("sha256").update(fs.readFileSync(file)).digest("hex");
  } catch {
    return undefined;
  }
}
