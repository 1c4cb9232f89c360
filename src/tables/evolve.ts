/**
 * How a stored column gets from one ClickHouse type to another: `same` where it holds every value of the wanted type
 * already, `widen` where it can be altered without losing a value, `refuse` where it cannot.
 */
export type Evolution = "same" | "widen" | "refuse";

export function evolutionOf(stored: string, wanted: string): Evolution {
  const [from, to] = [shapeOf(stored), shapeOf(wanted)];
  if (holds(from, to)) return "same";
  // What the wanted type leaves out, the stored one may have: both together hold everything.
  const union = { ...to, nullable: from.nullable || to.nullable };
  return holds(union, from) || becomesText(from, to) ? "widen" : "refuse";
}

/** The type to alter to: the wanted one, and NULL still allowed where it was. */
export function widenedType(stored: string, wanted: string): string {
  if (!shapeOf(stored).nullable || shapeOf(wanted).nullable) return wanted;
  const lowCardinality = /^LowCardinality\((.*)\)$/.exec(wanted);
  return lowCardinality ? `LowCardinality(Nullable(${lowCardinality[1]}))` : `Nullable(${wanted})`;
}

interface Shape {
  readonly type: string;
  readonly nullable: boolean;
}

function shapeOf(type: string): Shape {
  const compact = type.replace(/\s+/g, "");
  const inner = /^LowCardinality\((.*)\)$/.exec(compact)?.[1] ?? compact;
  const nonNull = /^Nullable\((.*)\)$/.exec(inner)?.[1];
  return { type: nonNull ?? inner, nullable: nonNull !== undefined };
}

function holds(outer: Shape, inner: Shape): boolean {
  return (outer.nullable || !inner.nullable) && typeHolds(outer.type, inner.type);
}

function typeHolds(outer: string, inner: string): boolean {
  if (outer === inner) return true;
  const [outerInt, innerInt] = [integerOf(outer), integerOf(inner)];
  if (outerInt && innerInt) {
    return outerInt.signed === innerInt.signed
      ? outerInt.bits >= innerInt.bits
      : outerInt.signed && outerInt.bits > innerInt.bits;
  }
  const [outerDecimal, innerDecimal] = [decimalOf(outer), decimalOf(inner)];
  if (outerDecimal && innerDecimal) {
    return (
      outerDecimal.scale >= innerDecimal.scale &&
      outerDecimal.digits - outerDecimal.scale >= innerDecimal.digits - innerDecimal.scale
    );
  }
  if (outer === "Float64" && inner === "Float32") return true;
  if (outer === "Date32" && inner === "Date") return true;
  const [outerMoment, innerMoment] = [momentOf(outer), momentOf(inner)];
  if (outerMoment && innerMoment)
    return (
      outerMoment.kind === innerMoment.kind &&
      outerMoment.zone === innerMoment.zone &&
      outerMoment.digits >= innerMoment.digits
    );
  const [outerArray, innerArray] = [arrayOf(outer), arrayOf(inner)];
  return (
    outerArray !== undefined && innerArray !== undefined && holds(shapeOf(outerArray), shapeOf(innerArray))
  );
}

/** ClickHouse writes these as text just as the type contract does. */
function becomesText(from: Shape, to: Shape): boolean {
  const plain = integerOf(from.type) || decimalOf(from.type) || from.type === "UUID";
  return to.type === "String" && Boolean(plain) && (to.nullable || !from.nullable);
}

function integerOf(type: string): { readonly signed: boolean; readonly bits: number } | undefined {
  const match = /^(U?)Int(\d+)$/.exec(type);
  return match ? { signed: match[1] === "", bits: Number(match[2]) } : undefined;
}

function decimalOf(type: string): { readonly digits: number; readonly scale: number } | undefined {
  const match = /^Decimal\((\d+),(\d+)\)$/.exec(type);
  return match ? { digits: Number(match[1]), scale: Number(match[2]) } : undefined;
}

function momentOf(type: string) {
  const match = /^(DateTime64|Time64)\((\d)(?:,'(.*)')?\)$/.exec(type);
  return match ? { kind: match[1], digits: Number(match[2]), zone: match[3] } : undefined;
}

function arrayOf(type: string): string | undefined {
  return /^Array\((.*)\)$/.exec(type)?.[1];
}
