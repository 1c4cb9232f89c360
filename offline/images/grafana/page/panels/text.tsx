import { css, cx } from "@emotion/css";
import { renderMarkdown } from "@grafana/data";
import { RenderUserContentAsHTML } from "@grafana/ui";
import type { PanelProps } from "./types";

export function Text({ panel, width, height }: Pick<PanelProps, "panel" | "width" | "height">) {
  return (
    <div
      className={cx(
        "markdown-html",
        css({ width, height, overflow: "auto", "& code": { whiteSpace: "normal" } }),
      )}
    >
      <RenderUserContentAsHTML content={renderMarkdown(panel.options.content)} />
    </div>
  );
}
