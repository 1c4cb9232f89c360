import * as fs from "node:fs";
import * as path from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { dockerPlugin } from "../../offline/plugins/docker/plugin";
import { inputsOf, type Properties, type Property } from "../../offline/plugins/provider/schema";
import { randomPlugin } from "../../offline/plugins/random/plugin";
import { inProject } from "../../src/lib/paths";

/** A property as an SDK's typings have it, or as a stand-in's schema has it. */
interface Shape {
  readonly type: string;
  readonly required: boolean;
  readonly properties?: Readonly<Record<string, Shape>>;
}

const sdk = (name: string, ...file: string[]) => inProject("node_modules", "@pulumi", name, ...file);

const parsed = new Map<string, ts.SourceFile>();

function sourceOf(file: string): ts.SourceFile {
  const source =
    parsed.get(file) ??
    ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  parsed.set(file, source);
  return source;
}

function membersOf(file: string, name: string) {
  const found = sourceOf(file).statements.find(
    (each): each is ts.InterfaceDeclaration | ts.ClassDeclaration =>
      (ts.isInterfaceDeclaration(each) || ts.isClassDeclaration(each)) && each.name?.text === name,
  );
  if (found === undefined) throw new Error(`no ${name} in ${file}`);
  return [...found.members].filter(
    (each): each is ts.PropertySignature | ts.PropertyDeclaration =>
      ts.isPropertySignature(each) || ts.isPropertyDeclaration(each),
  );
}

/** What the SDK's interface says of an input; what it doesn't say (list or set, defaults) is left out. */
function sdkShapes(file: string, name: string, types: string): Record<string, Shape> {
  const shapes = membersOf(file, name).map((member) => {
    const text = member.type?.getText() ?? "";
    const nested = /inputs\.(\w+)/.exec(text)?.[1];
    const shape: Shape = {
      type: typeOf(text, nested !== undefined),
      required: member.questionToken === undefined,
      ...(nested !== undefined && { properties: sdkShapes(types, nested, types) }),
    };
    return [member.name.getText(), shape];
  });
  return Object.fromEntries(shapes);
}

function typeOf(text: string, nested: boolean): string {
  if (text.includes("[]")) return "list";
  if (text.includes("key: string")) return "map";
  if (nested) return "object";
  return text.includes("number") ? "int" : text.includes("boolean") ? "bool" : "string";
}

function ownShapes(properties: Properties): Record<string, Shape> {
  const entries = Object.entries(inputsOf(properties)).map(([name, property]) => [name, ownShape(property)]);
  return Object.fromEntries(entries);
}

function ownShape(property: Property): Shape {
  const nested = property.properties ?? property.element?.properties;
  return {
    type: property.type === "set" ? "list" : property.type,
    required: property.required === true,
    ...(nested !== undefined && { properties: ownShapes(nested) }),
  };
}

describe.each([dockerPlugin(), randomPlugin()])(
  "the stand-in for the $name plugin",
  ({ name, ...served }) => {
    const types = sdk(name, "types", "input.d.ts");
    const kinds = Object.entries(served.kinds).map(([token, { properties }]) => {
      const [, file = "", type = ""] = /index\/(\w+):(\w+)/.exec(token) ?? [];
      return { type, file: sdk(name, `${file}.d.ts`), properties };
    });

    test("is of the SDK's version", () => {
      const manifest = JSON.parse(fs.readFileSync(sdk(name, "package.json"), "utf8"));
      expect(served.version).toBe(manifest.pulumi?.version ?? manifest.version);
    });

    test.each(kinds)(
      "takes exactly the inputs that the SDK knows for $type",
      ({ type, file, properties }) => {
        expect(ownShapes(properties)).toEqual(sdkShapes(file, `${type}Args`, types));
      },
    );

    test.each(kinds)(
      "gives exactly the outputs that the SDK knows for $type",
      ({ type, file, properties }) => {
        const outputs = membersOf(file, type).map((member) => member.name.getText());
        expect(Object.keys(properties).sort()).toEqual(outputs.sort());
      },
    );

    test("takes exactly the provider's inputs that the SDK knows", () => {
      const file = path.join(path.dirname(types), "..", "provider.d.ts");
      expect(ownShapes(served.config)).toEqual(sdkShapes(file, "ProviderArgs", types));
    });
  },
);
