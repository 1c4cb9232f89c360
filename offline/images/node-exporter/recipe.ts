import { buildGoProgram } from "../go";
import type { Recipe } from "../recipe";

const version = "1.12.1";

/** The Prometheus project's exporter of the host's metrics; go.mod pins it and all that it is made of. */
export const recipe: Recipe = {
  name: "node-exporter",
  from: "base",
  folder: __dirname,
  versions: { nodeExporter: version },
  tools: ["go"],
  prepare: async (stage) => {
    stage.step(`node_exporter ${version} from Go modules`);
    await buildGoProgram(stage, {
      package: "github.com/prometheus/node_exporter",
      version,
      output: "node_exporter",
    });
  },
};
