/** The short forms of an agreement: registration, signature, consent on paper, report, review, end. */
import { useState } from "react";
import { useLanguage } from "../i18n";
import { Field, Select } from "../ui/Field";
import type { AgreementRegistration, AgreementView } from "../wire";
import { ActForm, DayBox, isDay, LongText, type Give } from "./parts";
import style from "./cdtm.module.css";

interface FormProps {
  readonly close: () => void;
  readonly give: Give;
}

export function RegisterForm({ before, ...props }: FormProps & { readonly before: AgreementRegistration | null }) {
  const { say } = useLanguage();
  const [number, setNumber] = useState(before?.number ?? "");
  const [expires, setExpires] = useState("");
  const needed = (tried: boolean, bad: boolean): string | undefined => (tried && bad ? say("cdtm.needed") : undefined);
  return (
    <ActForm {...props} label={say("cdtm.register")} submit={say("cdtm.register")} act={() => number.trim() === "" || !isDay(expires) ? null : { kind: "register", number: number.trim(), expires }}>
      {(tried) => (
        <div className={style["pair"]}>
          <Field label={say("cdtm.register.number")} value={number} autoComplete="off" maxLength={60} problem={needed(tried, number.trim() === "")} onChange={(event) => setNumber(event.currentTarget.value)} />
          <DayBox label={say("cdtm.register.expires")} value={expires} tried={tried} onChange={setExpires} />
        </div>
      )}
    </ActForm>
  );
}

export function SignForm(props: FormProps) {
  const { say } = useLanguage();
  return <ActForm {...props} label={say("cdtm.sign")} submit={say("cdtm.sign")} act={() => ({ kind: "sign" })}>{() => <p>{say("cdtm.sign.words")}</p>}</ActForm>;
}

/** What the patient signed on paper, or said on the phone. */
export function ConsentForm({ given, ...props }: FormProps & { readonly given: boolean }) {
  const { say, language } = useLanguage();
  const [answer, setAnswer] = useState<"yes" | "no">(given ? "no" : "yes");
  const [name, setName] = useState("");
  const [substitution, setSubstitution] = useState(false);
  return (
    <ActForm
      {...props} label={say("cdtm.consent.note")} submit={say("cdtm.consent.note")}
      act={() => name.trim() === "" ? null : {
        kind: "consent", answer: answer === "yes" ? "given" : given ? "withdrawn" : "declined", method: answer === "yes" ? "paper" : "spoken",
        name: name.trim(), substitution: answer === "yes" && substitution, language,
      }}
    >
      {(tried) => (
        <>
          <Select label={say("cdtm.consent.note.answer")} value={answer} onChange={(event) => setAnswer(event.currentTarget.value === "no" ? "no" : "yes")}>
            <option value="yes">{say("cdtm.consent.note.paper")}</option>
            <option value="no">{say("cdtm.consent.note.no")}</option>
          </Select>
          {answer === "yes" && (
            <label className={style["check"]}>
              <input type="checkbox" checked={substitution} onChange={(event) => setSubstitution(event.currentTarget.checked)} />
              {say("cdtm.consent.substitution")}
            </label>
          )}
          <Field label={say("cdtm.consent.note.name")} value={name} autoComplete="off" maxLength={200} problem={tried && name.trim() === "" ? say("cdtm.needed") : undefined} onChange={(event) => setName(event.currentTarget.value)} />
        </>
      )}
    </ActForm>
  );
}

/** The report begins with what was done since the last one; the rest is the pharmacist's. */
export function ReportForm({ one, ...props }: FormProps & { readonly one: AgreementView }) {
  const { say } = useLanguage();
  const [report, setReport] = useState(() => {
    const last = one.reports[0]?.day ?? "";
    const done = one.acts.filter(({ day }) => day >= last).toReversed();
    const line = ({ day, summary }: (typeof done)[number]): string => say("cdtm.report.prefill", { day, what: summary });
    return { problems: "", complications: "", adherence: "", actions: done.map(line).join("\n") };
  });
  const silent = Object.values(report).some((text) => text.trim() === "");
  return (
    <ActForm {...props} label={say("cdtm.report")} submit={say("cdtm.report")} act={() => silent ? null : { kind: "report", report }}>
      {(tried) => (
        <>
          <p className={style["quiet"]}>{say("cdtm.report.hint")}</p>
          {(["problems", "complications", "adherence", "actions"] as const).map((what) => (
            <LongText
              key={what} label={say(`cdtm.report.${what}`)} value={report[what]} most={1_500} problem={tried && report[what].trim() === "" ? say("cdtm.needed") : undefined}
              onChange={(text) => setReport({ ...report, [what]: text })}
            />
          ))}
        </>
      )}
    </ActForm>
  );
}

export function ReviewForm(props: FormProps) {
  const { say } = useLanguage();
  const [goesOn, setGoesOn] = useState(true);
  const [note, setNote] = useState("");
  return (
    <ActForm {...props} danger={!goesOn} label={say("cdtm.review")} submit={say("cdtm.review")} act={() => !goesOn && note.trim() === "" ? null : { kind: "review", goes_on: goesOn, note: note.trim() }}>
      {(tried) => (
        <>
          <Select label={say("cdtm.review.answer")} value={goesOn ? "on" : "end"} onChange={(event) => setGoesOn(event.currentTarget.value === "on")}>
            <option value="on">{say("cdtm.review.goes_on")}</option>
            <option value="end">{say("cdtm.review.ends")}</option>
          </Select>
          <LongText label={say("cdtm.review.note")} value={note} most={1_000} problem={tried && !goesOn && note.trim() === "" ? say("cdtm.needed") : undefined} onChange={setNote} />
        </>
      )}
    </ActForm>
  );
}

export function RevokeForm(props: FormProps) {
  const { say } = useLanguage();
  const [reason, setReason] = useState("");
  return (
    <ActForm {...props} danger label={say("cdtm.revoke")} submit={say("cdtm.revoke")} act={() => reason.trim() === "" ? null : { kind: "revoke", reason: reason.trim() }}>
      {(tried) => (
        <>
          <p>{say("cdtm.revoke.words")}</p>
          <LongText label={say("cdtm.revoke.reason")} value={reason} most={500} problem={tried && reason.trim() === "" ? say("cdtm.needed") : undefined} onChange={setReason} />
        </>
      )}
    </ActForm>
  );
}
