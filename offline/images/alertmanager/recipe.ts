import { goRecipe } from "../go";

const commands = "github.com/prometheus/alertmanager/cmd";

/** Alertmanager and amtool. */
export const recipe = goRecipe({
  name: "alertmanager",
  folder: __dirname,
  title: "Alertmanager",
  // The last minor whose module holds its compiled pages.
  version: "0.31.0",
  programs: { alertmanager: `${commands}/alertmanager`, amtool: `${commands}/amtool` },
});
