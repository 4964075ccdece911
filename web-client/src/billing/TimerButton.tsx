/** The pharmacist's clock during the call: counted time, where more begins, and the way to the sheet. */
import { Timer as Clock } from "lucide-react";
import { useEffect, useState } from "react";
import { visitTimer } from "../api";
import { useLanguage } from "../i18n";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import type { Role, SeatId, Timer } from "../wire";
import { SheetPage } from "./SheetPage";
import { counted, length } from "./time";
import style from "./billing.module.css";

/** How often the server's count is taken over. Shorter notices a drop sooner; in between the clock goes on by itself. */
const ASK_MS = 5_000;
const TICK_MS = 1_000;

export function TimerButton({ seat, role }: { readonly seat: SeatId; readonly role: Role }) {
  const { say } = useLanguage();
  const [open, setOpen] = useState(false);
  const shown = useTimer(seat, role === "pharmacist");
  return (
    <>
      <Button kind="quiet" icon={<Clock size={18} aria-hidden />} onClick={() => setOpen(true)}>
        {shown === null ? say("billing.open") : (
          <span className={style["timer"]}>
            <span>{say("billing.timer")} <b>{length(shown.seconds)}</b></span>
            {!shown.timer.running && <span>{say("billing.timer.paused")}</span>}
            {shown.timer.next_threshold_s !== undefined && <span className={style["next"]}>{say("billing.timer.next", { at: length(shown.timer.next_threshold_s) })}</span>}
          </span>
        )}
      </Button>
      {open && <Dialog title={say("billing.title")} sheet onClose={() => setOpen(false)}><SheetPage seat={seat} /></Dialog>}
    </>
  );
}

function useTimer(seat: SeatId, wanted: boolean): { readonly timer: Timer; readonly seconds: number } | null {
  const [answer, setAnswer] = useState<{ readonly timer: Timer; readonly at: DOMHighResTimeStamp } | null>(null);
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    if (!wanted) return undefined;
    let here = true;
    // Without an answer the last one goes stale: a clock that may be wrong is not shown.
    const ask = () => visitTimer(seat).then(
      (timer) => here && setAnswer({ timer, at: performance.now() }),
      () => here && setAnswer(null),
    );
    void ask();
    const asking = setInterval(() => void ask(), ASK_MS);
    const ticking = setInterval(() => setNow(performance.now()), TICK_MS);
    return () => {
      here = false;
      clearInterval(asking);
      clearInterval(ticking);
    };
  }, [seat, wanted]);
  return answer === null ? null : { timer: answer.timer, seconds: counted(answer.timer, now - answer.at) };
}
