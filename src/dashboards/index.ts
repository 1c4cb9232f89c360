import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { alerts } from "./alerts";
import { business } from "./business";
import { infrastructure } from "./infrastructure";
import { pipeline } from "./pipeline";
import { jsonText } from "./text";

export interface DashboardFile {
  /** Its name in dashboards/. */
  readonly file: string;
  readonly dashboard: Dashboard;
}

/** All dashboards. Needs a package for development: nothing that runs in the Pulumi program may import it. */
export function dashboards(): DashboardFile[] {
  return [pipeline(), infrastructure(), business(), alerts()].map((dashboard) => ({
    file: `${dashboard.uid}.json`,
    dashboard,
  }));
}

/** The exact text of a dashboard's file. */
export function textOf({ dashboard }: DashboardFile): string {
  return jsonText(dashboard);
}
