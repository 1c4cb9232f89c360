import { css } from "@emotion/css";
import { Combobox, type ComboboxOption, Icon, MultiCombobox, Tooltip } from "@grafana/ui";
import { theme } from "./fields";
import { all, type Variable } from "./model";
import { describeRange, timeChoices } from "./range";

interface VariableControlProps {
  readonly variable: Variable;
  readonly options: readonly string[];
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}

export function VariableControl({ variable, options, chosen, onChange }: VariableControlProps) {
  const id = `var-${variable.name}`;
  const known = [...new Set([...options, ...chosen.filter((value) => value !== all)])];
  const choices = [
    ...(variable.includeAll ? [{ value: all, label: "All" }] : []),
    ...known.map((value) => ({ value, label: value })),
  ];
  return (
    <div className={styles.control}>
      <label htmlFor={id}>
        {variable.label ?? variable.name}
        {variable.description && (
          <Tooltip content={variable.description}>
            <Icon name="info-circle" size="sm" tabIndex={0} aria-label={variable.description} />
          </Tooltip>
        )}
      </label>
      {variable.multi ? (
        <MultiCombobox
          id={id}
          options={choices}
          value={[...chosen]}
          width="auto"
          minWidth={12}
          maxWidth={40}
          onChange={(picked) => onChange(withoutContradiction(chosen, picked))}
        />
      ) : (
        <Combobox
          id={id}
          options={choices}
          value={chosen[0] ?? null}
          width={12}
          onChange={({ value }) => onChange([value])}
        />
      )}
    </div>
  );
}

/** All and single values exclude each other: the later choice counts. Nothing chosen means all. */
function withoutContradiction(
  before: readonly string[],
  picked: readonly ComboboxOption<string>[],
): readonly string[] {
  const values = picked.map(({ value }) => value);
  if (values.length === 0 || (values.includes(all) && !before.includes(all))) return [all];
  return values.filter((value) => value !== all);
}

interface TimeControlProps {
  readonly from: string;
  readonly to: string;
  /** The dashboard's own range: its first choice. */
  readonly own: { readonly from: string; readonly to: string };
  readonly onChange: (range: { readonly from: string; readonly to: string }) => void;
}

export function TimeControl({ from, to, own, onChange }: TimeControlProps) {
  const ranges = [own, { from, to }, ...timeChoices.map(({ from }) => ({ from, to: "now" }))];
  const choices = new Map(
    ranges.map((range) => [
      `${range.from} ${range.to}`,
      { range, label: describeRange(range.from, range.to) },
    ]),
  );
  return (
    <Combobox
      aria-label="Time range"
      prefixIcon="clock-nine"
      options={[...choices].map(([value, { label }]) => ({ value, label }))}
      value={`${from} ${to}`}
      width="auto"
      minWidth={30}
      onChange={({ value }) => {
        const choice = choices.get(value);
        if (choice) onChange(choice.range);
      }}
    />
  );
}

interface RefreshControlProps {
  readonly refresh: string;
  readonly onChange: (refresh: string) => void;
}

export function RefreshControl({ refresh, onChange }: RefreshControlProps) {
  const intervals = [...new Set(["off", refresh || "off", "5s", "10s", "30s", "1m", "5m"])];
  return (
    <Combobox
      aria-label="Refresh"
      prefixIcon="sync"
      options={intervals.map((value) => ({ value, label: value }))}
      value={refresh || "off"}
      width={14}
      onChange={({ value }) => onChange(value === "off" ? "" : value)}
    />
  );
}

const styles = {
  control: css({
    display: "flex",
    alignItems: "center",
    "& > label": {
      display: "flex",
      alignItems: "center",
      gap: 4,
      padding: "0 8px",
      height: 32,
      fontSize: theme.typography.bodySmall.fontSize,
      fontWeight: theme.typography.fontWeightMedium,
      background: theme.colors.background.secondary,
      border: `1px solid ${theme.colors.border.weak}`,
      borderRight: "none",
      borderRadius: "2px 0 0 2px",
      whiteSpace: "nowrap",
    },
  }),
};
