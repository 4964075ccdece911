/** Boxes the forms share. */
import { useId } from "react";
import { useLanguage } from "../../i18n";
import type { RowId } from "../../wire";
import { Field } from "../../ui/Field";
import { useRowNames, useRows } from "../context";
import { isPartialDate } from "../decimal";
import { PLAIN } from "../plain";
import style from "./forms.module.css";

/** A line that may be required. `most`: what the server takes, in UTF-16 units. */
export function TextBox(props: {
  readonly label: string;
  readonly value: string;
  readonly most: number;
  readonly onChange: (value: string) => void;
  readonly hint?: string | undefined;
  readonly problem?: string | undefined;
  readonly list?: string;
  readonly decimal?: boolean;
  readonly className?: string | undefined;
}) {
  return (
    <Field
      label={props.label} value={props.value} maxLength={props.most} hint={props.hint} problem={props.problem} list={props.list} {...PLAIN}
      className={props.className} {...(props.decimal === true ? { inputMode: "decimal" as const } : {})}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

/** A date as exact as it is known; empty is allowed. */
export function DateBox(props: { readonly label: string; readonly value: string; readonly tried: boolean; readonly onChange: (value: string) => void }) {
  const { say } = useLanguage();
  const bad = props.value !== "" && !isPartialDate(props.value);
  return <TextBox label={props.label} value={props.value} most={10} hint={say("plan.date.hint")} problem={props.tried && bad ? say("plan.date.bad") : undefined} onChange={props.onChange} />;
}

export const dateOk = (value: string): boolean => value === "" || isPartialDate(value);

/** The day where the reader is, as a FHIR date. */
export function today(): string {
  const now = new Date();
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}-${String(now.getDate()).padStart(2, "0")}`;
}

/** Some of several. */
export function Checks<T extends string>(props: {
  readonly label: string;
  readonly options: readonly { readonly value: T; readonly words: string }[];
  readonly chosen: readonly T[];
  readonly onChange: (chosen: readonly T[]) => void;
}) {
  const id = useId();
  if (props.options.length === 0) return null;
  return (
    <div role="group" aria-labelledby={id} className={style["checks"]}>
      <p id={id} className={style["label"]}>{props.label}</p>
      <div className={style["options"]}>
        {props.options.map(({ value, words }) => (
          <label key={value} className={style["check"]}>
            <input
              type="checkbox" checked={props.chosen.includes(value)}
              onChange={(event) => props.onChange(event.currentTarget.checked ? [...props.chosen, value] : props.chosen.filter((one) => one !== value))}
            />
            <span>{words}</span>
          </label>
        ))}
      </div>
    </div>
  );
}

/** Medicines of the list, some of them. */
export function MedicineChecks(props: { readonly label: string; readonly chosen: readonly RowId[]; readonly onChange: (chosen: readonly RowId[]) => void }) {
  const rows = useRows("meds");
  const name = useRowNames();
  return <Checks label={props.label} chosen={props.chosen} onChange={props.onChange} options={rows.map((row) => ({ value: row, words: name(row) }))} />;
}
