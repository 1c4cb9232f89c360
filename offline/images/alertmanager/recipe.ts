import { buildGoProgram } from "../go";
import type { Recipe } from "../recipe";

/** The last minor whose module holds its compiled pages. */
const version = "0.31.0";

/** Alertmanager and amtool; go.mod pins them and all that they are made of. */
export const recipe: Recipe = {
  name: "alertmanager",
  from: "base",
  folder: __dirname,
  versions: { alertmanager: version },
  tools: ["go"],
  prepare: async (stage) => {
    stage.step(`Alertmanager ${version} from Go modules`);
    for (const program of ["alertmanager", "amtool"])
      await buildGoProgram(stage, {
        package: `github.com/prometheus/alertmanager/cmd/${program}`,
        version,
        output: program,
      });
  },
};
