/** An error as a client of ClickHouse knows it: by number, name and text. */
export class Failure extends Error {
  constructor(
    readonly code: number,
    text: string,
    readonly type: string,
  ) {
    super(text);
    this.name = "Failure";
  }

  /** The text that ClickHouse sends: clients take it apart. */
  body(version: string): string {
    const text = /[.!?]$/.test(this.message) ? this.message : `${this.message}.`;
    return `Code: ${this.code}. DB::Exception: ${text} (${this.type}) (version ${version} (local image))\n`;
  }
}

/** The engine's error, told apart; anything else is a logical error. */
export function failureFrom(error: unknown): Failure {
  if (error instanceof Failure) return error;
  let text = error instanceof Error ? error.message : String(error);
  let code = 49;
  let type = "LOGICAL_ERROR";
  // The engine wraps some of its errors in themselves.
  for (;;) {
    const found = /^(?:Query failed: )?Code: (\d+)\. DB::Exception: ([\s\S]*)$/.exec(text);
    if (!found) break;
    code = Number(found[1]);
    text = found[2] as string;
  }
  for (;;) {
    text = text.trimEnd();
    // Nothing in it may repeat what stands before the bracket: errors quote queries, which can be long.
    const found = /\((?:([A-Z][A-Z0-9_]{2,})|version [^()]*(?:\([^()]*\))?)\)\.?$/.exec(text);
    if (!found) break;
    text = text.slice(0, found.index);
    type = found[1] ?? type;
  }
  return new Failure(code, text, type);
}

/** The HTTP status that ClickHouse gives with an error, by its exceptionCodeToHTTPStatus. */
export function httpStatus(code: number): number {
  for (const [status, codes] of statuses) if (codes.includes(code)) return status;
  return 500;
}

const statuses: readonly (readonly [number, readonly number[]])[] = [
  [401, [194]],
  // UNKNOWN_USER, WRONG_PASSWORD, ACCESS_DENIED, SET_NON_GRANTED_ROLE, AUTHENTICATION_FAILED
  [403, [192, 193, 497, 512, 516]],
  // what cannot be parsed, and arguments that do not fit
  [
    400,
    [
      6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 69, 72, 117, 123, 167, 168, 223, 376, 427, 441, 675,
      676,
    ],
  ],
  // unknown table, function, identifier, type, engine, database, setting, format, role …
  [404, [46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511]],
  [408, [159]],
  [411, [381]],
  [413, [229]],
  [501, [48]],
  // SOCKET_TIMEOUT, CANNOT_OPEN_FILE, CANNOT_SCHEDULE_TASK
  [503, [76, 209, 439]],
];
