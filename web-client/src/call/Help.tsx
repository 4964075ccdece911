import { Phone } from "lucide-react";
import { useSay } from "../i18n";
import style from "./Help.module.css";

/** The last block of every screen of the patient's side: whom to call. Always in the same place. */
export function Help(props: { readonly phone: string | null }) {
  const say = useSay();
  if (props.phone === null || props.phone === "") return null;
  return (
    <footer className={style["help"]}>
      <p>{say("wait.trouble")} {say("wait.trouble.what")}</p>
      <a className={style["call"]} href={`tel:${props.phone.replace(/[^+\d]/g, "")}`}><Phone size={20} aria-hidden />{say("join.call", { phone: props.phone })}</a>
    </footer>
  );
}
