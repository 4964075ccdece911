import { TriangleAlert } from "lucide-react";
import { useLanguage } from "../i18n";
import style from "./PatientPage.module.css";

/** In place of a value two people disagree about: nobody should act on one of two doses. */
export function Undecided() {
  const { say } = useLanguage();
  return (
    <div className={style["undecided"]}>
      <p><TriangleAlert size={24} aria-hidden /><strong>{say("patient.undecided")}</strong></p>
      <p>{say("patient.undecided.what")}</p>
    </div>
  );
}
