/** What a pharmacist says to the sheet: one short form each. */
import { useId, useState, type ReactNode } from "react";
import { ApiFailure } from "../api";
import { useLanguage } from "../i18n";
import { Button } from "../ui/Button";
import { Field, Select } from "../ui/Field";
import type { Acquaintance, Attestation, Billing, PayerChoice, SheetCommand } from "../wire";
import { isNpi } from "./time";
import style from "./billing.module.css";

interface FormProps {
  readonly close: () => void;
  readonly give: (command: SheetCommand) => Promise<void>;
}

/** Where the patient is, as one choice. */
export type Place = "home" | "elsewhere" | "clinic_assisted" | "in_person";

export function placeOf({ at_home, setting }: Attestation): Place {
  return setting === "remote" ? (at_home ? "home" : "elsewhere") : setting;
}

/** USPS codes; the server holds the same list. "--" is abroad. */
const STATES = "AL AK AS AZ AR CA CO CT DE DC FL GA GU HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MP MT NE NV NH NJ NM NY NC ND OH OK OR PA PR RI SC SD TN TX UT VT VA VI WA WV WI WY".split(" ");
const PLACES: readonly Place[] = ["home", "elsewhere", "clinic_assisted", "in_person"];

export function AttestForm({ before, close, give }: FormProps & { readonly before: Attestation | undefined }) {
  const { say } = useLanguage();
  const [identity, setIdentity] = useState(before?.identity_checked ?? false);
  const [state, setState] = useState(before?.location_state ?? "");
  const [place, setPlace] = useState<Place | "">(before === undefined ? "" : placeOf(before));
  const [callback, setCallback] = useState(before?.callback ?? "");
  const [free, setFree] = useState(before?.private ?? false);
  const [others, setOthers] = useState(before?.others_present.join(", ") ?? "");
  const command = (): SheetCommand | null => state === "" || place === "" ? null : {
    kind: "attest",
    attestation: {
      identity_checked: identity,
      location_state: state,
      at_home: place === "home",
      setting: place === "clinic_assisted" || place === "in_person" ? place : "remote",
      callback: callback.trim(),
      private: free,
      others_present: others.split(",").map((other) => other.trim()).filter((other) => other !== "").slice(0, 10),
    },
  };
  return (
    <Form command={command} missing={say("billing.attest.missing")} close={close} give={give} label={say("billing.attest")}>
      <Check checked={identity} onChange={setIdentity}>{say("billing.attest.identity")}</Check>
      <Select label={say("billing.attest.place")} value={place} onChange={(event) => setPlace(event.currentTarget.value as Place | "")}>
        <option value="">{say("billing.payer.choose")}</option>
        {PLACES.map((one) => <option key={one} value={one}>{say(`billing.place.${one}`)}</option>)}
      </Select>
      <div className={style["pair"]}>
        <Select label={say("billing.attest.state")} value={state} onChange={(event) => setState(event.currentTarget.value)}>
          <option value="">{say("billing.payer.choose")}</option>
          {STATES.map((one) => <option key={one} value={one}>{one}</option>)}
          <option value="--">{say("billing.attest.abroad")}</option>
        </Select>
        <Field label={say("billing.attest.callback")} type="tel" autoComplete="off" maxLength={40} value={callback} onChange={(event) => setCallback(event.currentTarget.value)} />
      </div>
      <Check checked={free} onChange={setFree}>{say("billing.attest.private")}</Check>
      <Field label={say("billing.attest.others")} hint={say("billing.attest.others.hint")} autoComplete="off" maxLength={400} value={others} onChange={(event) => setOthers(event.currentTarget.value)} />
    </Form>
  );
}

