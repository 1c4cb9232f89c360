import * as fs from "node:fs";
import * as path from "node:path";
import { readDataSources } from "./datasources";
import { createServer } from "./server";

// The paths at which src/components/grafana.ts puts Grafana's files; other ones serve a try outside of a container.
const {
  PAGE_ASSETS: assets = path.join(__dirname, "assets"),
  PAGE_DASHBOARDS: dashboards = "/etc/cdc/grafana/dashboards",
  PAGE_DATASOURCES: dataSources = "/etc/grafana/provisioning/datasources/cdc.yaml",
  GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: home,
  GF_SERVER_HTTP_PORT: port = "3000",
} = process.env;

fs.mkdirSync(dashboards, { recursive: true });
const server = createServer({
  assets,
  dashboards,
  home,
  dataSources: fs.existsSync(dataSources) ? readDataSources(fs.readFileSync(dataSources, "utf8")) : [],
});
server.listen(Number(port), () => console.log(`dashboard page, a stand-in for Grafana: port ${port}`));
for (const signal of ["SIGTERM", "SIGINT"] as const)
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
