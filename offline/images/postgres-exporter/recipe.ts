import { goRecipe } from "../go";

/** The Prometheus community's exporter of PostgreSQL's metrics. */
export const recipe = goRecipe({
  name: "postgres-exporter",
  folder: __dirname,
  title: "postgres_exporter",
  version: "0.19.1",
  programs: { postgres_exporter: "github.com/prometheus-community/postgres_exporter/cmd/postgres_exporter" },
});
