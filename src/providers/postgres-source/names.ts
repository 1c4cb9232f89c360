import { escapeIdentifier } from "pg";
import { editDistance, nearest } from "../../lib/near";

/** `schema.table` in two parts. The configuration allows neither dots nor quotes inside of a name. */
export function splitName(qualified: string): { readonly schema: string; readonly name: string } {
  const [schema = "", name = ""] = qualified.split(".");
  return { schema, name };
}

/** `schema.table` for `to_regclass`, which folds case unless quoted; quoted only where needed, as it is shown in errors. */
export function regclassName(qualified: string): string {
  return qualified
    .split(".")
    .map((part) => (/^[a-z_][a-z0-9_]*$/.test(part) ? part : escapeIdentifier(part)))
    .join(".");
}

/** The candidates that a mistyped name may have meant, nearest first, at most three. */
export function nearNames(wanted: string, candidates: readonly string[]): string[] {
  const table = splitName(wanted).name;
  return nearest(candidates, (candidate) =>
    splitName(candidate).name === table ? 1 : editDistance(wanted.toLowerCase(), candidate.toLowerCase()),
  );
}
