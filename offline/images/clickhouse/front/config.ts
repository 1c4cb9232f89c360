import * as fs from "node:fs";
import * as path from "node:path";
import { type Element, element, parseXml } from "./xml";

/**
 * Loads a configuration file of ClickHouse and merges what lies beside it in `<name>.d` and `conf.d` into it, in
 * the order of the file names, by the rules of ClickHouse's configuration documentation: elements are matched by
 * name and attributes, `replace` replaces, `remove` removes, `from_env` takes the value of a variable.
 * @throws Error for a file that cannot be read, an unset variable, or an attribute that this image cannot follow.
 */
export function loadConfig(file: string, env: NodeJS.ProcessEnv = process.env): Element {
  const root = readFile(file);
  for (const part of mergeFiles(file)) {
    const other = readFile(part);
    if (!rootNames.has(other.name))
      throw new Error(`${part}: the root element is <${other.name}>; it must be <clickhouse>`);
    mergeChildren(root, other, part);
  }
  substitute(root, file, env);
  return root;
}

/** The element at a path such as "logger.level"; the first, if there are several. */
export function find(root: Element, key: string): Element | undefined {
  return key
    .split(".")
    .reduce<Element | undefined>((at, name) => at?.children.find((child) => child.name === name), root);
}

/** All elements of that name directly below. */
export function findAll(root: Element | undefined, name: string): readonly Element[] {
  return root?.children.filter((child) => child.name === name) ?? [];
}

/** The trimmed text at a path, if it is there and not empty. */
export function textAt(root: Element, key: string): string | undefined {
  return find(root, key)?.text.trim() || undefined;
}

/** ClickHouse's notion of a boolean in its configuration. */
export function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(1|true|yes|on)$/i.test(text);
}

const rootNames: ReadonlySet<string> = new Set(["clickhouse", "yandex"]);
const mergeAttributes: ReadonlySet<string> = new Set([
  "replace",
  "remove",
  "from_env",
  "hide_in_preprocessed",
]);
const unsupportedAttributes = ["incl", "include_from", "from_zk", "encrypted_by"] as const;

function mergeFiles(file: string): readonly string[] {
  const dir = path.dirname(file);
  const own = `${path.basename(file, path.extname(file))}.d`;
  return [own, "conf.d"].flatMap((name) => {
    const folder = path.join(dir, name);
    if (!fs.existsSync(folder)) return [];
    return fs
      .readdirSync(folder)
      .filter((entry) => /\.(xml|conf|ya?ml)$/.test(entry) && !entry.startsWith("."))
      .sort()
      .map((entry) => path.join(folder, entry));
  });
}

function readFile(file: string): Element {
  const source = fs.readFileSync(file, "utf8");
  return /\.ya?ml$/.test(file) ? parseYaml(source, file) : parseXml(source, file);
}

/** ClickHouse's mapping of YAML to its tree: a list repeats the element, a key `@name` is an attribute, `#text` the text. */
function parseYaml(source: string, file: string): Element {
  const { parse } = require("yaml") as { parse(text: string): unknown };
  let value: unknown;
  try {
    value = parse(source);
  } catch (error) {
    throw new Error(`${file}: not YAML that can be read: ${(error as Error).message}`);
  }
  const top = (value ?? {}) as Record<string, unknown>;
  const keys = Object.keys(top);
  const inner = keys.length === 1 && rootNames.has(keys[0] as string) ? top[keys[0] as string] : top;
  return fromYaml("clickhouse", inner ?? {});
}

function fromYaml(name: string, value: unknown): Element {
  if (value === null || value === undefined) return element(name);
  if (typeof value !== "object") return element(name, String(value));
  const result = element(name, []);
  for (const [key, child] of Object.entries(value)) {
    if (key.startsWith("@")) result.attributes[key.slice(1)] = String(child);
    else if (key === "#text") result.text = String(child);
    else for (const item of Array.isArray(child) ? child : [child]) result.children.push(fromYaml(key, item));
  }
  return result;
}

function mergeChildren(base: Element, other: Element, file: string): void {
  const unmatched = [...base.children];
  for (const child of other.children) {
    refuseUnsupported(child, file);
    const index = unmatched.findIndex((candidate) => identity(candidate) === identity(child));
    const match = index < 0 ? undefined : unmatched.splice(index, 1)[0];
    if (match) mergeElement(base, match, child, file);
    else if (!("remove" in child.attributes)) base.children.push(withoutDirectives(child));
  }
}

function mergeElement(parent: Element, base: Element, other: Element, file: string): void {
  const remove = "remove" in other.attributes;
  const replace = "replace" in other.attributes;
  if (remove && replace)
    throw new Error(`${file}: <${other.name}> has both attributes remove and replace; it can have one`);
  const index = parent.children.indexOf(base);
  if (remove) parent.children.splice(index, 1);
  else if (replace) parent.children[index] = withoutDirectives(other);
  else {
    if (other.attributes.from_env !== undefined) base.attributes.from_env = other.attributes.from_env;
    else if (other.children.length === 0) {
      base.text = other.text;
      if (other.text.trim() !== "") delete base.attributes.from_env;
    }
    mergeChildren(base, other, file);
  }
}

function identity({ name, attributes }: Element): string {
  const own = Object.entries(attributes).filter(([key]) => !mergeAttributes.has(key));
  return JSON.stringify([name, own.sort(([a], [b]) => (a < b ? -1 : 1))]);
}

function withoutDirectives({ name, attributes, children, text }: Element): Element {
  const kept = Object.entries(attributes).filter(([key]) => key !== "replace" && key !== "remove");
  return { name, attributes: Object.fromEntries(kept), children: [...children], text };
}

function refuseUnsupported({ name, attributes }: Element, file: string): void {
  const found = unsupportedAttributes.find((attribute) => attribute in attributes);
  if (found)
    throw new Error(
      `${file}: <${name} ${found}="…">: the local image knows remove, replace and from_env only; write the value itself`,
    );
}

function substitute(at: Element, file: string, env: NodeJS.ProcessEnv): void {
  refuseUnsupported(at, file);
  const variable = at.attributes.from_env;
  if (variable !== undefined) {
    const value = env[variable];
    if (value === undefined && !("replace" in at.attributes))
      throw new Error(
        `<${at.name} from_env="${variable}">: the environment has no variable ${variable}; set it`,
      );
    at.text = value ?? at.text;
    delete at.attributes.from_env;
  }
  for (const child of at.children) substitute(child, file, env);
}
