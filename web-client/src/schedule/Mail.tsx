/** Mails about a booked visit: to whom, what became of them, and once more. */
import { Mail } from "lucide-react";
import { useState } from "react";
import { ApiFailure, mailAgain } from "../api";
import { useLanguage } from "../i18n";
import { Button } from "../ui/Button";
import { Field, Select } from "../ui/Field";
import { MailWords } from "../plan/MailWords";
import type { BookedLink, Booking, Bookings, Invitable, Language, MailTo, SeatId } from "../wire";
import style from "./schedule.module.css";

/** What is typed of one person's address. */
export interface Typed {
  readonly address: string;
  readonly language: Language;
}

export type TypedMail = Readonly<Record<SeatId, Typed>>;

const LANGUAGES = ["en", "es"] as const satisfies readonly Language[];

/** Characters of an address: the server takes no more. */
const LONGEST = 254;

export function typedOf({ people }: Bookings): TypedMail {
  return Object.fromEntries(people.flatMap(({ seat, mail }) => (mail === undefined ? [] : [[seat, { address: mail.address, language: mail.language }]])));
}

/** What is sent along with a booking: of those who come, as far as this seat may say it. */
export function mailOf(people: readonly Invitable[], seats: readonly SeatId[], typed: TypedMail): MailTo[] {
  return people.flatMap(({ seat, mail }) => {
    const said = typed[seat];
    return mail?.may_set !== true || said === undefined || !seats.includes(seat) ? [] : [{ seat, address: said.address.trim(), language: said.language }];
  });
}

/** Whether something may be an address: what is plainly none is told without asking the server, which has the last word. */
export function looksRight(address: string): boolean {
  const text = address.trim();
  return text === "" || /^[^\s@<>,;:"()[\]\\]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(text);
}

/** Whose address is wrong, if that is why something failed. */
export function wrongAddress(failure: unknown): SeatId | null {
  return failure instanceof ApiFailure && failure.code === "bad_address" ? failure.seat : null;
}

/** Where one person gets mail, as they are chosen. */
export function AddressBoxes({ person, typed, wrong, change }: { readonly person: Pick<Invitable, "name" | "mail">; readonly typed: Typed | undefined; readonly wrong: boolean; readonly change: (typed: Typed) => void }) {
  const { say } = useLanguage();
  const { name, mail } = person;
  if (mail === undefined || typed === undefined) return null;
  if (!mail.may_set) {
    return <p className={style["quiet"]}>{mail.address === "" ? say("schedule.mail.theirs", { name }) : say("schedule.mail.known", { address: mail.address })}</p>;
  }
  return (
    <div className={style["boxes"]}>
      <Field
        label={say("schedule.mail.address", { name })} type="text" inputMode="email" autoComplete="off" autoCapitalize="none" spellCheck={false} maxLength={LONGEST}
        value={typed.address} problem={wrong ? say("schedule.mail.wrong") : undefined}
        onChange={(event) => change({ ...typed, address: event.currentTarget.value })}
      />
      {typed.address.trim() !== "" && (
        <Select label={say("schedule.mail.language")} value={typed.language} onChange={(event) => change({ ...typed, language: LANGUAGES.find((one) => one === event.currentTarget.value) ?? "en" })}>
          {LANGUAGES.map((one) => <option key={one} value={one}>{say(`schedule.mail.language.${one}`)}</option>)}
        </Select>
      )}
    </div>
  );
}

/** Everybody of a booked visit, and what became of the mail to them. */
export function Mailed({ seat, booking, known }: { readonly seat: SeatId; readonly booking: Booking; readonly known: (bookings: Bookings) => void }) {
  const { say } = useLanguage();
  const reached = booking.links.filter((link) => link.mail !== undefined);
  if (reached.length === 0) return null;
  return (
    <ul className={style["mailed"]} aria-label={say("schedule.mail.title")}>
      {reached.map((link) => <Line key={link.seat} seat={seat} booking={booking} link={link} known={known} />)}
    </ul>
  );
}

function Line({ seat, booking, link, known }: { readonly seat: SeatId; readonly booking: Booking; readonly link: BookedLink; readonly known: (bookings: Bookings) => void }) {
  const { say } = useLanguage();
  const [again, setAgain] = useState(false);
  const [typed, setTyped] = useState<Typed>({ address: link.mail?.address ?? "", language: link.mail?.language ?? "en" });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<"wrong" | "failed" | null>(null);
  const { name, mail, sent } = link;
  if (mail === undefined) return null;
  const shutOut = sent?.state === "failed" && sent.why === "shut_out";
  const nowhere = mail.address === "" && !mail.may_set;
  const send = async () => {
    if (!looksRight(typed.address)) return setProblem("wrong");
    setBusy(true);
    setProblem(null);
    try {
      known(await mailAgain(seat, booking.visit, { seat: link.seat, ...(mail.may_set ? { address: typed.address.trim(), language: typed.language } : {}) }));
      setAgain(false);
    } catch (failure) {
      setProblem(wrongAddress(failure) === null ? "failed" : "wrong");
    }
    setBusy(false);
  };
  return (
    <li className={style["mailedTo"]}>
      <p><strong>{name}</strong>{mail.address !== "" && <>{" "}<span className={style["address"]}>{mail.address}</span></>}</p>
      <MailWords sent={sent} otherwise={nowhere ? say("schedule.mail.theirs", { name }) : say(mail.address === "" ? "schedule.mail.nowhere" : "schedule.mail.none")} />
      {!shutOut && !nowhere && !again && (
        <div className={style["tools"]}>
          <Button icon={<Mail size={18} aria-hidden />} aria-disabled={busy} onClick={() => (mail.may_set ? setAgain(true) : busy ? undefined : void send())}>
            {say(sent === undefined ? "schedule.mail.send" : "schedule.mail.again", { name })}
          </Button>
        </div>
      )}
      {again && (
        <form className={style["inner"]} noValidate aria-label={say("schedule.mail.again", { name })} onSubmit={(event) => { event.preventDefault(); if (!busy) void send(); }}>
          <AddressBoxes person={link} typed={typed} wrong={problem === "wrong"} change={setTyped} />
          <div className={style["tools"]}>
            <Button type="submit" kind="primary" aria-disabled={busy || typed.address.trim() === ""}>{say(busy ? "schedule.mail.sending" : "schedule.mail.yes")}</Button>
            <Button onClick={() => setAgain(false)}>{say("schedule.mail.no")}</Button>
          </div>
        </form>
      )}
      {problem === "failed" && <p role="alert" className={style["problem"]}>{say("schedule.mail.away")}</p>}
    </li>
  );
}
