/** The next visit, booked in this one: when, with a link for each person and an invitation for calendars. */
import { CalendarPlus, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { ApiFailure, bookVisit, cancelBooking, invitationPath, readBookings } from "../api";
import { useLanguage, type Language } from "../i18n";
import { Button } from "../ui/Button";
import { Chip } from "../ui/Chip";
import { Dialog } from "../ui/Dialog";
import { Field, Select } from "../ui/Field";
import type { Booking, Bookings, SeatId } from "../wire";
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
  if (shown.kind === "loading") return <p className={style["quiet"]}>{say("schedule.loading")}</p>;
  if (shown.kind === "away") {
    return (
      <div className={style["part"]}>
        <p>{say("schedule.lost")}</p>
        <div className={style["tools"]}><Button onClick={() => setAsked((count) => count + 1)}>{say("schedule.again")}</Button></div>
      </div>
    );
  }
  const known = (bookings: Bookings) => setShown({ kind: "known", bookings });
  return (
    <section className={style["part"]} aria-label={say("schedule.title")}>
      <p className={style["quiet"]}>{say("schedule.what")}</p>
      {shown.bookings.bookings.length === 0 && <p>{say("schedule.none")}</p>}
      {shown.bookings.bookings.map((booking) => <Booked key={booking.visit} seat={seat} booking={booking} known={known} />)}
      <BookForm seat={seat} zone={shown.bookings.zone} known={known} />
    </section>
  );
}

function moment(booking: Booking, language: Language): string {
  return new Intl.DateTimeFormat(language === "es" ? "es-US" : "en-US", {
    timeZone: booking.zone, weekday: "long", year: "numeric", month: "long", day: "numeric", hour: "numeric", minute: "2-digit", timeZoneName: "short",
  }).format(booking.starts_ms);
}

function Booked({ seat, booking, known }: { readonly seat: SeatId; readonly booking: Booking; readonly known: (bookings: Bookings) => void }) {
  const { say, language } = useLanguage();
  const [asking, setAsking] = useState(false);
  const [failed, setFailed] = useState(false);
  const cancel = () => cancelBooking(seat, booking.visit).then(known, () => setFailed(true));
  return (
    <div className={style["booking"]}>
      <p className={style["when"]}>{say("schedule.when", { when: moment(booking, language), minutes: booking.minutes })}</p>
      {booking.cancelled && <div><Chip tone="danger">{say("schedule.cancelled")}</Chip></div>}
      {booking.links.length > 0 && <div className={style["tools"]}>{booking.links.map((link) => link.path === undefined
        ? <p key={`${link.role} ${link.name}`}>{say("schedule.own", { name: link.name })}</p>
        : <CopyLink key={link.path} name={link.name} path={link.path} />)}</div>}
      <a className={style["file"]} href={invitationPath(seat, booking.visit, language)} download="visit.ics">
        {say(booking.cancelled ? "schedule.withdrawal" : "schedule.invitation")}
      </a>
      {!booking.cancelled && !asking && <div className={style["tools"]}><Button onClick={() => setAsking(true)}>{say("schedule.cancel")}</Button></div>}
      {!booking.cancelled && asking && (
        <div className={style["tools"]}>
          <p>{say("schedule.cancel.sure")}</p>
          <Button kind="danger" onClick={() => void cancel()}>{say("schedule.cancel.yes")}</Button>
          <Button onClick={() => setAsking(false)}>{say("schedule.cancel.no")}</Button>
        </div>
      )}
      {failed && <p role="alert" className={style["problem"]}>{say("schedule.lost")}</p>}
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

function BookForm({ seat, zone: practice, known }: { readonly seat: SeatId; readonly zone: string; readonly known: (bookings: Bookings) => void }) {
  const { say } = useLanguage();
  const [day, setDay] = useState("");
  const [hour, setHour] = useState("");
  const [zone, setZone] = useState(practice);
  const [minutes, setMinutes] = useState("30");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const book = async () => {
    const length = /^\d{1,3}$/.test(minutes) ? Number(minutes) : 0;
    if (day === "" || hour === "" || length < 5 || length > 240) return setProblem(say("schedule.bad"));
    setBusy(true);
    setProblem(null);
    try {
      known(await bookVisit(seat, { starts: `${day}T${hour.slice(0, 5)}`, zone, minutes: length }));
      setDay("");
      setHour("");
    } catch (failure) {
      setProblem(say(failure instanceof ApiFailure && failure.status === 400 ? "schedule.refused" : "schedule.away"));
    }
    setBusy(false);
  };
  return (
    <form aria-label={say("schedule.book")} className={style["form"]} onSubmit={(event) => { event.preventDefault(); if (!busy) void book(); }}>
      <div className={style["boxes"]}>
        <Field label={say("schedule.day")} type="date" value={day} onChange={(event) => setDay(event.currentTarget.value)} />
        <Field label={say("schedule.hour")} type="time" value={hour} onChange={(event) => setHour(event.currentTarget.value)} />
        <Field label={say("schedule.minutes")} inputMode="numeric" maxLength={3} value={minutes} onChange={(event) => setMinutes(event.currentTarget.value)} />
      </div>
      <Select label={say("schedule.zone")} value={zone} onChange={(event) => setZone(event.currentTarget.value)}>
        {[practice, ...ZONES.filter((one) => one !== practice)].map((one) => <option key={one} value={one}>{one.replaceAll("_", " ")}</option>)}
      </Select>
      {problem !== null && <p role="alert" className={style["problem"]}>{problem}</p>}
      <div className={style["tools"]}><Button type="submit" aria-disabled={busy}>{say(busy ? "schedule.booking" : "schedule.book")}</Button></div>
    </form>
  );
}
