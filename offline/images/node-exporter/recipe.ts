import { goRecipe } from "../go";

/** The Prometheus project's exporter of the host's metrics. */
export const recipe = goRecipe({
  name: "node-exporter",
  folder: __dirname,
  title: "node_exporter",
  version: "1.12.1",
  programs: { node_exporter: "github.com/prometheus/node_exporter" },
});
