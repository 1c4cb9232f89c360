import type { DataFrame } from "@grafana/data";
import { TableNG } from "@grafana/ui/unstable";
import { useMemo } from "react";
import type { PanelProps } from "./types";

export function Table({ panel, frames, width, height }: PanelProps) {
  const { options, fieldConfig } = panel;
  const chosen = frames[options.frameIndex ?? 0];
  const frame = useMemo(() => chosen && withNarrowColumns(chosen), [chosen]);
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

/** Columns share the width, so that all are seen; Grafana's own least width is 150 pixels. */
function withNarrowColumns(frame: DataFrame): DataFrame {
  const narrow = { minWidth: 60 };
  const fields = frame.fields.map((field) => ({
    ...field,
    config: { ...field.config, custom: { ...narrow, ...field.config.custom } },
  }));
  return { ...frame, fields };
}
