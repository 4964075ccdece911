import { useCallback, useEffect, useRef, useState, type FormEvent } from "react";
import { ApiFailure, claim } from "../api";
import { Help } from "../call/Help";
import { months, useLanguage } from "../i18n";
import { replace } from "../route";
import { Button } from "../ui/Button";
import { Column } from "../ui/Column";
import { Field, Select } from "../ui/Field";
import { useScreenHeading } from "../ui/focus";
import { useSide } from "../ui/side";
import { birthDate } from "./birthDate";
import style from "./Door.module.css";
import { refusal, type Refusal } from "./refusal";

type Problem = { readonly kind: "missing" } | { readonly kind: "wrong"; readonly triesLeft: number | null };

type Step =
  | { readonly kind: "claiming" }
  | { readonly kind: "birthDate"; readonly problem: Problem | null; readonly busy: boolean }
  | { readonly kind: "refused"; readonly why: Exclude<Refusal, "birthDate"> };

/** From the link to the seat. One question, one button. */
export function Door(props: { readonly token: string }) {
  const { token } = props;
  const { say } = useLanguage();
  const [step, setStep] = useState<Step>({ kind: "claiming" });
  const [phone, setPhone] = useState<string | null>(null);
  const begun = useRef(false);
  useSide("patient");

  const open = useCallback(async (date: string | null) => {
    try {
      const claimed = await claim(token, date);
      if (claimed.state === "seated") replace(`/v/${claimed.seat}`);
      else {
        setPhone(claimed.phone);
        setStep({ kind: "birthDate", problem: null, busy: false });
      }
    } catch (failure) {
      if (!(failure instanceof ApiFailure)) throw failure;
      if (failure.phone !== null) setPhone(failure.phone);
      const why = refusal(failure.status, failure.code);
      setStep(why === "birthDate"
        ? { kind: "birthDate", problem: date === null ? null : { kind: "wrong", triesLeft: failure.triesLeft }, busy: false }
        : { kind: "refused", why });
    }
  }, [token]);

  useEffect(() => {
    if (begun.current) return; // a development build runs effects twice; a link is claimed once
    begun.current = true;
    void open(null);
  }, [open]);

  switch (step.kind) {
    case "claiming":
      return <Column over="Mortar"><p role="status">{say("join.checking")}</p></Column>;
    case "birthDate":
      return (
        <Column over="Mortar">
          <BirthDate
            problem={step.problem}
            busy={step.busy}
            onDate={(date) => {
              setStep({ kind: "birthDate", problem: date === null ? { kind: "missing" } : null, busy: date !== null });
              if (date !== null) void open(date);
            }}
          />
          <Help phone={phone} />
        </Column>
      );
    case "refused":
      return (
        <Column over="Mortar">
          <Refused why={step.why} onAgain={() => { setStep({ kind: "claiming" }); void open(null); }} />
          <Help phone={phone} />
        </Column>
      );
    default:
      return step satisfies never;
  }
}

function BirthDate(props: { readonly problem: Problem | null; readonly busy: boolean; readonly onDate: (date: string | null) => void }) {
  const { language, say } = useLanguage();
  const heading = useScreenHeading("birthDate");
  const problem = useRef<HTMLParagraphElement>(null);
  const { problem: told } = props;
  useEffect(() => {
    if (told !== null) problem.current?.focus();
  }, [told]);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "");
    props.onDate(birthDate(text("year"), text("month"), text("day"), new Date()));
  };
  return (
    <form noValidate onSubmit={submit} className="stack">
      <h1 ref={heading} tabIndex={-1}>{say("join.title")}</h1>
      <p>{say("join.why")}</p>
      {told !== null && (
        <p ref={problem} tabIndex={-1} role="alert" className={style["problem"]}>
          {say(told.kind === "wrong" ? "join.wrong" : "join.date_missing")}
          {told.kind === "wrong" && told.triesLeft !== null && told.triesLeft > 0 && ` ${say("join.tries", { count: told.triesLeft })}`}
        </p>
      )}
      <div className={style["date"]}>
        <Select label={say("join.month")} name="month" autoComplete="bday-month" defaultValue="" className={style["month"]}>
          <option value="" disabled>{say("join.month.choose")}</option>
          {months(language).map((name, i) => <option key={name} value={i + 1}>{name}</option>)}
        </Select>
        <Field label={say("join.day")} name="day" inputMode="numeric" maxLength={2} autoComplete="bday-day" />
        <Field label={say("join.year")} name="year" inputMode="numeric" maxLength={4} autoComplete="bday-year" hint={say("join.year.hint")} className={style["year"]} />
      </div>
      <Button kind="primary" type="submit" wide aria-disabled={props.busy}>{say(props.busy ? "join.going" : "join.go")}</Button>
    </form>
  );
}

function Refused(props: { readonly why: Exclude<Refusal, "birthDate">; readonly onAgain: () => void }) {
  const { say } = useLanguage();
  const heading = useScreenHeading(props.why);
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>{say(`join.refused.${props.why}.title`)}</h1>
      <p>{say(`join.refused.${props.why}.what`)}</p>
      {(props.why === "offline" || props.why === "wait" || props.why === "early") && <Button kind="primary" wide onClick={props.onAgain}>{say("join.again")}</Button>}
    </>
  );
}
