/** The next visit, booked in this one: when, with a link for each person and an invitation for calendars. */
import { CalendarPlus, Copy } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { ApiFailure, bookVisit, cancelBooking, invitationPath, moveBooking, readBookings } from "../api";
import { useLanguage } from "../i18n";
import { Button } from "../ui/Button";
import { Chip } from "../ui/Chip";
import { Dialog } from "../ui/Dialog";
import { Field, Select } from "../ui/Field";
import { LINE_MOST, type Booking, type Bookings, type SeatId, type TouchpointFormat } from "../wire";
import { hourIn } from "../plan/hour";
import { useLookAgain } from "../plan/lookAgain";
import type { Proposal } from "../plan/visit";
import { AddressBoxes, looksRight, Mailed, mailOf, typedOf, wrongAddress } from "./Mail";
import style from "./schedule.module.css";

type Shown = { readonly kind: "loading" } | { readonly kind: "away" } | { readonly kind: "known"; readonly bookings: Bookings };

/** IANA zones of US practices; the practice's own comes first. */
const ZONES = ["America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu", "America/Puerto_Rico"];

export function NextVisitButton({ seat }: { readonly seat: SeatId }) {
  const { say } = useLanguage();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button kind="quiet" icon={<CalendarPlus size={18} aria-hidden />} onClick={() => setOpen(true)}>{say("schedule.open")}</Button>
      {open && <Dialog title={say("schedule.title")} sheet onClose={() => setOpen(false)}><NextVisit seat={seat} /></Dialog>}
    </>
  );
}

export function NextVisit({ seat }: { readonly seat: SeatId }) {
  const { say } = useLanguage();
  return (
    <WithBookings seat={seat}>
      {(shown, known) => (
        <section className={style["part"]} aria-label={say("schedule.title")}>
          <p className={style["quiet"]}>{say(shown.mails ? "schedule.what.mails" : "schedule.what")}</p>
          {!shown.mails && <p className={style["quiet"]}>{say("schedule.mail.off")}</p>}
          {shown.bookings.length === 0 && <p>{say("schedule.none")}</p>}
          {shown.bookings.map((booking) => <Booked key={booking.visit} seat={seat} booking={booking} known={known} />)}
          <BookForm seat={seat} bookings={shown} known={known} />
        </section>
      )}
    </WithBookings>
  );
}

/** What is booked, once it is known. */
export function WithBookings({ seat, children }: { readonly seat: SeatId; readonly children: (shown: Bookings, known: (bookings: Bookings) => void) => ReactNode }) {
  const { say } = useLanguage();
  const [shown, setShown] = useState<Shown>({ kind: "loading" });
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let here = true;
    readBookings(seat).then(
      (bookings) => here && setShown({ kind: "known", bookings }),
      () => here && setShown({ kind: "away" }),
    );
    return () => {
      here = false;
    };
  }, [seat, asked]);
  const waits = shown.kind === "known" && shown.bookings.bookings.some((booking) => booking.links.some(({ sent }) => sent?.state === "queued"));
  // What is shown stays until there is something newer.
  const lookAnew = useLookAgain(waits, () => void readBookings(seat).then((bookings) => setShown({ kind: "known", bookings }), () => undefined));
  if (shown.kind === "loading") return <p className={style["quiet"]}>{say("schedule.loading")}</p>;
  if (shown.kind === "away") {
    return (
      <div className={style["part"]}>
        <p>{say("schedule.lost")}</p>
        <div className={style["tools"]}><Button onClick={() => setAsked((count) => count + 1)}>{say("schedule.again")}</Button></div>
      </div>
    );
  }
  return children(shown.bookings, (bookings) => {
    lookAnew();
    setShown({ kind: "known", bookings });
  });
}

interface Known {
  readonly seat: SeatId;
  readonly known: (bookings: Bookings) => void;
}

