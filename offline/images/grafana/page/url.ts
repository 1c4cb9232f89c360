/** What the address of a dashboard says; the same parts as in Grafana's. */
export interface UrlState {
  readonly uid: string;
  /** As in Grafana: "now-1h", a date, milliseconds; absent: the dashboard's own. */
  readonly from?: string;
  readonly to?: string;
  /** "" is off; absent: the dashboard's own. */
  readonly refresh?: string;
  /** Values of variables by name; `$__all` for all. */
  readonly variables: Readonly<Record<string, readonly string[]>>;
  /** Without the list of dashboards. */
  readonly kiosk: boolean;
}

/** @returns undefined for an address that is no dashboard's. */
export function readUrl(pathname: string, search: string): UrlState | undefined {
  const uid = /^\/d\/([\w-]+)/.exec(pathname)?.[1];
  if (!uid) return undefined;
  const parameters = new URLSearchParams(search);
  const variables: Record<string, readonly string[]> = {};
  for (const key of new Set(parameters.keys()))
    if (key.startsWith("var-")) variables[key.slice(4)] = parameters.getAll(key).map(allIsAll);
  return {
    uid,
    ...given("from", parameters.get("from")),
    ...given("to", parameters.get("to")),
    ...given("refresh", parameters.get("refresh")),
    variables,
    kiosk: parameters.has("kiosk") && parameters.get("kiosk") !== "false",
  };
}

/** Grafana writes `All` and takes both. */
function allIsAll(value: string): string {
  return value === "All" ? "$__all" : value;
}

function given<K extends string>(key: K, value: string | null): { readonly [key in K]?: string } {
  return (value === null ? {} : { [key]: value }) as { readonly [key in K]?: string };
}

export function writeUrl({ uid, from, to, refresh, variables, kiosk }: UrlState): string {
  const parameters = new URLSearchParams();
  if (from !== undefined) parameters.set("from", from);
  if (to !== undefined) parameters.set("to", to);
  if (refresh !== undefined) parameters.set("refresh", refresh);
  for (const [name, values] of Object.entries(variables))
    for (const value of values) parameters.append(`var-${name}`, value);
  const search = [parameters.toString(), ...(kiosk ? ["kiosk"] : [])].filter(Boolean).join("&");
  return `/d/${uid}${search && `?${search}`}`;
}
