/** An agreed follow-up: what was agreed, what became of it, and what may be done about it. It goes on after the signature. */
import { CalendarPlus, TriangleAlert } from "lucide-react";
import { useState, type ReactNode } from "react";
import { ApiFailure, tellTouchpoint } from "../../api";
import { useLanguage } from "../../i18n";
import { Button } from "../../ui/Button";
import { Chip } from "../../ui/Chip";
import { Dialog } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { LINE_MOST, type RowId, type ToldOfTouchpoint, type TouchpointStanding } from "../../wire";
import { useMay, useNames, useRecordSlice, useRegister, useRowNames, useRows, useScene, useValue } from "../context";
import { touchpointShape } from "../forms/planning";
import { hourIn, proposed, wallHour } from "../hour";
import { useJump } from "../jump";
import { isOwed, useOwed, useStandings } from "../standings";
import { today } from "../today";
import { useDrawVisit } from "../visit";
import { SayDialog } from "./SayDialog";
import { Small } from "./shared";
import style from "./panels.module.css";

const TONE = {
  planned: "plain", overdue: "warn", booked: "info", unsaid: "warn", done: "ok", missed: "danger", cancelled: "plain",
} as const satisfies Record<TouchpointStanding, string>;

/** Follow-ups somebody has to see to. */
export function Overdue() {
  const { say } = useLanguage();
  const owed = useOwed();
  const there = useRows("touchpoints");
  const named = useRowNames();
  const jump = useJump();
  const { lines, away } = useStandings();
  const rows = owed.filter((row) => there.includes(row));
  if (rows.length === 0) return away && there.length > 0 ? <p className={style["hint"]}>{say("plan.follow.away")}</p> : null;
  return (
    <section aria-label={say("plan.follow.overdue")} className={style["small"]}>
      <h3>{say("plan.with_count", { what: say("plan.follow.overdue"), count: rows.length })}</h3>
      <p className={style["hint"]}>{say("plan.follow.overdue.what")}</p>
      <ul className={style["prompts"]}>
        {rows.map((row) => (
          <li key={row} className={style["prompt"]}>
            <div className={style["promptWords"]}>
              <TriangleAlert size={20} aria-hidden />
              <span><strong>{named(row)}</strong>: <Said row={row} standing={lines.get(row)?.standing ?? "overdue"} /></span>
            </div>
            <Button onClick={() => jump({ row, field: "touchpoints.state" })}>{say("plan.follow.overdue.go", { what: named(row) })}</Button>
          </li>
        ))}
      </ul>
      {away && <p className={style["hint"]}>{say("plan.follow.away")}</p>}
    </section>
  );
}

/** A row of the list. */
export function Touchpoint({ row }: { readonly row: RowId }) {
  return (
    <div className={style["small"]}>
      <Small list="touchpoints" row={row} field="touchpoints.content" shape={touchpointShape} movable />
      <Became row={row} />
    </div>
  );
}

/** What somebody said, as a standing: until the server has told, and where it cannot be asked. */
function useStanding(row: RowId): TouchpointStanding {
  const step = useValue("touchpoints.state", row)?.step ?? "planned";
  const told = useStandings().lines.get(row)?.standing;
  // What was told of an earlier step says nothing of this one.
  const fits = told !== undefined && (step === told || step === "booked" || (step === "planned" && told === "overdue"));
  return fits ? told : step;
}

function Became({ row }: { readonly row: RowId }) {
  const { say, g } = useLanguage();
  const names = useNames();
  const state = useRegister("touchpoints.state", row);
  const note = useValue("touchpoints.note", row) ?? "";
  const standing = useStanding(row);
  const by = state.by === null || state.at_ms === null ? null : say("plan.follow.by", { name: names.short(state.by), at: g.moment(state.at_ms) });
  return (
    <div data-field="touchpoints.state" data-at={`${row}/touchpoints.state`} className={style["became"]}>
      <p className={style["becameWords"]}>
        <Chip tone={TONE[standing]} {...(isOwed(standing) ? { icon: <TriangleAlert size={16} aria-hidden /> } : {})}>{say(`plan.follow.standing.${standing}`)}</Chip>
        <span><Said row={row} standing={standing} /></span>
      </p>
      {note !== "" && <p data-field="touchpoints.note">{note}</p>}
      {by !== null && <p className={style["by"]}>{by}</p>}
      <Actions row={row} standing={standing} />
    </div>
  );
}

/** "Booked for Tue, Dec 8, 10:00 AM EST, video, with Maria and Dr. Chen." */
function Said({ row, standing }: { readonly row: RowId; readonly standing: TouchpointStanding }) {
  const { say, g, language } = useLanguage();
  const state = useValue("touchpoints.state", row);
  const due = useValue("touchpoints.content", row)?.due;
  const held = useStandings().lines.get(row)?.held_ms;
  const booked = state?.booked;
  const when = booked === undefined ? "" : hourIn(booked, language);
  const format = booked === undefined ? "" : say(`plan.touchpoint.format.${booked.format}`).toLowerCase();
  const moved = state?.moved_from === undefined ? "" : ` ${say("plan.follow.words.moved", { when: wallHour(state.moved_from, language) })}`;
  switch (standing) {
    case "planned": return null;
    case "overdue": return say("plan.follow.words.overdue", { due: due === undefined ? "" : g.date(due) });
    case "booked": return `${say("plan.follow.words.booked", { when, format, names: g.list((booked?.with ?? []).filter(({ role }) => role !== "patient").map(({ name }) => name)) })}${moved}`;
    case "unsaid": return say("plan.follow.words.unsaid", { when, format });
    case "done":
      if (state?.on !== undefined) return say("plan.follow.words.done", { day: g.date(state.on) });
      return say("plan.follow.words.held", { when: booked === undefined ? "" : hourIn({ starts_ms: held ?? booked.starts_ms, zone: booked.zone }, language) });
    case "missed": return booked === undefined ? say("plan.follow.words.missed_plain") : say("plan.follow.words.missed", { when });
    case "cancelled": return say("plan.follow.words.cancelled");
    default: return standing satisfies never;
  }
}

