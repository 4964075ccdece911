/** The visit that goes on by telephone, on the screen of whoever calls and of everybody beside it. */
import { Phone as PhoneIcon, PhoneCall } from "lucide-react";
import { useEffect, useState } from "react";
import { telephoneNumber } from "../api";
import { useLanguage, useSay } from "../i18n";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import type { SeatId, TelephoneNumber, TelephoneStep } from "../wire";
import type { Session } from "./session";
import { useStore } from "./store";
import { dial, phoneOf, type Phone } from "./telephone";
import style from "./Telephone.module.css";

/** How the telephone stands, drawn again only when that changes. */
function useTelephone(session: Session): Phone {
  const self = useStore(session.call, (state) => state.self);
  const seats = useStore(session.call, (state) => state.seats);
  const telephone = useStore(session.call, (state) => state.telephone);
  return phoneOf({ self, seats, telephone });
}

const useMay = (session: Session) => useStore(session.call, (state) => state.self?.may.includes("telephone") === true);

/** Stays while the visit goes on by telephone, and while that is the thing to do. `booked`: it was agreed to be by telephone. */
export function TelephoneBanner(props: { readonly session: Session; readonly booked?: boolean }) {
  const { session } = props;
  const { say, g } = useLanguage();
  const phone = useTelephone(session);
  const may = useMay(session);
  const [asking, setAsking] = useState(false);
  const give = (step: TelephoneStep) => session.do({ kind: "telephone", step });
  if (phone.kind === "on") {
    const since = g.time(phone.on.since_ms);
    const said = phone.own || phone.by === undefined ? say("phone.on", { since }) : say("phone.on.by", { name: phone.by.name, since });
    return (
      <Banner tone="info" icon={<PhoneCall size={20} aria-hidden />} action={may && <Tools back={phone.back} give={give} />}>
        {said}. {may && phone.back && say("phone.back.ready")}
        {phone.own && <> <NumberLink seat={session.seat} /></>}
      </Banner>
    );
  }
  if (!may) return null;
  if (props.booked === true) {
    return (
      <Banner tone="info" icon={<PhoneIcon size={20} aria-hidden />} action={<Button kind="primary" onClick={() => give("begin")}>{say("phone.booked.begin")}</Button>}>
        {say("phone.booked")} <NumberLink seat={session.seat} />
      </Banner>
    );
  }
  return (
    <>
      {phone.kind === "offered" && (
        <Banner tone="warn" icon={<PhoneIcon size={20} aria-hidden />} action={<Button kind="primary" onClick={() => setAsking(true)}>{say("phone.offer.go")}</Button>}>
          {say("phone.offer", { name: phone.patient.name })}
        </Banner>
      )}
      {asking && <TelephoneDialog session={session} onClose={() => setAsking(false)} />}
    </>
  );
}

/** For a caregiver beside it. */
export function TelephoneBeside(props: { readonly session: Session }) {
  const say = useSay();
  const on = useStore(props.session.call, (state) => state.telephone !== null);
  return on ? <Banner tone="info" icon={<PhoneCall size={20} aria-hidden />}>{say("phone.others")}</Banner> : null;
}

function Tools(props: { readonly back: boolean; readonly give: (step: TelephoneStep) => void }) {
  const say = useSay();
  return (
    <span className={style["tools"]}>
      {props.back && <Button onClick={() => props.give("back_to_video")}>{say("phone.back")}</Button>}
      <Button onClick={() => props.give("over")}>{say("phone.over")}</Button>
    </span>
  );
}

/** Asks whether, with the number; or, while it goes on, how it ends. */
export function TelephoneDialog(props: { readonly session: Session; readonly onClose: () => void }) {
  const { session, onClose } = props;
  const { say, g } = useLanguage();
  const phone = useTelephone(session);
  const give = (step: TelephoneStep) => {
    onClose();
    session.do({ kind: "telephone", step });
  };
  if (phone.kind === "on") {
    return (
      <Dialog title={say("phone.on", { since: g.time(phone.on.since_ms) })} onClose={onClose} actions={<Tools back={phone.back} give={give} />}>
        <Number seat={session.seat} />
        <p>{say(phone.back ? "phone.back.ready" : "phone.back.not_yet")}</p>
        <p>{say("phone.no_answer")}</p>
      </Dialog>
    );
  }
  return (
    <Dialog
      title={say("phone.title")}
      onClose={onClose}
      actions={(
        <>
          <Button onClick={onClose}>{say("phone.not_now")}</Button>
          <Button kind="primary" icon={<PhoneCall size={20} aria-hidden />} onClick={() => give("begin")}>{say("phone.begin")}</Button>
        </>
      )}
    >
      <Number seat={session.seat} />
      <p>{say("phone.what")}</p>
    </Dialog>
  );
}

function Number(props: { readonly seat: SeatId }) {
  const say = useSay();
  const found = useNumber(props.seat);
  return (
    <div className={style["number"]}>
      <p>{say("phone.number")}</p>
      {found === "asking" && <p>{say("phone.number.loading")}</p>}
      {found === "away" && <p role="alert">{say("phone.number.away")}</p>}
      {typeof found === "object" && found.number === undefined && <p>{say("phone.number.none")}</p>}
      {typeof found === "object" && found.number !== undefined && (
        <p>
          <a className={style["dial"]} href={dial(found.number)}><PhoneIcon size={20} aria-hidden />{found.number}</a>
          {found.source !== undefined && <span className={style["source"]}>{say(`phone.number.${found.source}`)}</span>}
        </p>
      )}
    </div>
  );
}

function NumberLink(props: { readonly seat: SeatId }) {
  const say = useSay();
  const found = useNumber(props.seat);
  if (typeof found !== "object" || found.number === undefined) return null;
  return <a className={style["dial"]} href={dial(found.number)}>{say("phone.call", { number: found.number })}</a>;
}

/** Asked for when it is to be shown, and kept nowhere. */
export function useNumber(seat: SeatId): TelephoneNumber | "asking" | "away" {
  const [found, setFound] = useState<TelephoneNumber | "asking" | "away">("asking");
  useEffect(() => {
    let here = true;
    telephoneNumber(seat).then(
      (number) => here && setFound(number),
      () => here && setFound("away"),
    );
    return () => {
      here = false;
    };
  }, [seat]);
  return found;
}
