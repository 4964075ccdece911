import { Volume2 } from "lucide-react";
import { Help } from "../call/Help";
import { playTone } from "../call/meter";
import { SelfView } from "../call/SelfView";
import type { Session } from "../call/session";
import { useStore } from "../call/store";
import { useLanguage } from "../i18n";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Column } from "../ui/Column";
import { useScreenHeading } from "../ui/focus";
import { Ready } from "./Ready";
import style from "./Waiting.module.css";
import type { SeatHome } from "../wire";

/** Before the door opens. Nothing here names another patient. */
export function Waiting(props: { readonly session: Session; readonly facts: SeatHome }) {
  const { session } = props;
  const { say } = useLanguage();
  const heading = useScreenHeading("waiting");
  const admission = useStore(session.call, (state) => state.admission);
  const line = useStore(session.line.state, (state) => state.kind);
  const before = admission?.state === "waiting" ? admission.before : 0;
  const here = admission?.state === "waiting" && admission.staff_present;
  return (
    <>
      {line === "reconnecting" && <Banner tone="warn">{say("wait.reconnecting")}</Banner>}
      <Column over={<bdi>{props.facts.practice}</bdi>}>
        <h1 ref={heading} tabIndex={-1}>{before === 0 ? say("wait.next") : say("wait.before", { count: before })}</h1>
        <p role="status">{say(here ? "wait.staff_here" : "wait.staff_not_here")} {say("wait.keep")}</p>
        <SelfView session={session} className={style["self"]} />
        <p className={style["note"]}><bdi>{props.facts.name}</bdi>. {say("wait.self")}</p>
        <Button icon={<Volume2 size={24} aria-hidden />} onClick={() => void playTone()}>{say("wait.test")}</Button>
        <Ready />
        <Help phone={props.facts.phone} />
      </Column>
    </>
  );
}
