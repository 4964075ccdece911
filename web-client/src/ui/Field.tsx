import { useId, type ComponentProps, type ReactNode } from "react";
import { classes } from "./classes";
import style from "./Field.module.css";

interface FrameProps {
  readonly label: string;
  /** Said below the field and named by it. */
  readonly hint?: string | undefined;
  /** Stands beside the field when what it holds cannot be used. */
  readonly problem?: string | undefined;
  readonly className?: string | undefined;
}

function Frame({ label, hint, problem, className, children }: FrameProps & { readonly children: (ids: { readonly id: string; readonly "aria-describedby": string | undefined; readonly "aria-invalid": true | undefined }) => ReactNode }) {
  const id = useId();
  const described = [hint === undefined ? null : `${id}-hint`, problem === undefined ? null : `${id}-problem`].filter((part) => part !== null).join(" ");
  return (
    <div className={classes(style["field"], className)}>
      <label htmlFor={id} className={style["label"]}>{label}</label>
      {children({ id, "aria-describedby": described === "" ? undefined : described, "aria-invalid": problem === undefined ? undefined : true })}
      {hint !== undefined && <p id={`${id}-hint`} className={style["hint"]}>{hint}</p>}
      {problem !== undefined && <p id={`${id}-problem`} className={style["problem"]}>{problem}</p>}
    </div>
  );
}

export function Field({ label, hint, problem, className, ...input }: FrameProps & Omit<ComponentProps<"input">, "id" | "className">) {
  return (
    <Frame label={label} hint={hint} problem={problem} className={className}>
      {(ids) => <input {...input} {...ids} className={style["control"]} />}
    </Frame>
  );
}

export function Select({ label, hint, problem, className, children, ...select }: FrameProps & Omit<ComponentProps<"select">, "id" | "className">) {
  return (
    <Frame label={label} hint={hint} problem={problem} className={className}>
      {(ids) => <select {...select} {...ids} className={style["control"]}>{children}</select>}
    </Frame>
  );
}