export function BillForm({ before, first, payers, close, give }: FormProps & { readonly before: Billing | undefined; readonly first: boolean; readonly payers: readonly PayerChoice[] }) {
  const { say } = useLanguage();
  const [payer, setPayer] = useState(before?.payer ?? "");
  const [patient, setPatient] = useState<Acquaintance>(before?.patient ?? (first ? "new" : "established"));
  const [free, setFree] = useState(before?.free ?? false);
  const [npi, setNpi] = useState(before?.npi ?? "");
  const bad = npi.trim() !== "" && !isNpi(npi.trim());
  const command = (): SheetCommand | null => payer === "" || bad ? null : {
    kind: "bill",
    billing: { payer, patient, free, ...(npi.trim() === "" ? {} : { npi: npi.trim() }) },
  };
  return (
    <Form command={command} missing={say(bad ? "billing.npi.bad" : "billing.warning.no_payer")} close={close} give={give} label={say("billing.bill.edit")}>
      <Select label={say("billing.payer")} value={payer} onChange={(event) => setPayer(event.currentTarget.value)}>
        <option value="">{say("billing.payer.choose")}</option>
        {payers.map((one) => <option key={one.payer} value={one.payer}>{one.name}</option>)}
      </Select>
      <div className={style["pair"]}>
        <Select label={say("billing.acquaintance")} value={patient} onChange={(event) => setPatient(event.currentTarget.value === "new" ? "new" : "established")}>
          <option value="new">{say("billing.acquaintance.new")}</option>
          <option value="established">{say("billing.acquaintance.established")}</option>
        </Select>
        <Field label={say("billing.npi")} hint={say("billing.npi.hint")} inputMode="numeric" autoComplete="off" maxLength={10} value={npi} onChange={(event) => setNpi(event.currentTarget.value)} />
      </div>
      <Check checked={free} onChange={setFree}>{say("billing.free")}</Check>
    </Form>
  );
}

/** The server's limit, in seconds. */
const LARGEST_S = 4 * 60 * 60;

export function AdjustForm({ close, give }: FormProps) {
  const { say } = useLanguage();
  const [way, setWay] = useState<"add" | "off">("add");
  const [minutes, setMinutes] = useState("");
  const [seconds, setSeconds] = useState("");
  const [reason, setReason] = useState("");
  const command = (): SheetCommand | null => {
    const whole = (text: string) => /^\d{0,3}$/.test(text.trim()) ? Number(text.trim()) : Number.NaN;
    const length = whole(minutes) * 60 + whole(seconds);
    const fits = length > 0 && length <= LARGEST_S && reason.trim().length >= 3;
    return fits ? { kind: "adjust", adjustment: { delta_s: way === "add" ? length : -length, reason: reason.trim() } } : null;
  };
  return (
    <Form command={command} missing={say("billing.adjust.bad")} close={close} give={give} label={say("billing.adjust")}>
      <div className={style["pair"]}>
        <Select label={say("billing.adjust.way")} value={way} onChange={(event) => setWay(event.currentTarget.value === "off" ? "off" : "add")}>
          <option value="add">{say("billing.adjust.add")}</option>
          <option value="off">{say("billing.adjust.off")}</option>
        </Select>
        <Field label={say("billing.adjust.minutes")} inputMode="numeric" autoComplete="off" maxLength={3} value={minutes} onChange={(event) => setMinutes(event.currentTarget.value)} />
        <Field label={say("billing.adjust.seconds")} inputMode="numeric" autoComplete="off" maxLength={3} value={seconds} onChange={(event) => setSeconds(event.currentTarget.value)} />
      </div>
      <Field label={say("billing.adjust.reason")} autoComplete="off" maxLength={300} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
    </Form>
  );
}

function Check({ checked, onChange, children }: { readonly checked: boolean; readonly onChange: (checked: boolean) => void; readonly children: string }) {
  return (
    <label className={style["check"]}>
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{children}</span>
    </label>
  );
}

/** Saves once, closes when the server has it, and keeps what was typed when it has not. */
function Form({ command, missing, label, close, give, children }: FormProps & { readonly command: () => SheetCommand | null; readonly missing: string; readonly label: string; readonly children: ReactNode }) {
  const { say } = useLanguage();
  const id = useId();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const save = async () => {
    const said = command();
    if (said === null) return setProblem(missing);
    setBusy(true);
    setProblem(null);
    try {
      await give(said);
      close();
    } catch (failure) {
      setProblem(failure instanceof ApiFailure && failure.status === 400 ? missing : say("billing.not_saved"));
      setBusy(false);
    }
  };
  return (
    <form aria-label={label} className={style["form"]} onSubmit={(event) => { event.preventDefault(); if (!busy) void save(); }}>
      {children}
      {problem !== null && <p id={id} role="alert" className={style["problem"]}>{problem}</p>}
      <div className={style["tools"]}>
        <Button type="submit" kind="primary" aria-disabled={busy} aria-describedby={problem === null ? undefined : id}>{say(busy ? "billing.saving" : "billing.save")}</Button>
        <Button onClick={close}>{say("billing.cancel")}</Button>
      </div>
    </form>
  );
}
