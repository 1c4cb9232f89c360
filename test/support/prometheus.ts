import { HttpClient } from "../../src/lib/http";

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  /** Points of a range; the one point of an instant. */
  readonly values: readonly (readonly [time: number, value: string])[];
}

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
}

/** What the tests ask Prometheus and Alertmanager. */
export function monitoring(prometheusUrl: string, alertmanagerUrl: string) {
  const prometheus = new HttpClient(prometheusUrl);
  const alertmanager = new HttpClient(alertmanagerUrl);

  async function ask<T>(client: HttpClient, path: string): Promise<T> {
    const { status, data } = await client.get(path);
    if (status !== 200) throw new Error(`GET ${path}: status ${status}: ${JSON.stringify(data)}`);
    return data as T;
  }

  async function query(path: string, parameters: Record<string, string>): Promise<readonly Series[]> {
    const { data } = await ask<{ data: { resultType: string; result: unknown } }>(
      prometheus,
      `/api/v1/${path}?${new URLSearchParams(parameters)}`,
    );
    if (data.resultType === "scalar") return [{ metric: {}, values: [data.result as [number, string]] }];
    return (data.result as (Series & { value?: Series["values"][number] })[]).map(
      ({ metric, value, values }) => ({ metric, values: value ? [value] : values }),
    );
  }

  return {
    instant: (expression: string) => query("query", { query: expression }),
    range: (expression: string, from: Date, to: Date, stepSeconds: number) =>
      query("query_range", {
        query: expression,
        start: String(from.getTime() / 1000),
        end: String(to.getTime() / 1000),
        step: String(stepSeconds),
      }),
    targets: async () => {
      const { data } = await ask<{
        data: { activeTargets: { labels: { job: string }; health: string; lastError: string }[] };
      }>(prometheus, "/api/v1/targets?state=active");
      return data.activeTargets.map(({ labels, health, lastError }) => ({
        job: labels.job,
        health,
        lastError,
      }));
    },
    rules: async () => {
      const { data } = await ask<{
        data: {
          groups: {
            rules: { name: string; type: string; query: string; health: string; lastError?: string }[];
          }[];
        };
      }>(prometheus, "/api/v1/rules");
      return data.groups.flatMap(({ rules }) => rules);
    },
    /** Alerts that people would be told of: firing, and neither silenced nor held back by others. */
    told: async (): Promise<readonly Alert["labels"][]> => {
      const alerts = await ask<{ labels: Alert["labels"]; status: { state: string } }[]>(
        alertmanager,
        "/api/v2/alerts?active=true&silenced=false&inhibited=false",
      );
      return alerts.map(({ labels }) => labels);
    },
  };
}

export type Monitoring = ReturnType<typeof monitoring>;

/** Metrics that an expression reads: what is left of it without strings, labels, functions, operators and durations. */
export function metricsIn(expr: string): string[] {
  const words =
    expr
      .replace(/"[^"]*"/g, "")
      .replace(/\{[^}]*\}/g, "")
      .replace(/\b(on|by|ignoring|without|group_left|group_right)\s*\([^)]*\)/g, " ")
      .replace(/\[[^\]]*\]/g, "")
      .match(/(?<!\w)[a-zA-Z_:][\w:]*(?!\w|\s*\()/g) ?? [];
  return words.filter((word) => !/^(and|or|unless|bool|offset|group_left|group_right)$/.test(word));
}
