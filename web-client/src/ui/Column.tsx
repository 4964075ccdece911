import { useId, type ReactNode } from "react";
import { useLanguage } from "../i18n";
import style from "./Column.module.css";

/** One column of at most 560 px, with the language choice at its top: every screen before and after the call. */
export function Column(props: { readonly children: ReactNode; readonly over?: ReactNode }) {
  return (
    <>
      <header className={style["header"]}>
        <span className={style["over"]}>{props.over}</span>
        <LanguageChoice />
      </header>
      <main className={style["column"]}>{props.children}</main>
    </>
  );
}

function LanguageChoice() {
  const { language, choose, say } = useLanguage();
  const id = useId();
  return (
    <>
      <label htmlFor={id} className="unseen">{say("ui.language")}</label>
      <select id={id} value={language} className={style["language"]} onChange={(event) => choose(event.target.value === "es" ? "es" : "en")}>
        <option value="en" lang="en">English</option>
        <option value="es" lang="es">Español</option>
      </select>
    </>
  );
}
