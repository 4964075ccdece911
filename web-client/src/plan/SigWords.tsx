/** A sig for staff: what its writer wrote, and below it what the structure says. Either may be what is wrong. */
import { useLanguage } from "../i18n";
import type { Sig } from "../wire";
import { composeSig } from "./words";
import style from "./Editor.module.css";

export function SigWords({ sig }: { readonly sig: Sig }) {
  const { say } = useLanguage();
  const structure = composeSig(sig, say);
  return (
    <>
      {sig.text}
      {structure !== "" && structure !== sig.text && <span className={style["second"]}>{structure}</span>}
    </>
  );
}
