import { useId, type ReactNode } from "react";
import style from "./PatientPage.module.css";

/** A part of the page under its heading. */
export function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={style["group"]}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}
