/** Parts of the agreement's screens. */
import { useId, useState, type FormEvent, type ReactNode } from "react";
import { Phone } from "lucide-react";
import { useLanguage, type Say } from "../i18n";
import type { Acted } from "../plan/agreements";
import { GrowField } from "../plan/GrowField";
import { Button } from "../ui/Button";
import { Field } from "../ui/Field";
import type { AgreementAct, AgreementView } from "../wire";
import style from "./cdtm.module.css";

export type Give = (act: AgreementAct) => Promise<Acted>;

export function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return <section className={style["part"]}><h4>{title}</h4>{children}</section>;
}

export function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return <><dt>{name}</dt><dd>{children}</dd></>;
}

/** What a refusal or a failure says. */
export function problemOf(acted: Acted, say: Say): string | null {
  if (acted.kind === "done") return null;
  if (acted.kind === "failed") {
    return acted.code === "too_large" ? say("cdtm.failed.too_large") : acted.code === "not_allowed" || acted.code === "not_found" ? say("cdtm.failed.not_allowed") : say("cdtm.failed");
  }
  const { why } = acted;
  return why.code === "bad_value" ? say("cdtm.refused.bad_value", { field: why.field }) : say(`cdtm.refused.${why.code}`);
}

/** A form that keeps what was typed until it is stored. `act`: `null` while something is missing. */
export function ActForm(props: {
  readonly label: string;
  readonly submit: string;
  readonly act: () => AgreementAct | null;
  readonly give: Give;
  readonly close: () => void;
  readonly danger?: boolean;
  readonly children: (tried: boolean) => ReactNode;
}) {
  const { say } = useLanguage();
  const id = useId();
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const send = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const act = props.act();
    if (busy) return;
    if (act === null) {
      setTried(true);
      setProblem(say("cdtm.mend"));
      // After the marks have been drawn: the first one may stand far above.
      const form = event.currentTarget;
      return void setTimeout(() => form.querySelector<HTMLElement>("[aria-invalid]")?.focus());
    }
    setBusy(true);
    setProblem(null);
    void props.give(act).then((acted) => {
      setBusy(false);
      const said = problemOf(acted, say);
      if (said === null) props.close();
      else setProblem(said);
    });
  };
  return (
    <form className={style["form"]} aria-label={props.label} noValidate onSubmit={send}>
      {props.children(tried)}
      {problem !== null && <p id={id} role="alert" className={style["problem"]}>{problem}</p>}
      <div className={style["tools"]}>
        <Button type="submit" kind={props.danger === true ? "danger" : "primary"} aria-disabled={busy}>{busy ? say("cdtm.saving") : props.submit}</Button>
        <Button onClick={props.close}>{say("cdtm.cancel")}</Button>
      </div>
    </form>
  );
}

/** A button that opens a form in its place. */
export function Opening({ words, kind, children }: { readonly words: string; readonly kind?: "primary"; readonly children: (close: () => void) => ReactNode }) {
  const [open, setOpen] = useState(false);
  return open ? children(() => setOpen(false)) : <Button kind={kind ?? "normal"} onClick={() => setOpen(true)}>{words}</Button>;
}

/** Several lines, one thing on each. */
export function Lines(props: { readonly label: string; readonly value: string; readonly onChange: (value: string) => void }) {
  const { say } = useLanguage();
  return <LongText {...props} most={4_000} hint={say("cdtm.one_per_line")} />;
}

/** A box that grows; Enter makes a new line in it. */
export function LongText(props: { readonly label: string; readonly value: string; readonly most: number; readonly hint?: string; readonly problem?: string | undefined; readonly onChange: (value: string) => void }) {
  return <GrowField {...props} onEnter={() => props.onChange(`${props.value}\n`)} />;
}

export function DayBox({ label, value, tried, onChange }: { readonly label: string; readonly value: string; readonly tried: boolean; readonly onChange: (value: string) => void }) {
  const { say } = useLanguage();
  const bad = value !== "" && !isDay(value);
  return <Field label={label} value={value} inputMode="numeric" autoComplete="off" maxLength={10} placeholder="2027-06-30" problem={tried && bad ? say("cdtm.day.bad") : undefined} onChange={(event) => onChange(event.currentTarget.value)} />;
}

export function isDay(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** A number a finger can touch. */
export function Call({ number, children }: { readonly number: string; readonly children: ReactNode }) {
  return <a href={`tel:${number.replaceAll(/[^0-9+,;*#]/g, "")}`}><Phone size={20} aria-hidden /><span>{children}</span></a>;
}

/** The physician must be reachable by phone: always on top, never folded away. */
export function Calls({ one }: { readonly one: AgreementView }) {
  const { say } = useLanguage();
  const { order_set: { provider_phone: phone }, backup } = one.terms;
  return (
    <Part title={say("cdtm.call")}>
      <div className={style["call"]}>
        {phone.trim() !== "" && <Call number={phone}>{say("cdtm.call.one", { name: one.physician.name, phone })}</Call>}
        {backup.phone.trim() !== "" && <Call number={backup.phone}>{say("cdtm.call.backup", backup)}</Call>}
        {phone.trim() === "" && backup.phone.trim() === "" && <p className={style["quiet"]}>{say("cdtm.call.none")}</p>}
      </div>
    </Part>
  );
}
