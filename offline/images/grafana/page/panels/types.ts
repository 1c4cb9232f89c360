import type { DataFrame, TimeRange } from "@grafana/data";
import type { Panel } from "../model";

/** What a panel draws, and on how many pixels. */
export interface PanelProps {
  readonly panel: Panel;
  readonly frames: DataFrame[];
  readonly range: TimeRange;
  /** Names of the series that are drawn; absent: all. */
  readonly shown?: readonly string[] | undefined;
  readonly width: number;
  readonly height: number;
  /** Sets the page's time range, milliseconds. */
  readonly onZoom: (range: { readonly from: number; readonly to: number }) => void;
}
