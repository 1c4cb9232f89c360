import { TableNG } from "@grafana/ui/unstable";
import type { PanelProps } from "./types";

export function Table({ panel, frames, width, height }: PanelProps) {
  const { options, fieldConfig } = panel;
  const frame = frames[options.frameIndex ?? 0];
  if (!frame) return null;
  return (
    <TableNG
      data={frame}
      width={width}
      height={height}
      cellHeight={options.cellHeight}
      noHeader={!options.showHeader}
      showTypeIcons={options.showTypeIcons}
      sortBy={[...(options.sortBy ?? [])]}
      noValue={fieldConfig?.defaults.noValue}
      transparent={false}
      resizable
    />
  );
}
