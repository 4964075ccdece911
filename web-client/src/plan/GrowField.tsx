/** A labelled box that grows with its words and never cuts them. Enter ends it, as in a box of one line. */
import { useId, type FocusEvent, type KeyboardEvent } from "react";
import { PLAIN } from "./plain";
import area from "./NarrativeText.module.css";
import style from "./GrowField.module.css";

export function GrowField(props: {
  readonly label: string;
  readonly value: string;
  /** What the server takes, in UTF-16 units. */
  readonly most: number;
  readonly hint?: string | undefined;
  readonly problem?: string | undefined;
  readonly onChange: (value: string) => void;
  /** Without it Enter sends the form the box stands in. */
  readonly onEnter?: () => void;
  readonly onKeyDown?: (event: KeyboardEvent<HTMLTextAreaElement>) => void;
  readonly onFocus?: () => void;
  readonly onBlur?: (event: FocusEvent<HTMLTextAreaElement>) => void;
}) {
  const id = useId();
  const described = [props.hint === undefined ? "" : `${id}-hint`, props.problem === undefined ? "" : `${id}-problem`].filter((part) => part !== "").join(" ");
  const keys = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    // An open composition ends with its own Enter.
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      if (props.onEnter === undefined) event.currentTarget.form?.requestSubmit();
      else props.onEnter();
      return;
    }
    props.onKeyDown?.(event);
  };
  return (
    <div className={style["field"]}>
      <label htmlFor={id} className={style["label"]}>{props.label}</label>
      <div className={area["grow"]}>
        <textarea
          id={id} rows={1} className={area["area"]} value={props.value} maxLength={props.most} {...PLAIN}
          aria-describedby={described === "" ? undefined : described} aria-invalid={props.problem === undefined ? undefined : true}
          onChange={(event) => props.onChange(event.currentTarget.value)} onKeyDown={keys} onFocus={props.onFocus} onBlur={props.onBlur}
        />
        <div className={area["twin"]} aria-hidden>{`${props.value}\n`}</div>
      </div>
      {props.hint !== undefined && <p id={`${id}-hint`} className={style["hint"]}>{props.hint}</p>}
      {props.problem !== undefined && <p id={`${id}-problem`} className={style["problem"]}>{props.problem}</p>}
    </div>
  );
}
