/** What became of a mail, in words. */
import { CircleAlert, CircleCheck, Clock } from "lucide-react";
import { useLanguage } from "../i18n";
import type { MailState } from "../wire";
import style from "./MailWords.module.css";

/** `otherwise`: what is said where no mail was made. */
export function MailWords({ sent, otherwise }: { readonly sent: MailState | undefined; readonly otherwise: string }) {
  const { say } = useLanguage();
  if (sent === undefined) return <p className={style["state"]}><CircleAlert size={20} aria-hidden />{otherwise}</p>;
  switch (sent.state) {
    case "queued": return <p className={style["state"]}><Clock size={20} aria-hidden />{say("schedule.mail.queued")}</p>;
    case "trying": return <p className={style["state"]}><Clock size={20} aria-hidden />{say(`schedule.mail.why.${sent.why}`)} {say("schedule.mail.trying", { at: sent.next_ms })}</p>;
    case "sent": return <p className={style["state"]}><CircleCheck size={20} aria-hidden />{say("schedule.mail.sent", { at: sent.at_ms })}</p>;
    case "failed": return <p className={style["failed"]}><CircleAlert size={20} aria-hidden />{say("schedule.mail.failed")} {say(`schedule.mail.why.${sent.why}`)}{sent.code !== undefined && ` (${sent.code})`}</p>;
    default: return sent satisfies never;
  }
}
