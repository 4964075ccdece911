/** One of the patient's next visits: when, how and with whom; or that it did not take place. */
import { useLanguage } from "../i18n";
import { useRegister, useValue } from "../plan/context";
import { useStandings } from "../plan/standings";
import { hourIn, wallHour } from "../plan/hour";
import { Card } from "../ui/Card";
import type { RowId } from "../wire";
import { Undecided } from "./Undecided";
import style from "./PatientPage.module.css";

export function Visit({ row }: { readonly row: RowId }) {
  const { say, g, language } = useLanguage();
  const { state, value } = useRegister("touchpoints.content", row);
  const became = useValue("touchpoints.state", row);
  const told = useStandings().lines.get(row);
  if (state === "conflict") return <Card><Undecided /></Card>;
  const step = became?.step ?? "planned";
  if (value === null || step === "cancelled") return null;
  const booked = became?.booked;
  if (step === "done" || (step === "booked" && told?.standing === "done")) {
    const day = became?.on;
    return (
      <Card>
        <p>{value.purpose}</p>
        <p>{day === undefined ? say("patient.visit.done") : say("patient.visit.done_on", { day: g.date(day) })}</p>
        {(value.frequency ?? "") !== "" && <p>{value.frequency}</p>}
      </Card>
    );
  }
  if (step === "missed" || (step === "booked" && told?.standing === "missed")) {
    return (
      <Card>
        {booked !== undefined && <p className={style["how"]}>{say("patient.visit.missed", { when: hourIn(booked, language, "plain") })}</p>}
        <p className={booked === undefined ? style["how"] : undefined}>{value.purpose}</p>
        <p>{say("patient.visit.call")}</p>
      </Card>
    );
  }
  if (step === "booked" && booked !== undefined) {
    const names = g.list((booked.with ?? []).filter(({ role }) => role !== "patient").map(({ name }) => name));
    return (
      <Card>
        <p className={style["how"]}>{hourIn(booked, language, "plain")}, {say(`patient.format.${booked.format}`)}</p>
        <p>{value.purpose}</p>
        {names !== "" && <p>{say("patient.visit.with", { names })}</p>}
        {became?.moved_from !== undefined && <p>{say("patient.visit.moved", { when: wallHour(became.moved_from, language) })}</p>}
      </Card>
    );
  }
  // "In two weeks" says nothing any more once those weeks are over.
  return told?.standing === "overdue" ? (
    <Card>
      <p className={style["how"]}>{value.purpose}</p>
      <p>{say("patient.visit.call")}</p>
    </Card>
  ) : (
    <Card>
      <p className={style["how"]}>{value.when}, {say(`patient.format.${value.format}`)}</p>
      <p>{value.purpose}</p>
    </Card>
  );
}
