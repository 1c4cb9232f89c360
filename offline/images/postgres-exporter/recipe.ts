import { buildGoProgram } from "../go";
import type { Recipe } from "../recipe";

const version = "0.19.1";

/** The Prometheus community's exporter of PostgreSQL's metrics; go.mod pins it and all that it is made of. */
export const recipe: Recipe = {
  name: "postgres-exporter",
  from: "base",
  folder: __dirname,
  versions: { postgresExporter: version },
  tools: ["go"],
  prepare: async (stage) => {
    stage.step(`postgres_exporter ${version} from Go modules`);
    await buildGoProgram(stage, {
      package: "github.com/prometheus-community/postgres_exporter/cmd/postgres_exporter",
      version,
      output: "postgres_exporter",
    });
  },
};
