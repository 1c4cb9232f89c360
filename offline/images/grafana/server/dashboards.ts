import * as fs from "node:fs";
import * as path from "node:path";

export interface StoredDashboard {
  readonly file: string;
  readonly json: {
    readonly uid: string;
    readonly title: string;
    readonly description?: string;
    readonly tags?: readonly string[];
  };
}

/** The dashboards of a folder, the home dashboard first, the others by title. */
export function readDashboards(folder: string, home: string | undefined): StoredDashboard[] {
  const stored = fs
    .readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => {
      const file = path.join(folder, name);
      return { file, json: JSON.parse(fs.readFileSync(file, "utf8")) as StoredDashboard["json"] };
    });
  const place = ({ file, json }: StoredDashboard) => (file === home ? "" : json.title);
  return stored.sort((a, b) => place(a).localeCompare(place(b), "en"));
}
