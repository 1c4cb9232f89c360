import * as http from "node:http";

export interface ServerOptions {
  /** The metrics as text, brought up to the moment. */
  readonly metrics: () => Promise<string>;
  readonly contentType: string;
  /** Names of what does not give signs of life any more. */
  readonly dead: () => readonly string[];
}

const page = `<!doctype html>
<title>cdc-agent</title>
<h1>cdc-agent</h1>
<p>Watches the pipeline PostgreSQL → Debezium → Kafka → ClickHouse.</p>
<p><a href="/metrics">/metrics</a>, for Prometheus; <a href="/healthz">/healthz</a>, whether the agent itself lives.</p>
`;

/** `/metrics`, `/healthz`, and a page that says so. */
export function createServer({ metrics, contentType, dead }: ServerOptions): http.Server {
  return http.createServer(async (request, response) => {
    const [pathname] = (request.url ?? "/").split("?");
    try {
      if (pathname === "/metrics") {
        const text = await metrics();
        response.setHeader("Content-Type", contentType).end(text);
      } else if (pathname === "/healthz") {
        const stuck = dead();
        response.setHeader("Content-Type", "text/plain; charset=utf-8");
        response
          .writeHead(stuck.length === 0 ? 200 : 503)
          .end(stuck.length === 0 ? "ok\n" : `stuck: ${stuck.join(", ")}\n`);
      } else if (pathname === "/") {
        response.setHeader("Content-Type", "text/html; charset=utf-8").end(page);
      } else {
        response.writeHead(404).end("there are /metrics and /healthz\n");
      }
    } catch (error) {
      if (!response.headersSent) response.writeHead(500);
      response.end(`${(error as Error).message}\n`);
    }
  });
}
