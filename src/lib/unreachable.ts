/** The server did not answer at all (no route, refused, still starting), as opposed to having said no. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}