/** A booked visit with its links and its invitation; moved and cancelled from here. */
export function Booked({ seat, booking, known, seen }: Known & { readonly booking: Booking; readonly seen?: number | undefined }) {
  const { say, g, language } = useLanguage();
  // Of a follow-up whose hour is over, another hour is what is looked for.
  const [doing, setDoing] = useState<"nothing" | "moving" | "cancelling">(() => (seen !== undefined && booking.starts_ms < Date.now() ? "moving" : "nothing"));
  const [failed, setFailed] = useState<ReturnType<typeof problemOf> | null>(null);
  const cancel = () => cancelBooking(seat, booking.visit).then(known, (failure: unknown) => setFailed(problemOf(failure)));
  // Links of the patient's side are handed on by who booked the visit or comes to it.
  const elsewhere = booking.links.every(({ path }) => path === undefined) && booking.links.some(({ role }) => role === "patient" || role === "caregiver");
  const open = !booking.cancelled && !booking.here;
  const mails = booking.links.some(({ mail }) => mail !== undefined);
  return (
    <div className={style["booking"]}>
      <p className={style["when"]}>{say("schedule.when", { when: hourIn(booking, language, "long"), minutes: booking.minutes })}</p>
      <p>{say(`schedule.format.${booking.format === "message" ? "video" : booking.format}`)}</p>
      {booking.cancelled && <div><Chip tone="danger">{say("schedule.cancelled")}</Chip></div>}
      {booking.moved && <p>{say(mails ? "schedule.moved.mails" : "schedule.moved")}</p>}
      {booking.here && <p>{say("schedule.here")}</p>}
      {elsewhere && !booking.cancelled && <p>{say("schedule.elsewhere", { names: g.list(booking.links.map(({ name }) => name)) })}</p>}
      <Mailed seat={seat} booking={booking} known={known} />
      {!elsewhere && !booking.cancelled && booking.links.length > 0 && <div className={style["tools"]}>{booking.links.map((link) => link.path === undefined
        ? <p key={`${link.role} ${link.name}`}>{say("schedule.own", { name: link.name })}</p>
        : <CopyLink key={link.path} name={link.name} path={link.path} />)}</div>}
      <a className={style["file"]} href={invitationPath(seat, booking.visit, language)} download="visit.ics">
        {say(booking.cancelled ? "schedule.withdrawal" : "schedule.invitation")}
      </a>
      {open && doing === "nothing" && (
        <div className={style["tools"]}>
          <Button onClick={() => setDoing("moving")}>{say("schedule.move")}</Button>
          <Button onClick={() => setDoing("cancelling")}>{say("schedule.cancel")}</Button>
        </div>
      )}
      {open && doing === "moving" && <MoveForm seat={seat} booking={booking} known={known} seen={seen} onEnd={() => setDoing("nothing")} />}
      {open && doing === "cancelling" && (
        <div className={style["tools"]}>
          <p>{say("schedule.cancel.sure")}</p>
          <Button kind="danger" onClick={() => void cancel()}>{say("schedule.cancel.yes")}</Button>
          <Button onClick={() => setDoing("nothing")}>{say("schedule.cancel.no")}</Button>
        </div>
      )}
      {failed !== null && <p role="alert" className={style["problem"]}>{say(failed)}</p>}
    </div>
  );
}

function CopyLink({ name, path }: { readonly name: string; readonly path: string }) {
  const { say } = useLanguage();
  const [copied, setCopied] = useState(false);
  const copy = () => navigator.clipboard.writeText(location.origin + path).then(() => setCopied(true), () => setCopied(false));
  return (
    <>
      <Button icon={<Copy size={18} aria-hidden />} onClick={() => void copy()}>{say("schedule.copy", { name })}</Button>
      <span role="status">{copied ? say("schedule.copied") : ""}</span>
    </>
  );
}

interface Hour {
  readonly day: string;
  readonly hour: string;
  readonly zone: string;
  readonly minutes: string;
}

const lengthOf = (minutes: string): number => (/^\d{1,3}$/.test(minutes) ? Number(minutes) : 0);
const hourOk = ({ day, hour, minutes }: Hour): boolean => day !== "" && hour !== "" && lengthOf(minutes) >= 5 && lengthOf(minutes) <= 240;
const wire = ({ day, hour, zone, minutes }: Hour) => ({ starts: `${day}T${hour.slice(0, 5)}`, zone, minutes: lengthOf(minutes) });

function HourBoxes({ value, practice, change }: { readonly value: Hour; readonly practice: string; readonly change: (value: Hour) => void }) {
  const { say } = useLanguage();
  return (
    <>
      <div className={style["boxes"]}>
        <Field label={say("schedule.day")} type="date" value={value.day} onChange={(event) => change({ ...value, day: event.currentTarget.value })} />
        <Field label={say("schedule.hour")} type="time" value={value.hour} onChange={(event) => change({ ...value, hour: event.currentTarget.value })} />
        <Field label={say("schedule.minutes")} inputMode="numeric" maxLength={3} value={value.minutes} onChange={(event) => change({ ...value, minutes: event.currentTarget.value })} />
      </div>
      <Select label={say("schedule.zone")} value={value.zone} onChange={(event) => change({ ...value, zone: event.currentTarget.value })}>
        {[practice, ...ZONES.filter((one) => one !== practice)].map((one) => <option key={one} value={one}>{one.replaceAll("_", " ")}</option>)}
      </Select>
    </>
  );
}

/** What a failed booking is told as. */
function problemOf(failure: unknown): "schedule.mail.wrong" | "schedule.already" | "schedule.running" | "schedule.changed" | "schedule.refused" | "schedule.away" {
  if (!(failure instanceof ApiFailure)) return "schedule.away";
  if (failure.code === "bad_address") return "schedule.mail.wrong";
  if (failure.code === "already_booked") return "schedule.already";
  if (failure.code === "visit_running") return "schedule.running";
  if (failure.status === 409 || failure.status === 404) return "schedule.changed";
  return failure.status === 400 ? "schedule.refused" : "schedule.away";
}