function Actions({ row, standing }: { readonly row: RowId; readonly standing: TouchpointStanding }) {
  const { say } = useLanguage();
  const draw = useDrawVisit();
  const state = useValue("touchpoints.state", row);
  const content = useValue("touchpoints.content", row);
  const named = useRowNames();
  const mayBook = useMay("book_touchpoint");
  const mayTell = useMay("tell_touchpoint");
  const [booking, setBooking] = useState(false);
  // Two people disagree about what was agreed: that is settled first.
  if (content === null) return null;
  const over = standing === "done" || standing === "cancelled";
  const again = standing === "done" && (content.frequency ?? "") !== "";
  const has = (state?.step === "booked" || state?.step === "missed") && standing !== "done" ? state.booked : undefined;
  const bookable = draw !== null && mayBook && content.format !== "message" && (!over || again);
  return (
    <div className={style["actions"]}>
      {bookable && (
        <Button kind={standing === "booked" ? "normal" : "primary"} icon={<CalendarPlus size={18} aria-hidden />} onClick={() => setBooking(true)}>
          {say(again ? "plan.follow.book.next" : has === undefined ? "plan.follow.book" : standing === "booked" ? "plan.follow.visit" : "plan.follow.book.again")}
        </Button>
      )}
      {mayTell && !over && (mayBook || standing !== "booked") && <Tell row={row} what="done" label={say("plan.follow.done")} box={say("plan.follow.done.note")} ends={standing === "booked"} />}
      {mayTell && (standing === "overdue" || standing === "unsaid") && <Tell row={row} what="missed" label={say("plan.follow.missed")} box={say("plan.follow.missed.note")} />}
      {mayBook && !over && <Tell row={row} what="cancel" label={say("plan.follow.cancel")} box={say("plan.follow.cancel.note")} needed ends={has !== undefined} />}
      {mayBook && (state?.step === "done" || state?.step === "cancelled" || state?.step === "missed") && <Tell row={row} what="reopen" label={say("plan.follow.reopen")} box={say("plan.follow.reopen.note")} />}
      {booking && draw !== null && (
        <Dialog title={named(row)} sheet onClose={() => setBooking(false)}>
          <Seen>{(seen) => draw({ row, seen, ...proposed(content, today()), format: content.format, members: content.members ?? [], missed: state?.step === "missed" }, has?.visit ?? null)}</Seen>
        </Dialog>
      )}
    </div>
  );
}

/** How much of the plan is on the screen. It is another number with each letter: only what is open asks for it. */
function Seen({ children }: { readonly children: (seen: number) => ReactNode }) {
  return children(useRecordSlice((state) => state.docs.get("plan")?.server.seq ?? 0));
}

interface Telling {
  readonly row: RowId;
  readonly what: ToldOfTouchpoint;
  readonly label: string;
  readonly box: string;
  readonly needed?: boolean;
  /** It cancels the visit that is booked. */
  readonly ends?: boolean;
}

/** One thing somebody says about it. */
function Tell(props: Telling) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>{props.label}</Button>
      {open && <TellDialog {...props} onClose={() => setOpen(false)} />}
    </>
  );
}

function TellDialog({ row, what, label, box, needed = false, ends = false, onClose }: Telling & { readonly onClose: () => void }) {
  const { say } = useLanguage();
  const { record, seat } = useScene();
  const { put } = useStandings();
  // What is said of it, is said of what stood there when the dialog was opened.
  const [seen] = useState(() => record.get().docs.get("plan")?.server.seq ?? 0);
  const [on, setOn] = useState(today);
  const send = async (note: string): Promise<string | null> => {
    try {
      put(await tellTouchpoint(seat, row, { what, note, seen, ...(what === "done" && on !== "" ? { on } : {}) }));
      return null;
    } catch (failure) {
      const status = failure instanceof ApiFailure ? failure.status : 0;
      const running = failure instanceof ApiFailure && failure.code === "visit_running";
      return say(running ? "plan.follow.running" : status === 400 ? "plan.follow.bad" : status === 403 || status === 404 || status === 409 ? "plan.follow.changed" : "plan.follow.not_saved");
    }
  };
  return (
    <SayDialog title={label} box={{ label: box, most: LINE_MOST, needed }} send={send} onClose={onClose}>
      {ends && <p>{say("plan.follow.done.ends")}</p>}
      {what === "done" && <Field label={say("plan.follow.done.on")} type="date" max={today()} value={on} onChange={(event) => setOn(event.currentTarget.value)} />}
    </SayDialog>
  );
}
