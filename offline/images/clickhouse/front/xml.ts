/** One element of a configuration file: ClickHouse's configuration is a tree of these, whatever it was written in. */
export interface Element {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: Element[];
  text: string;
}

/**
 * Reads the subset of XML that ClickHouse's configuration files use: elements, attributes, text, CDATA, comments,
 * declarations and the five named entities plus numeric ones.
 * @throws Error that names the file and the line.
 */
export function parseXml(source: string, file: string): Element {
  const parser = new Parser(source.replace(/^\uFEFF/, ""), file);
  return parser.document();
}

/** Writes a tree as XML that ClickHouse reads. */
export function writeXml(element: Element, indent = ""): string {
  const attributes = Object.entries(element.attributes)
    .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
    .join("");
  const open = `${indent}<${element.name}${attributes}>`;
  const close = `</${element.name}>\n`;
  if (element.children.length === 0) return `${open}${escapeXml(element.text)}${close}`;
  const inner = element.children.map((child) => writeXml(child, `${indent}  `)).join("");
  return `${open}\n${inner}${indent}${close}`;
}

export function element(name: string, content: string | readonly Element[] = ""): Element {
  return typeof content === "string"
    ? { name, attributes: {}, children: [], text: content }
    : { name, attributes: {}, children: [...content], text: "" };
}

class Parser {
  private position = 0;

  constructor(
    private readonly source: string,
    private readonly file: string,
  ) {}

  document(): Element {
    this.skipMisc();
    const root = this.element();
    this.skipMisc();
    if (this.position < this.source.length) this.fail("text after the end of the root element");
    return root;
  }

  private element(): Element {
    const name = this.match(/<([A-Za-z_][\w.:-]*)/y, "an element")[1] as string;
    const attributes: Record<string, string> = {};
    for (;;) {
      const attribute = this.tryMatch(/\s+([A-Za-z_][\w.:-]*)\s*=\s*(?:"([^"]*)"|'([^']*)')/y);
      if (!attribute) break;
      attributes[attribute[1] as string] = this.unescape(attribute[2] ?? attribute[3] ?? "");
    }
    const result: Element = { name, attributes, children: [], text: "" };
    if (this.match(/\s*(\/?)>/y, `the end of the tag <${name}`)[1]) return result;
    this.content(result);
    return result;
  }

  private content(parent: Element): void {
    for (;;) {
      if (this.skip("<!--", "-->")) continue;
      if (this.source.startsWith("<![CDATA[", this.position)) {
        const end = this.find("]]>");
        parent.text += this.source.slice(this.position + 9, end);
        this.position = end + 3;
      } else if (this.source.startsWith("</", this.position)) {
        const name = this.match(/<\/([^\s>]+)\s*>/y, "a closing tag")[1];
        if (name !== parent.name) this.fail(`</${name}> closes <${parent.name}>`);
        if (parent.children.length > 0) parent.text = "";
        return;
      } else if (this.source[this.position] === "<") {
        parent.children.push(this.element());
      } else {
        const text = this.match(/[^<]+/y, `</${parent.name}>`)[0];
        parent.text += this.unescape(text);
      }
    }
  }

  private skipMisc(): void {
    while (this.tryMatch(/\s+/y) || this.skip("<?", "?>") || this.skip("<!--", "-->")) {
      // Nothing of these is configuration.
    }
  }

  private skip(open: string, close: string): boolean {
    if (!this.source.startsWith(open, this.position)) return false;
    this.position = this.find(close) + close.length;
    return true;
  }

  private find(text: string): number {
    const at = this.source.indexOf(text, this.position);
    return at < 0 ? this.fail(`${text} is missing`) : at;
  }

  private match(pattern: RegExp, expected: string): RegExpExecArray {
    return this.tryMatch(pattern) ?? this.fail(`expected ${expected}`);
  }

  private tryMatch(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.source);
    if (!found) return undefined;
    this.position = pattern.lastIndex;
    return found;
  }

  private unescape(text: string): string {
    return text.replace(/&(#x?[0-9a-fA-F]+|\w+);/g, (whole, entity: string) => {
      if (entity.startsWith("#x")) return String.fromCodePoint(Number.parseInt(entity.slice(2), 16));
      if (entity.startsWith("#")) return String.fromCodePoint(Number.parseInt(entity.slice(1), 10));
      return namedEntities[entity] ?? this.fail(`unknown entity ${whole}`);
    });
  }

  private fail(problem: string): never {
    const line = this.source.slice(0, this.position).split("\n").length;
    throw new Error(`${this.file}, line ${line}: not XML that can be read: ${problem}`);
  }
}

const namedEntities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

function escapeXml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}