function MoveForm({ seat, booking, known, seen, onEnd }: Known & { readonly booking: Booking; readonly seen: number | undefined; readonly onEnd: () => void }) {
  const { say } = useLanguage();
  const [hour, setHour] = useState<Hour>({ day: "", hour: "", zone: booking.zone, minutes: String(booking.minutes) });
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const move = async () => {
    if (!hourOk(hour)) return setProblem(say("schedule.bad"));
    setBusy(true);
    setProblem(null);
    try {
      known(await moveBooking(seat, booking.visit, { ...wire(hour), note: note.trim(), ...(seen === undefined ? {} : { seen }) }));
    } catch (failure) {
      setProblem(say(problemOf(failure)));
    }
    setBusy(false);
  };
  return (
    <form aria-label={say("schedule.move")} className={style["inner"]} onSubmit={(event) => { event.preventDefault(); if (!busy) void move(); }}>
      <p>{say("schedule.move.what")}</p>
      <HourBoxes value={hour} practice={booking.zone} change={setHour} />
      <Field label={say("schedule.move.note")} maxLength={LINE_MOST} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
      {problem !== null && <p role="alert" className={style["problem"]}>{problem}</p>}
      <div className={style["tools"]}>
        <Button type="submit" kind="primary" aria-disabled={busy}>{say(busy ? "schedule.moving" : "schedule.move.yes")}</Button>
        <Button onClick={onEnd}>{say("schedule.cancel.no")}</Button>
      </div>
    </form>
  );
}

const FORMATS = ["video", "phone", "in_person"] as const satisfies readonly TouchpointFormat[];

export function BookForm({ seat, bookings, known, proposal }: Known & { readonly bookings: Bookings; readonly proposal?: Proposal }) {
  const { say } = useLanguage();
  const [hour, setHour] = useState<Hour>({ day: proposal?.day ?? "", hour: proposal?.hour ?? "", zone: bookings.zone, minutes: "30" });
  const [format, setFormat] = useState<TouchpointFormat>(proposal === undefined || proposal.format === "message" ? "video" : proposal.format);
  const [seats, setSeats] = useState<readonly SeatId[]>(() => chosen(bookings, proposal));
  const [typed, setTyped] = useState(() => typedOf(bookings));
  const [wrong, setWrong] = useState<SeatId | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const book = async () => {
    if (!hourOk(hour)) return setProblem(say("schedule.bad"));
    if (seats.length === 0) return setProblem(say("schedule.nobody"));
    const mistyped = seats.find((one) => !looksRight(typed[one]?.address ?? ""));
    setWrong(mistyped ?? null);
    if (mistyped !== undefined) return setProblem(say("schedule.mail.wrong"));
    setBusy(true);
    setProblem(null);
    try {
      known(await bookVisit(seat, {
        ...wire(hour), format, seats: [...seats], ...(bookings.mails ? { mail: mailOf(bookings.people, seats, typed) } : {}), ...(proposal === undefined ? {} : { touchpoint: proposal.row, seen: proposal.seen }),
      }));
      setHour({ ...hour, day: "", hour: "" });
    } catch (failure) {
      setWrong(wrongAddress(failure));
      setProblem(say(problemOf(failure)));
    }
    setBusy(false);
  };
  return (
    <form aria-label={say("schedule.book")} className={style["form"]} onSubmit={(event) => { event.preventDefault(); if (!busy) void book(); }}>
      <HourBoxes value={hour} practice={bookings.zone} change={setHour} />
      <Select label={say("schedule.format")} value={format} onChange={(event) => setFormat(FORMATS.find((one) => one === event.currentTarget.value) ?? "video")}>
        {FORMATS.map((one) => <option key={one} value={one}>{say(`schedule.format.${one}`)}</option>)}
      </Select>
      <fieldset className={style["people"]}>
        <legend>{say("schedule.people")}</legend>
        {bookings.people.map((one) => (
          <div key={one.seat} className={style["comes"]}>
            <label className={style["person"]}>
              <input
                type="checkbox" checked={seats.includes(one.seat)}
                onChange={(event) => setSeats(event.currentTarget.checked ? [...seats, one.seat] : seats.filter((other) => other !== one.seat))}
              />
              <span>{one.name}, {say(`role.${one.role}`)}</span>
            </label>
            {seats.includes(one.seat) && (
              <AddressBoxes person={one} typed={typed[one.seat]} wrong={wrong === one.seat} change={(said) => setTyped({ ...typed, [one.seat]: said })} />
            )}
          </div>
        ))}
      </fieldset>
      {problem !== null && <p role="alert" className={style["problem"]}>{problem}</p>}
      <div className={style["tools"]}><Button type="submit" kind="primary" aria-disabled={busy}>{say(busy ? "schedule.booking" : "schedule.book")}</Button></div>
    </form>
  );
}

/** The members of the touchpoint, as far as they sit in this visit; without any, everybody. */
function chosen({ people }: Bookings, proposal: Proposal | undefined): readonly SeatId[] {
  const members = people.filter((one) => proposal?.members.includes(one.role));
  return (members.length === 0 ? people : members).map((one) => one.seat);
}
