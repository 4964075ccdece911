/** After the visit: what the patient takes home; for staff also whether anything they typed has not arrived. */
import { CircleCheck, Printer, TriangleAlert } from "lucide-react";
import { useEffect, useState } from "react";
import { useLanguage, type Language } from "../i18n";
import { fetchPage, type Taken } from "../plan/page";
import { openRecords, unsettled } from "../plan/registry";
import { useSlice } from "../plan/store";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import type { Role, SeatId } from "../wire";
import { Export } from "./Export";
import { HaveRead } from "./HaveRead";
import { MedicarePaper } from "./MedicarePaper";
import { Paper } from "./Paper";
import style from "./EndPage.module.css";

/** Who takes the page home. */
const HOME: readonly Role[] = ["patient", "caregiver"];
/** How often it is looked whether the last edits have arrived: the line may still be closing. */
const LOOK_MS = 1_000;

/** `readsOnly`: the visit is long over, and a mailed link leads here. */
export function EndPage({ seat, role, language, readsOnly }: { readonly seat: SeatId; readonly role: Role; readonly language: Language; readonly readsOnly: boolean }) {
  const { say, g } = useLanguage();
  const home = HOME.includes(role);
  const [asked, setAsked] = useState(0);
  const [medicare, setMedicare] = useState(false);
  const asking = `${seat} ${language} ${asked}`;
  const [answer, setAnswer] = useState<{ readonly to: string; readonly taken: Taken } | null>(null);
  // The answer to an older question is no answer.
  const taken = answer?.to === asking ? answer.taken : null;
  useEffect(() => {
    let current = true;
    void fetchPage(seat, language).then((got) => {
      if (current) setAnswer({ to: asking, taken: got });
    });
    return () => {
      current = false;
    };
  }, [seat, language, asking]);
  return (
    <div className={style["end"]}>
      {!home && !readsOnly && <Unsent />}
      {taken === null && <p className={style["quiet"]}>{say("takeaway.loading")}</p>}
      {taken?.kind === "nothing" && (
        <div className={style["state"]}>
          <p className={style["strong"]}>{say("takeaway.nothing")}</p>
          {home && <p>{say("takeaway.nothing.what")}</p>}
        </div>
      )}
      {taken?.kind === "away" && (
        <div className={style["state"]}>
          <p className={style["strong"]}>{say("takeaway.away")}</p>
          <p>{say("takeaway.away.what")}</p>
          <Button onClick={() => setAsked((count) => count + 1)}>{say("takeaway.again")}</Button>
        </div>
      )}
      {taken?.kind === "page" && (
        <>
          {!home && <p className={style["quiet"]}>{say("takeaway.staff.page")}</p>}
          <div className={style["tools"]}>
            <Button icon={<Printer size={24} aria-hidden />} onClick={() => window.print()}>{say("takeaway.print")}</Button>
            {taken.page.letter !== undefined && (
              <Button kind="quiet" onClick={() => setMedicare(!medicare)}>{say(medicare ? "takeaway.medicare.back" : "takeaway.medicare")}</Button>
            )}
            {home && <p className={style["quiet"]}>{say("takeaway.keep")}</p>}
            {!home && taken.page.letter?.due_by !== undefined && <p className={style["quiet"]}>{say("takeaway.medicare.due", { day: g.date(taken.page.letter.due_by) })}</p>}
          </div>
          {medicare && taken.page.letter !== undefined ? <MedicarePaper page={taken.page} letter={taken.page.letter} /> : <Paper page={taken.page} />}
        </>
      )}
      {role === "pcp" && taken?.kind === "page" && <HaveRead seat={seat} />}
      {!readsOnly && <Export seat={seat} role={role} />}
    </div>
  );
}

function Unsent() {
  const { say } = useLanguage();
  useSlice(openRecords, (open) => open.size);
  const [count, setCount] = useState(unsettled);
  useEffect(() => {
    const timer = setInterval(() => setCount(unsettled()), LOOK_MS);
    return () => clearInterval(timer);
  }, []);
  return count === 0
    ? <Banner tone="ok" icon={<CircleCheck size={20} aria-hidden />}>{say("takeaway.staff.saved")}</Banner>
    : <Banner tone="danger" icon={<TriangleAlert size={20} aria-hidden />}>{say("takeaway.staff.unsent", { count })} {say("takeaway.staff.unsent.what")}</Banner>;
}
