import * as fs from "node:fs";
import * as http from "node:http";
import { isIP } from "node:net";
import * as path from "node:path";
import { gzipSync } from "node:zlib";
import { readDashboards, type StoredDashboard } from "./dashboards";
import type { DataSource } from "./datasources";
import { type Answer, ask, failure } from "./proxy";

export interface ServerOptions {
  /** What the bundler has made, and the icons and fonts. */
  readonly assets: string;
  /** The dashboards' JSON files. */
  readonly dashboards: string;
  /** The dashboard at `/`, a file. */
  readonly home: string | undefined;
  readonly dataSources: readonly DataSource[];
}

/** Serves the page, and the part of Grafana's HTTP API that it needs. */
export function createServer(options: ServerOptions): http.Server {
  const assets = readAssets(options.assets);
  return http.createServer((request, response) => {
    answerTo(request, options, assets)
      .catch((error: unknown) => failure(500, error instanceof Error ? error.message : String(error)))
      .then((answer) => send(request, response, answer))
      // Nothing of one request may end the process.
      .catch((error: unknown) => {
        console.error(error);
        response.destroy();
      });
  });
}

type FullAnswer = Answer & {
  readonly location?: string;
  /** Of files whose names change with their content. */
  readonly immutable?: boolean;
  readonly gzipped?: Buffer;
};

async function answerTo(
  request: http.IncomingMessage,
  options: ServerOptions,
  assets: ReadonlyMap<string, FullAnswer>,
): Promise<FullAnswer> {
  const method = request.method ?? "GET";
  // A path may look like another server's address (`//`); a whole address is for proxies.
  if (!request.url?.startsWith("/")) return failure(400, `${request.url}: an address here begins with /`);
  const { pathname, search } = new URL(`http://page${request.url}`);
  const [, uid, rest] = /^\/api\/datasources\/proxy\/uid\/([\w-]+)(\/.*)?$/.exec(pathname) ?? [];
  if (uid !== undefined) {
    if (isFromElsewhere(request)) {
      const why =
        "asked by another site, or under a name that is not this page's: open it by its address or localhost";
      return failure(403, why);
    }
    const source = options.dataSources.find((source) => source.uid === uid);
    if (!source) return failure(404, `no data source ${uid}: its service is switched off`);
    const contentType = request.headers["content-type"];
    const body = await bodyOf(request);
    if (!body) return failure(413, `a query of more than ${longestBody} bytes`);
    return ask(source, { method, path: rest ?? "/", search, contentType, body });
  }
  if (method !== "GET" && method !== "HEAD") return failure(405, "this page only reads");
  if (pathname === "/api/health") return json({ database: "ok", version: "dashboard page" });
  const asset = assets.get(pathname);
  if (asset) return asset;
  const stored = readDashboards(options.dashboards, options.home);
  if (pathname === "/api/search") return json(stored.map(found));
  const [, wanted] = /^\/api\/dashboards\/uid\/([\w-]+)$/.exec(pathname) ?? [];
  if (wanted !== undefined) return dashboardAnswer(stored, wanted, options.dataSources);
  if (pathname === "/" && stored[0])
    return { ...json({}), status: 302, location: `/d/${encodeURIComponent(stored[0].json.uid)}` };
  if (/^\/d\/[\w-]+(\/[\w-]*)?$/.test(pathname)) return assets.get("/index.html") ?? failure(404, "no page");
  return failure(404, `nothing at ${pathname}`);
}

/**
 * A page of another site could send queries through the browser of somebody who can reach this server: with its own
 * origin, or under a name of its own that leads here.
 */
export function isFromElsewhere({ headers }: Pick<http.IncomingMessage, "headers">): boolean {
  const { origin, host = "" } = headers;
  const address = `http://${host}`;
  const name = URL.canParse(address) ? new URL(address).hostname.replace(/^\[|\]$/g, "") : "";
  const isOurs = isIP(name) !== 0 || name === "localhost" || name === "grafana";
  return !isOurs || (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`);
}

function found({ json: { uid, title, description, tags = [] } }: StoredDashboard) {
  return { uid, title, description, tags, type: "dash-db", url: `/d/${uid}` };
}

function dashboardAnswer(
  stored: readonly StoredDashboard[],
  uid: string,
  dataSources: readonly DataSource[],
): Answer {
  const dashboard = stored.find(({ json }) => json.uid === uid)?.json;
  if (!dashboard) return failure(404, `no dashboard ${uid}`);
  const scrapeSeconds = dataSources.find((source) => source.scrapeSeconds)?.scrapeSeconds;
  return json({ meta: { provisioned: true, canEdit: false, canSave: false, scrapeSeconds }, dashboard });
}

function json(value: unknown): Answer {
  return { status: 200, contentType: "application/json", body: Buffer.from(JSON.stringify(value)) };
}

const longestBody = 1024 * 1024;

/** Undefined for one that is too long; it is read all the same, or the client would not hear the answer. */
async function bodyOf(request: http.IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= longestBody) chunks.push(chunk);
  }
  return size <= longestBody ? Buffer.concat(chunks) : undefined;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** All files of a folder by their path in the address: they are few and small. */
function readAssets(folder: string): ReadonlyMap<string, FullAnswer> {
  const files = fs.readdirSync(folder, { withFileTypes: true, recursive: true });
  return new Map(
    files
      .filter((file) => file.isFile())
      .map((file) => {
        const full = path.join(file.parentPath, file.name);
        const body = fs.readFileSync(full);
        const extension = path.extname(file.name);
        const address = `/${path.relative(folder, full)}`;
        return [
          address,
          {
            status: 200,
            contentType: types[extension] ?? "application/octet-stream",
            body,
            immutable: extension !== ".html",
            ...([".js", ".css"].includes(extension) && { gzipped: gzipSync(body) }),
          },
        ];
      }),
  );
}

function send(request: http.IncomingMessage, response: http.ServerResponse, answer: FullAnswer): void {
  const gzipped = request.headers["accept-encoding"]?.includes("gzip") ? answer.gzipped : undefined;
  const body = gzipped ?? answer.body;
  response.writeHead(answer.status, {
    "Content-Type": answer.contentType,
    "Content-Length": body.length,
    "Cache-Control": answer.immutable ? "public, max-age=86400" : "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    // Styles are made while the page runs, hence inline ones.
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:",
    ...(answer.location && { Location: answer.location }),
    ...(gzipped && { "Content-Encoding": "gzip" }),
    ...(answer.gzipped && { Vary: "Accept-Encoding" }),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}
