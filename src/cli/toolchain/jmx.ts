import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { type LocalFile, readResolvedImages } from "../../images";
import { inCache } from "../../lib/paths";
import { attempt, downloadFile } from "./downloads";
import type { DownloadProgress } from "./progress";

const version = "1.0.1";
/** Of the file that Maven Central serves. */
const sha256 = "7d61f737fd661610ccc14aea79764faa1ea94a340cbc8f0029b3d2edea3d80c1";
const url = `https://repo1.maven.org/maven2/io/prometheus/jmx/jmx_prometheus_javaagent/${version}/jmx_prometheus_javaagent-${version}.jar`;

/**
 * The JMX exporter, a Java agent that the official images of Kafka and Connect do not hold; downloaded once.
 * @returns undefined, with a word to the user, where it can't be had: they then run without JMX metrics.
 */
export async function ensureJmxExporter(progress: DownloadProgress): Promise<LocalFile | undefined> {
  const file = { path: inCache(`jmx_prometheus_javaagent-${version}.jar`), sha256 };
  if (hashOf(file.path) === sha256) return file;
  const result = await attempt("JMX exporter", () => download(file), progress);
  if (result.ok) return file;
  // Containers that have it keep it: the state holds its hash.
  const before = readResolvedImages()?.jmxExporter;
  if (before) return before;
  progress.onStep(
    `Kafka and Connect run without JMX metrics: the JMX exporter can't be downloaded from Maven Central: ${result.why}`,
  );
  return undefined;
}

async function download({ path }: LocalFile): Promise<void> {
  const draft = `${path}.${process.pid}`;
  try {
    await downloadFile(url, draft, { timeoutMs: 60_000 });
    const found = hashOf(draft);
    if (found !== sha256) throw new Error(`${url}: its SHA-256 is ${found}, expected is ${sha256}`);
    fs.renameSync(draft, path);
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

function hashOf(file: string): string | undefined {
  try {
    return createHash("sha256").update(fs.readFileSync(file)).digest("hex");
  } catch {
    return undefined;
  }
}
