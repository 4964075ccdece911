/** Everything an agreement says, as it was signed. */
import { useLanguage } from "../i18n";
import type { AgreementView } from "../wire";
import { Fact } from "./parts";
import style from "./cdtm.module.css";

export function TermsFacts({ one }: { readonly one: AgreementView }) {
  const { say, g } = useLanguage();
  const { terms, template } = one;
  const { order_set: set } = terms;
  const said = (text: string) => text.trim() === "" ? <span className={style["quiet"]}>{say("cdtm.empty")}</span> : text;
  const day = (text: string | null) => said(text === null ? "" : g.date(text));
  const lines = (all: readonly string[]) => said(all.join("\n"));
  return (
    <>
      <dl className={style["facts"]}>
        {template !== null && <Fact name={say("cdtm.template")}>{template.name}, {template.version}{!template.verified && ` – ${say("cdtm.unverified")}`}</Fact>}
        <Fact name={say("cdtm.condition")}>{said(terms.condition)}</Fact>
        <Fact name={say("cdtm.physician")}>{one.physician.name}, {said(set.provider_phone)}</Fact>
        <Fact name={say("cdtm.backup")}>{said([terms.backup.name, terms.backup.phone].filter((text) => text !== "").join(", "))}</Fact>
        <Fact name={say("cdtm.pharmacist")}>{one.pharmacist?.name ?? say("cdtm.no_pharmacist")}, {said(set.pharmacist_phone)}</Fact>
        {one.registration !== null && <Fact name={say("cdtm.register.number")}>{say("cdtm.registration", one.registration)}</Fact>}
        <Fact name={say("cdtm.patient")}>{said([set.patient.name, set.patient.gender, set.patient.dob === null ? "" : g.date(set.patient.dob), set.patient.address, set.patient.phone].filter((text) => text !== "").join(", "))}</Fact>
        <Fact name={say("cdtm.f2f")}>{day(terms.f2f_visit)}</Fact>
        <Fact name={say("cdtm.start")}>{day(terms.start)}</Fact>
        <Fact name={say("cdtm.end")}>{day(terms.end)}</Fact>
        <Fact name={say("cdtm.board_told")}>{day(terms.board_told)}</Fact>
        <Fact name={say("cdtm.drugs")}>
          {set.drugs.length === 0 ? said("") : (
            <ul className={style["list"]}>
              {set.drugs.map(({ ingredient, actions, dose }, index) => (
                <li key={index}>
                  <bdi translate="no">{ingredient}</bdi>{actions.length > 0 && `: ${g.list(actions.map((action) => say(`plan.rec.action.${action}`)))}`}
                  {dose !== null && ` (${say("cdtm.drug.range", { least: dose.least, most: dose.most, unit: dose.unit, day: dose.most_per_day })})`}
                </li>
              ))}
            </ul>
          )}
        </Fact>
        <Fact name={say("cdtm.tests")}>{lines(set.tests)}</Fact>
        <Fact name={say("cdtm.extent")}>{said(set.extent)}</Fact>
        <Fact name={say("cdtm.procedures")}>{said(set.procedures)}</Fact>
        <Fact name={say("cdtm.of_physician")}>{said(set.responsibilities.physician)}</Fact>
        <Fact name={say("cdtm.of_pharmacist")}>{said(set.responsibilities.pharmacist)}</Fact>
        <Fact name={say("cdtm.communication.method")}>{said([terms.communication.method, terms.communication.frequency, terms.communication.format].filter((text) => text !== "").join(", "))}</Fact>
        <Fact name={say("cdtm.reporting")}>{said(set.reporting)}</Fact>
        <Fact name={say("cdtm.notify_events")}>{lines(set.notify_events)}</Fact>
        <Fact name={say("cdtm.immediate")}>{said(set.immediate_consultation)}</Fact>
        <Fact name={say("cdtm.outcomes")}>{lines(terms.outcomes)}</Fact>
        <Fact name={say("cdtm.disclosure")}>{said(terms.disclosure)}</Fact>
      </dl>
      {one.signatures.map(({ name, at_ms, sha256 }) => <p key={at_ms} className={style["quiet"]}>{say("cdtm.signed", { name, at: at_ms })} · SHA-256 {sha256.slice(0, 16)}…</p>)}
    </>
  );
}
