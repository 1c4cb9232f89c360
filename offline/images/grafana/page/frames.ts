/**
 * Answers of the data sources as data frames, in the way of Grafana's own data sources. The types are the part of
 * @grafana/data's that is filled in.
 */
export interface Frame {
  readonly refId: string;
  readonly fields: readonly FrameField[];
  readonly length: number;
}

export interface FrameField {
  readonly name: string;
  readonly type: "time" | "number" | "string" | "boolean";
  readonly values: readonly unknown[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly config: { readonly displayNameFromDS?: string };
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [seconds: number, value: string];

/** `data` of an answer of Prometheus to query or query_range. */
export type PrometheusData =
  | { readonly resultType: "vector"; readonly result: readonly { metric: Labels; value: Sample }[] }
  | {
      readonly resultType: "matrix";
      readonly result: readonly { metric: Labels; values: readonly Sample[] }[];
    }
  | { readonly resultType: "scalar"; readonly result: Sample };

export interface PrometheusTarget {
  readonly refId: string;
  readonly expr: string;
  /** `{{label}}` stands for the label's value; empty: the whole series. */
  readonly legend: string;
  /** Of a range, in seconds; where a point is missing, there is a gap. */
  readonly grid?: { readonly start: number; readonly end: number; readonly step: number };
}

/** One frame for each series: time and value. Those of a range all have the same times. */
export function seriesFrames(data: PrometheusData, target: PrometheusTarget): Frame[] {
  return seriesOf(data).map(({ metric, values }) => {
    const points = onGrid(values, target);
    return {
      refId: target.refId,
      length: points.length,
      fields: [
        { name: "Time", type: "time", config: {}, values: points.map(([seconds]) => seconds * 1000) },
        {
          name: "Value",
          type: "number",
          labels: metric,
          config: { displayNameFromDS: seriesName(metric, target) },
          // Nothing can be drawn at NaN or at infinity.
          values: points.map(([, value]) => (Number.isFinite(value) ? value : null)),
        },
      ],
    };
  });
}

function onGrid(values: readonly Sample[], { grid }: PrometheusTarget): (readonly [number, number])[] {
  const points = values.map(([seconds, text]) => [seconds, numberOf(text)] as const);
  if (!grid) return points;
  const found = new Map(points);
  const count = Math.floor((grid.end - grid.start) / grid.step) + 1;
  return Array.from({ length: count }, (_, index) => {
    const seconds = grid.start + index * grid.step;
    return [seconds, found.get(seconds) ?? Number.NaN] as const;
  });
}

/** One frame with a row for each series: time, labels, value. `Value #A` where a panel has several queries. */
export function tableFrame(data: PrometheusData, refId: string, isOnlyQuery: boolean): Frame {
  const series = seriesOf(data);
  const names = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))].sort();
  const last = series.map(({ values }) => values.at(-1));
  return {
    refId,
    length: series.length,
    fields: [
      { name: "Time", type: "time", config: {}, values: last.map((sample) => (sample?.[0] ?? 0) * 1000) },
      ...names.map((name): FrameField => {
        return { name, type: "string", config: {}, values: series.map(({ metric }) => metric[name] ?? "") };
      }),
      {
        name: isOnlyQuery ? "Value" : `Value #${refId}`,
        type: "number",
        config: {},
        values: last.map((sample) => numberOf(sample?.[1] ?? "NaN")),
      },
    ],
  };
}

function seriesOf(data: PrometheusData): readonly { metric: Labels; values: readonly Sample[] }[] {
  if (data.resultType === "matrix") return data.result;
  if (data.resultType === "scalar") return [{ metric: {}, values: [data.result] }];
  return data.result.map(({ metric, value }) => ({ metric, values: [value] }));
}

/** Prometheus writes NaN, +Inf and -Inf besides numbers. */
function numberOf(text: string): number {
  return Number(text.replace("Inf", "Infinity"));
}

/** @returns what stands in the legend. */
export function seriesName(
  metric: Labels,
  { legend, expr }: Pick<PrometheusTarget, "legend" | "expr">,
): string {
  if (legend && legend !== "__auto")
    return legend.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label: string) => metric[label] ?? "");
  const { __name__: name = "", ...labels } = metric;
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return name + (pairs.length > 0 ? `{${pairs.join(", ")}}` : "") || expr;
}

/** ClickHouse's answer in the format JSON. */
export interface ClickHouseAnswer {
  readonly meta: readonly { readonly name: string; readonly type: string }[];
  readonly data: readonly Readonly<Record<string, unknown>>[];
}

/** Rows as they came. */
export function rowsFrame({ meta, data }: ClickHouseAnswer, refId: string): Frame {
  const fields = meta.map(({ name, type }): FrameField => {
    const kind = fieldType(type);
    return { name, type: kind, config: {}, values: data.map((row) => converted(row[name], kind)) };
  });
  return { refId, length: data.length, fields };
}

/**
 * Rows that begin with a time: one frame for each column of numbers and each combination of the columns of text,
 * which become labels.
 */
export function timeFrames(answer: ClickHouseAnswer, refId: string): Frame[] {
  const { fields, length } = rowsFrame(answer, refId);
  const [time, ...others] = fields;
  if (time?.type !== "time") throw new Error("the first column of a time series is no DateTime");
  const texts = others.filter(({ type }) => type === "string");
  const groups = new Map<string, number[]>();
  for (let row = 0; row < length; row++) {
    const key = JSON.stringify(texts.map(({ values }) => values[row]));
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const numbers = others.filter(({ type }) => type === "number");
  return [...groups.values()].flatMap((rows) => {
    const pick = ({ values }: FrameField) => rows.map((row) => values[row]);
    const labels = Object.fromEntries(texts.map((text) => [text.name, String(text.values[rows[0] ?? 0])]));
    return numbers.map((field): Frame => {
      const value = { ...field, values: pick(field), ...(texts.length > 0 && { labels }) };
      return { refId, length: rows.length, fields: [{ ...time, values: pick(time) }, value] };
    });
  });
}

function fieldType(type: string): FrameField["type"] {
  const inner = type.replace(/^(?:(?:Nullable|LowCardinality)\()+/, "");
  if (/^(U?Int|Float|Decimal)/.test(inner)) return "number";
  if (/^Date/.test(inner)) return "time";
  return inner.startsWith("Bool") ? "boolean" : "string";
}

function converted(value: unknown, type: FrameField["type"]): unknown {
  if (value === null || value === undefined) return null;
  // Numbers of 64 bits may come in quotes.
  if (type === "number") return Number(value);
  // Dates come without a time zone. The pipeline's are all of UTC.
  if (type === "time")
    return Date.parse(`${String(value).replace(" ", "T")}${String(value).includes(":") ? "Z" : ""}`);
  return type === "boolean"
    ? Boolean(value)
    : typeof value === "object"
      ? JSON.stringify(value)
      : String(value);
}
