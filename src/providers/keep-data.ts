/**
 * Whether what lives in the data volumes is to stay: `down --keep-data` sets CDC_KEEP_DATA=1 for the provider host.
 * A slot, a topic or a connector that a kept volume holds goes on living with it, and the next `up` takes it over.
 * @param what the thing that would have been deleted, for the log line.
 */
export function keepsData(what: string): boolean {
  if (process.env.CDC_KEEP_DATA !== "1") return false;
  console.log(`${what}: kept together with the data volumes (CDC_KEEP_DATA=1)`);
  return true;
}
