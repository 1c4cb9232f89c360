import * as path from "node:path";
import ts from "typescript";
import { inProject } from "../../src/lib/paths";

/** Panel types, and the file of Grafana's package @grafana/schema that describes their options. */
const published: Readonly<Record<string, string>> = {
  barchart: "barchart/panelcfg/x/BarChartPanelCfg_types.gen",
  bargauge: "bargauge/panelcfg/x/BarGaugePanelCfg_types.gen",
  piechart: "piechart/panelcfg/x/PieChartPanelCfg_types.gen",
  stat: "stat/panelcfg/x/StatPanelCfg_types.gen",
  "state-timeline": "statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen",
  table: "table/panelcfg/x/TablePanelCfg_types.gen",
  text: "text/panelcfg/x/TextPanelCfg_types.gen",
  timeseries: "timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen",
};

/** Those with settings of their own for each field. */
const withField = new Set(["barchart", "piechart", "state-timeline", "table", "timeseries"]);

interface AnyDashboard {
  readonly uid: string;
  readonly panels: readonly { readonly type: string; readonly title?: string }[];
}

/**
 * Where dashboards do not fit the types that Grafana publishes of its own schema, one line each. The compiler checks
 * the JSON as it would check code: names and types of all fields, values of all enumerations, fields that do not exist.
 *
 * Not checked, because Grafana publishes nothing about it: queries, options of transformations and of overrides, and
 * the options of the alert list. An option that is left out is right, the panel has a default.
 */
export function schemaProblems(dashboards: readonly AnyDashboard[]): string[] {
  const pieces = dashboards.flatMap(({ panels, ...rest }) => [
    { what: rest.uid, type: 'Json<Omit<Dashboard, "panels">>', value: rest as unknown },
    ...panels.map((panel) => ({
      what: `${rest.uid}, ${panel.title}`,
      type: typeOf(panel.type),
      value: panel as unknown,
    })),
  ]);
  // A line each, so that a problem's line says where it is.
  const checks = pieces.map(
    ({ type, value }, index) => `export const c${index}: ${type} = ${JSON.stringify(value)};`,
  );
  const head = preamble();
  const first = head.split("\n").length + 1;
  return compile([head, ...checks].join("\n")).map(({ line, message }) => {
    const piece = pieces[line - first];
    return `${piece?.what ?? `line ${line}`}: ${message}`;
  });
}

function typeOf(type: string): string {
  if (type === "row") return "Json<RowPanel>";
  if (type === "alertlist") return "Json<Panel>";
  if (!(type in published))
    throw new Error(`panel type ${type}: add the file of its schema to grafana-schema.ts`);
  return `Json<Typed<${JSON.stringify(type)}, ${nameOf(type)}.Options${withField.has(type) ? `, ${nameOf(type)}.FieldConfig` : ""}>>`;
}

function nameOf(type: string): string {
  return type.replace(/-/g, "_");
}

/** JSON holds the values of enumerations, where code has to name their members: Json<T> takes the values. */
function preamble(): string {
  return [
    'import type { Dashboard, FieldConfig, FieldConfigSource, Panel, RowPanel } from "@grafana/schema";',
    ...Object.entries(published).map(
      ([type, file]) =>
        `import type * as ${nameOf(type)} from "@grafana/schema/dist/esm/raw/composable/${file}";`,
    ),
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a type for the compiler
    "type Json<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T",
    "  : T extends readonly (infer E)[] ? Json<E>[] : T extends object ? { [K in keyof T]: Json<T[K]> } : T;",
    "type Typed<Type extends string, Options, Field = object> =",
    '  Omit<Panel, "type" | "options" | "fieldConfig"> & { type: Type; options: Partial<Options>; fieldConfig?: {',
    '    defaults: Omit<FieldConfig, "custom"> & { custom?: Partial<Field> }; overrides: FieldConfigSource["overrides"] } };',
  ].join("\n");
}

function compile(source: string): { line: number; message: string }[] {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    lib: ["lib.es2022.d.ts"],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  const file = inProject("test", "support", "dashboards-to-check.ts");
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  const ours = (name: string) => path.resolve(name) === file;
  host.getSourceFile = (name, ...rest) =>
    ours(name)
      ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022)
      : getSourceFile.call(host, name, ...rest);
  host.fileExists = (name) => ours(name) || fileExists.call(host, name);
  host.readFile = (name) => (ours(name) ? source : readFile.call(host, name));
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => ({
    line: diagnostic.file ? diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line + 1 : 0,
    message: ts.flattenDiagnosticMessageText(diagnostic.messageText, " "),
  }));
}
