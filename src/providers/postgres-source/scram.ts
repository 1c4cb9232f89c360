import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/** As many as Postgres uses by itself (scram_iterations). */
const iterations = 4096;

/**
 * The SCRAM-SHA-256 verifier of a password, in the form in which Postgres stores it (RFC 5803). Sent instead of the
 * password, so that no statement log, no `pg_stat_statements` and no network trace holds the clear text.
 * @param password printable ASCII: for that, SASLprep (RFC 4013) leaves it as it is.
 */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const storedKey = createHash("sha256").update(hmac(salted, "Client Key")).digest("base64");
  const serverKey = hmac(salted, "Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${serverKey}`;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
