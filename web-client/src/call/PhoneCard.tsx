/** What the patient reads while the visit goes on by telephone, or before it does so as agreed. */
import { Phone, PhoneCall } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { useLanguage } from "../i18n";
import { hourIn } from "../plan/hour";
import { useScreenHeading } from "../ui/focus";
import type { BookedFor, SeatId } from "../wire";
import style from "./PhoneCard.module.css";
import type { Session } from "./session";
import { useStore } from "./store";
import { dial } from "./telephone";
import { useNumber } from "./Telephone";

export function PhoneCard(props: { readonly session: Session; readonly booked: BookedFor | undefined; /** Whom to call when the number is wrong. */ readonly clinic: string; /** Whether the own plan stands below. */ readonly plan: boolean }) {
  const { session, booked } = props;
  const { say, language } = useLanguage();
  const on = useStore(session.call, (state) => state.telephone);
  const by = useStore(session.call, (state) => state.seats.find((seat) => seat.seat === state.telephone?.by)?.name);
  const title = (
    <>
      {on === null ? <Phone size={28} aria-hidden /> : <PhoneCall size={28} aria-hidden />}
      <span>{on === null ? say("phone.visit.title") : say("phone.patient.title")}</span>
    </>
  );
  return (
    <section className={style["card"]}>
      {props.plan ? <h2 className={style["title"]}>{title}</h2> : <ScreenTitle screen={on === null ? "phone" : "phone on"}>{title}</ScreenTitle>}
      {on !== null
        ? <Now key={on.since_ms} by={by} />
        : <p className={style["now"]}>{booked === undefined ? say("phone.visit.soon") : say("phone.visit.when", { when: hourIn(booked, language, "plain") })}</p>}
      <Called seat={session.seat} clinic={props.clinic} />
      {on === null && <p>{say("phone.visit.what")}</p>}
      <p>{say(on === null ? "phone.visit.page" : props.plan ? "phone.patient.stay" : "phone.patient.keep")}</p>
    </section>
  );
}

/** Nobody here knows when a telephone is picked up. Nobody lets it ring for longer than this. */
const RINGS_MS = 120_000;

function Now(props: { readonly by: string | undefined }) {
  const { say } = useLanguage();
  const [rings, setRings] = useState(true);
  useEffect(() => {
    const timer = setTimeout(() => setRings(false), RINGS_MS);
    return () => clearTimeout(timer);
  }, []);
  const { by } = props;
  const words = rings
    ? by === undefined ? say("phone.patient.now.nobody") : say("phone.patient.now", { name: by })
    : by === undefined ? say("phone.patient.with.nobody") : say("phone.patient.with", { name: by });
  return <p className={style["now"]}>{words}</p>;
}

/** On a screen of its own it takes the focus; beside a plan, in which somebody may be typing, nothing does. */
function ScreenTitle(props: { readonly screen: string; readonly children: ReactNode }) {
  const heading = useScreenHeading(props.screen);
  return <h1 ref={heading} tabIndex={-1} className={style["title"]}>{props.children}</h1>;
}

/** By its last digits one knows the own telephone; somebody else who holds the link learns nothing. */
function Called(props: { readonly seat: SeatId; readonly clinic: string }) {
  const { say } = useLanguage();
  const found = useNumber(props.seat);
  const digits = typeof found === "object" ? found.ends_in : undefined;
  if (digits === undefined || digits === "") return null;
  return (
    <p>
      {say("phone.patient.number", { digits })}
      {props.clinic !== "" && <> {say("phone.visit.wrong")} <a href={dial(props.clinic)}>{say("join.call", { phone: props.clinic })}</a></>}
    </p>
  );
}
