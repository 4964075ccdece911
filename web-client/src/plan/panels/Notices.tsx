/** Who is told by email that the plan is signed, and what became of it. */
import { Mail } from "lucide-react";
import { useEffect, useState } from "react";
import { mailNotice, readNotices } from "../../api";
import { useLanguage } from "../../i18n";
import { Button } from "../../ui/Button";
import type { Noticed, Notices as Told } from "../../wire";
import editor from "../Editor.module.css";
import { MailWords } from "../MailWords";
import { useScene } from "../context";
import { useLookAgain } from "../lookAgain";
import panel from "./panels.module.css";

export function Notices({ version, shared }: { readonly version: number; readonly shared: boolean }) {
  const { say } = useLanguage();
  const { seat } = useScene();
  const [told, setTold] = useState<Told | null>(null);
  const [problem, setProblem] = useState(false);
  const waits = told?.people.some(({ sent }) => sent?.state === "queued") === true;
  const lookAnew = useLookAgain(waits, () => void readNotices(seat).then(setTold, () => undefined));
  useEffect(() => {
    let here = true;
    // What stands there is asked for again when another version is signed, or it is shared.
    readNotices(seat).then((now) => here && setTold(now), () => undefined);
    return () => {
      here = false;
    };
  }, [seat, version, shared]);
  if (told === null || told.people.length === 0) return null;
  if (!told.mails) return <p className={editor["hint"]}>{say("plan.notice.off")}</p>;
  const again = async (to: Noticed) => {
    setProblem(false);
    try {
      setTold(await mailNotice(seat, to.seat));
      lookAnew();
    } catch {
      setProblem(true);
    }
  };
  return (
    <div className={panel["told"]}>
      <h5 className={panel["title"]}>{say("plan.notices")}</h5>
      <ul className={panel["notices"]}>
        {told.people.map((one) => <Line key={one.seat} one={one} shared={told.shared} onAgain={() => void again(one)} />)}
      </ul>
      {problem && <p role="alert" className={editor["refusal"]}>{say("schedule.mail.away")}</p>}
    </div>
  );
}

function Line({ one, shared, onAgain }: { readonly one: Noticed; readonly shared: boolean; readonly onAgain: () => void }) {
  const { say } = useLanguage();
  const { name, role, reached, sent } = one;
  const kept = !shared && role !== "pcp";
  return (
    <li>
      <p><strong>{name}</strong>, {say(`role.${role}`)}</p>
      <MailWords sent={sent} otherwise={say(!reached ? "plan.notice.nowhere" : kept ? "plan.notice.not_shared" : "schedule.mail.none")} />
      {reached && !kept && (
        <Button icon={<Mail size={18} aria-hidden />} onClick={onAgain}>{say(sent === undefined ? "schedule.mail.send" : "schedule.mail.again", { name })}</Button>
      )}
    </li>
  );
}
