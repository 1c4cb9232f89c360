import * as http from "node:http";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { expose } from "./exposition";
import { parseFlags, type Settings } from "./flags";
import { type Snapshot, takeSnapshot } from "./snapshot";

/** Where Kafka does not answer: no brokers, which is what an alert can look for. */
const nothing: Snapshot = { brokers: [], topics: [], groups: [] };

/** A connection to Kafka that is made anew when it fails. */
class Source {
  private admin: Admin | undefined;
  private running: Promise<Snapshot> | undefined;

  constructor(private readonly settings: Settings) {}

  async connect(): Promise<Admin> {
    if (this.admin) return this.admin;
    const kafka = new Kafka({
      clientId: "kafka_exporter",
      brokers: [...this.settings.brokers],
      logLevel: logLevel.NOTHING,
      // A scrape has ten seconds.
      connectionTimeout: 2000,
      requestTimeout: 5000,
      retry: { retries: 1, initialRetryTime: 200 },
    });
    const admin = kafka.admin();
    await admin.connect();
    this.admin = admin;
    return admin;
  }

  /** Scrapes that come at the same time share one answer. */
  snapshot(): Promise<Snapshot> {
    this.running ??= this.retried().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  // A client keeps asking for topics that were deleted since, and then nothing works; a new one forgets them.
  private async retried(): Promise<Snapshot> {
    try {
      return await takeSnapshot(await this.connect(), this.settings);
    } catch {
      await this.close();
      return takeSnapshot(await this.connect(), this.settings).catch(async (error) => {
        await this.close();
        throw error;
      });
    }
  }

  private async close(): Promise<void> {
    const admin = this.admin;
    this.admin = undefined;
    await admin?.disconnect().catch(() => {});
  }
}

async function main(): Promise<void> {
  const settings = parseFlags(process.argv.slice(2));
  const source = new Source(settings);
  await source.connect();
  const server = http.createServer((request, response) => void answer(request, response, source, settings));
  server.listen(settings.listen.port, settings.listen.host, () =>
    console.log(`kafka_exporter (stand-in): listening on ${JSON.stringify(server.address())}`),
  );
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));
}

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  source: Source,
  settings: Settings,
): Promise<void> {
  const path = (request.url ?? "/").replace(/\?.*/, "");
  if (path === settings.metricsPath) {
    const snapshot = await source.snapshot().catch((error: Error) => {
      console.error(`kafka_exporter (stand-in): ${settings.brokers.join(",")}: ${error.message}`);
      return nothing;
    });
    response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8");
    response.end(expose(snapshot, settings.labels));
  } else if (path === "/healthz") {
    response.end("ok");
  } else {
    response.setHeader("content-type", "text/html");
    response.end(`<h1>Kafka Exporter (stand-in)</h1><p><a href="${settings.metricsPath}">Metrics</a></p>`);
  }
}

main().catch((error: Error) => {
  console.error(`kafka_exporter (stand-in): ${error.message}`);
  process.exit(1);
});
