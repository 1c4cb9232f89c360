import { Failure } from "./failure";

/**
 * What the front has to know of a query before the engine gets it. The text is read by ClickHouse's lexical
 * rules; its grammar is the engine's business.
 */
export interface Statement {
  /** The query's text, without a semicolon at its end. */
  readonly text: string;
  /** The format that a FORMAT clause asks for; of the result, or of the data of an INSERT. */
  readonly format: string | undefined;
  /** Set for an INSERT whose data follows the query. */
  readonly data: InsertData | undefined;
}

export interface InsertData {
  /** Where in the text the data begins. */
  readonly start: number;
  /** The same INSERT, taking its data from a file. */
  readonly from: (file: string) => string;
}

/**
 * Reads one query. Each character of `source` stands for one byte (latin1), so that positions in it are positions
 * in the request; data in any encoding may follow an INSERT.
 * @throws Failure for several queries in one request, and for files that a query would read or write.
 */
export function readStatement(source: string): Statement {
  let first: Token | undefined;
  // Of a long list of values there are too many tokens to keep them all.
  let beforePrevious: Token | undefined;
  let previous: Token | undefined;
  let depth = 0;
  let end = source.length;
  let format: string | undefined;
  let insert: InsertParts | undefined;
  for (const token of tokenize(source)) {
    if (end < source.length) throw new Failure(62, "Multi-statements are not allowed", "SYNTAX_ERROR");
    if (token.text === ";" && depth === 0) {
      end = token.start;
      continue;
    }
    if (token.text === "(" || token.text === "[") depth++;
    else if (token.text === ")" || token.text === "]") depth--;
    refuseFiles(beforePrevious, previous, token);
    if (depth === 0 && first?.word === "INSERT" && previous) {
      insert = { ...insert, ...insertPart(previous, token, insert) };
      if (insert.query) insert = { query: true };
      else if (insert.format || insert.values) {
        // What follows is data, and no text of ClickHouse's.
        if (insert.values) return withData(source, insert, token.end);
        if (insert.name) return withData(source, insert, startOfData(source, token.end));
      }
    }
    if (previous?.word === "FORMAT" && previous !== first) format = token.text;
    if (token.word === "FORMAT") format = undefined;
    first ??= token;
    beforePrevious = previous;
    previous = token;
  }
  const text = source.slice(0, end).trimEnd();
  return { text, format: insert ? undefined : format, data: undefined };
}

interface Token {
  readonly text: string;
  /** Upper case, if it is a word. */
  readonly word: string | undefined;
  readonly start: number;
  readonly end: number;
}

interface InsertParts {
  /** Rows come from a SELECT. */
  readonly query?: boolean;
  readonly settings?: Token;
  readonly format?: Token;
  readonly name?: Token;
  readonly values?: Token;
}

const startsQuery: ReadonlySet<string> = new Set(["SELECT", "WITH", "WATCH", "EXPLAIN"]);
// A word after one of these is a name, whatever it looks like.
const beforeName: ReadonlySet<string> = new Set(["INTO", "TABLE", "FUNCTION", "."]);

function insertPart(previous: Token, token: Token, known: InsertParts | undefined): InsertParts {
  if (known?.query) return {};
  if (known?.format) return { name: token };
  if (beforeName.has(previous.word ?? previous.text)) return {};
  if (token.word === undefined) return {};
  if (startsQuery.has(token.word)) return { query: true };
  if (token.word === "SETTINGS") return { settings: token };
  if (token.word === "FORMAT") return { format: token };
  if (token.word === "VALUES") return { values: token };
  return {};
}

function withData(source: string, insert: InsertParts, start: number): Statement {
  const keyword = (insert.format ?? insert.values) as Token;
  const format = insert.name?.text ?? "Values";
  const head = source.slice(0, (insert.settings ?? keyword).start).trimEnd();
  const settings = insert.settings ? source.slice(insert.settings.start, keyword.start).trimEnd() : "";
  return {
    text: source.slice(0, start),
    format,
    data: {
      start,
      from: (file) => `${head} FROM INFILE '${file}' COMPRESSION 'none' ${settings} FORMAT ${format}`,
    },
  };
}

/** After the format's name, blanks and one line end are skipped, or a semicolon; the rest is data. */
function startOfData(source: string, at: number): number {
  const pattern = /[ \t\f]*(?:;|\r?\n)?/y;
  pattern.lastIndex = at;
  return at + (pattern.exec(source)?.[0].length ?? 0);
}

