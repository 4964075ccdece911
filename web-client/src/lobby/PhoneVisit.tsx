/** Before the door of a visit by telephone, or while the pharmacist calls somebody who never came through it. */
import { Help } from "../call/Help";
import { PhoneCard } from "../call/PhoneCard";
import type { Session } from "../call/session";
import { useStore } from "../call/store";
import { useLanguage } from "../i18n";
import { hourIn } from "../plan/hour";
import { Banner } from "../ui/Banner";
import { Column } from "../ui/Column";
import { useScreenHeading } from "../ui/focus";
import type { SeatHome } from "../wire";
import { Ready } from "./Ready";
import style from "./Waiting.module.css";

export function PhoneVisit(props: { readonly session: Session; readonly facts: SeatHome }) {
  const { session, facts } = props;
  const { say } = useLanguage();
  const line = useStore(session.line.state, (state) => state.kind);
  return (
    <>
      {line === "reconnecting" && <Banner tone="warn">{say("wait.reconnecting")}</Banner>}
      <Column over={<bdi>{facts.practice}</bdi>}>
        {facts.role === "patient" ? <PhoneCard session={session} booked={facts.booked} clinic={facts.phone} plan={false} /> : <Beside facts={facts} />}
        <p className={style["note"]}><bdi>{facts.name}</bdi></p>
        <Ready />
        <Help phone={facts.phone} />
      </Column>
    </>
  );
}

/** For a caregiver, who is not the one that is called. */
function Beside({ facts }: { readonly facts: SeatHome }) {
  const { say, language } = useLanguage();
  const heading = useScreenHeading("phone");
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>{say("phone.visit.title")}</h1>
      {facts.booked !== undefined && <p>{say("phone.visit.caregiver", { when: hourIn(facts.booked, language, "plain") })}</p>}
      <p>{say("phone.visit.page")}</p>
    </>
  );
}