function refuseFiles(beforePrevious: Token | undefined, previous: Token | undefined, token: Token): void {
  if (previous?.word === "INTO" && token.word === "OUTFILE")
    throw new Failure(358, "INTO OUTFILE is not allowed", "INTO_OUTFILE_NOT_ALLOWED");
  if (previous?.word === "FROM" && token.word === "INFILE")
    throw new Failure(
      48,
      "FROM INFILE is not allowed over HTTP: send the data in the request",
      "NOT_IMPLEMENTED",
    );
  // In-process, this one function needs no grant and minds no user_files_path.
  if (callsFile(beforePrevious, previous, token))
    throw new Failure(48, "The local image has no function file", "NOT_IMPLEMENTED");
}

function callsFile(beforePrevious: Token | undefined, previous: Token | undefined, token: Token): boolean {
  if (token.text === "(") return isFile(previous);
  // A function can be named without being called: * APPLY file, arrayMap(file, …).
  const taker = previous?.text === "(" ? beforePrevious : previous;
  return taker?.word !== undefined && /^(APPLY|ARRAY\w+|MAP\w+)$/.test(taker.word) && isFile(token);
}

function isFile(token: Token | undefined): boolean {
  const name = token?.text.replace(/^(["`])(.*)\1$/s, "$2") ?? "";
  // No function has a backslash in its name: it is there to hide the name.
  return name === "file" || (name !== token?.text && name.includes("\\"));
}

const skipped = /[\s\0]+|--[^\n]*|#[! ][^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y;
const bare = /[A-Za-z_][\w$]*|[0-9][\w.]*|[\s\S]/y;

function* tokenize(source: string): Generator<Token> {
  const quotes = new Quotes(source);
  let at = 0;
  while (at < source.length) {
    const gap = matchAt(skipped, source, at);
    if (gap) {
      at += gap.length;
      continue;
    }
    const quoteEnd = quotes.endAt(at);
    const end = quoteEnd ?? at + (matchAt(bare, source, at) as string).length;
    const text = source.slice(at, end);
    const word = quoteEnd === undefined && /^[A-Za-z_]/.test(text) ? text.toUpperCase() : undefined;
    yield { text, word, start: at, end };
    at = end;
  }
}

function matchAt(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

// In latin1, the three bytes of each of ‘ ’ “ ”, which ClickHouse takes for quotes too.
const curly: ReadonlyMap<string, string> = new Map([
  ["\u00e2\u0080\u0098", "\u00e2\u0080\u0099"],
  ["\u00e2\u0080\u009c", "\u00e2\u0080\u009d"],
]);

/** Finds the ends of quoted texts without regular expressions, which fail at some millions of characters. */
class Quotes {
  private openHereDocuments = 0;

  constructor(private readonly source: string) {}

  /** Where the quoted text that begins here ends, which is the source's end if it is not closed; undefined for none. */
  endAt(at: number): number | undefined {
    switch (this.source[at]) {
      case "'":
      case '"':
      case "`":
        return this.endOfPlain(at);
      case "$":
        return this.endOfHereDocument(at);
      case "\u00e2": {
        const close = curly.get(this.source.slice(at, at + 3));
        return close === undefined ? undefined : this.endOf(close, at + 3);
      }
      default:
        return undefined;
    }
  }

  /** A backslash or doubling escapes the quote. */
  private endOfPlain(start: number): number {
    const { source } = this;
    const quote = source.charCodeAt(start);
    for (let at = start + 1; at < source.length; at++) {
      const code = source.charCodeAt(at);
      if (code === backslash) at++;
      else if (code === quote) {
        if (source.charCodeAt(at + 1) !== quote) return at + 1;
        at++;
      }
    }
    return source.length;
  }

  private endOfHereDocument(at: number): number | undefined {
    const tag = matchAt(/\$\w*\$/y, this.source, at);
    if (tag === undefined) return undefined;
    const close = this.source.indexOf(tag, at + tag.length);
    if (close >= 0) return close + tag.length;
    // Each one has cost a look at all that follows.
    if (++this.openHereDocuments > mostOpenHereDocuments)
      throw new Failure(
        62,
        `More than ${mostOpenHereDocuments} here-documents such as ${tag} are not closed`,
        "SYNTAX_ERROR",
      );
    return undefined;
  }

  private endOf(close: string, from: number): number {
    const found = this.source.indexOf(close, from);
    return found < 0 ? this.source.length : found + close.length;
  }
}

const backslash = 0x5c;
const mostOpenHereDocuments = 100;
