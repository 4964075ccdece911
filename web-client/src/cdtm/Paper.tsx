/** What is handed to a Board: on paper, or as a file. The server writes down that it left. */
import { ArrowLeft, Download, Printer } from "lucide-react";
import { useEffect, useState } from "react";
import { exportAgreements } from "../api";
import { useLanguage } from "../i18n";
import { Button } from "../ui/Button";
import { save } from "../ui/save";
import type { AgreementExport, AgreementView, InspectionList, SeatId } from "../wire";
import { Kept } from "./AgreementPanel";
import { TermsFacts } from "./TermsFacts";
import style from "./cdtm.module.css";

type Shown<T> = { readonly kind: "loading" } | { readonly kind: "away" } | { readonly kind: "file"; readonly file: Blob; readonly value: T };

/** Fetches what is handed over: it is shown only once the server has written down that it leaves. */
function useExport<T>(seat: SeatId, wish: AgreementExport): Shown<T> {
  const [shown, setShown] = useState<Shown<T>>({ kind: "loading" });
  const key = JSON.stringify(wish);
  useEffect(() => {
    let here = true;
    exportAgreements(seat, wish).then(
      async (file) => {
        const value = await new Response(file).json() as T;
        if (here) setShown({ kind: "file", file, value });
      },
      () => here && setShown({ kind: "away" }),
    );
    return () => {
      here = false;
    };
    // The wish is the same as long as its words are.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [seat, key]);
  return shown;
}

function Tools({ file, name, onBack }: { readonly file: Blob | null; readonly name: string; readonly onBack: () => void }) {
  const { say } = useLanguage();
  return (
    <div className={style["tools"]}>
      <Button icon={<ArrowLeft size={20} aria-hidden />} onClick={onBack}>{say("cdtm.back")}</Button>
      {file !== null && <Button icon={<Printer size={20} aria-hidden />} onClick={() => window.print()}>{say("cdtm.print")}</Button>}
      {file !== null && <Button icon={<Download size={20} aria-hidden />} onClick={() => save(file, name)}>{say("cdtm.file")}</Button>}
    </div>
  );
}

interface Report {
  readonly practice: string;
  readonly phone: string;
  readonly today: string;
  readonly agreement: AgreementView;
}

export function ReportPaper({ seat, one, onBack }: { readonly seat: SeatId; readonly one: AgreementView; readonly onBack: () => void }) {
  const { say, g } = useLanguage();
  const shown = useExport<Report>(seat, { kind: "report", agreement: one.id });
  return (
    <article className={style["paper"]} data-print="cdtm">
      <Tools file={shown.kind === "file" ? shown.file : null} name="cdtm-report.json" onBack={onBack} />
      {shown.kind === "loading" && <p className={style["quiet"]}>{say("cdtm.loading")}</p>}
      {shown.kind === "away" && <p role="alert">{say("cdtm.away")}</p>}
      {shown.kind === "file" && (
        <>
          <h3>{say("cdtm.title")}: {shown.value.agreement.terms.condition}</h3>
          <p className={style["quiet"]}>{shown.value.practice}, {shown.value.phone} · {g.date(shown.value.today)} · {say(`cdtm.standing.${shown.value.agreement.standing}`)}</p>
          <Kept one={shown.value.agreement} />
          <TermsFacts one={shown.value.agreement} />
        </>
      )}
    </article>
  );
}

const INSPECTION: AgreementExport = { kind: "inspection" };

export function Inspection({ seat, onBack }: { readonly seat: SeatId; readonly onBack: () => void }) {
  const { say } = useLanguage();
  const shown = useExport<InspectionList>(seat, INSPECTION);
  return (
    <article className={style["paper"]} data-print="cdtm">
      <Tools file={shown.kind === "file" ? shown.file : null} name="cdtm-inspection.json" onBack={onBack} />
      {shown.kind === "loading" && <p className={style["quiet"]}>{say("cdtm.loading")}</p>}
      {shown.kind === "away" && <p role="alert">{say("cdtm.away")}</p>}
      {shown.kind === "file" && <List list={shown.value} />}
    </article>
  );
}

function List({ list }: { readonly list: InspectionList }) {
  const { say, g } = useLanguage();
  const title = say("cdtm.inspection.title");
  return (
    <>
      <h3>{title}</h3>
      <p className={style["quiet"]}>{say("cdtm.inspection.of", { name: list.by, day: list.today, practice: list.practice, phone: list.phone })}</p>
      {list.lines.length === 0 ? <p>{say("cdtm.inspection.none")}</p> : (
        <div role="region" aria-label={title} tabIndex={0} className={style["wide"]}>
          <table className={style["table"]}>
            <thead><tr>{(["patient", "parties", "term", "state", "report"] as const).map((head) => <th key={head} scope="col">{say(`cdtm.inspection.${head}`)}</th>)}</tr></thead>
            <tbody>
              {list.lines.map((line) => (
                <tr key={line.agreement}>
                  <td><bdi>{line.patient}</bdi>{line.dob !== null && <>, {g.date(line.dob)}</>}<br />{line.condition}</td>
                  <td><bdi>{line.physician}</bdi>, <bdi>{line.pharmacist}</bdi>{line.registration !== null && <><br />{line.registration}</>}</td>
                  <td>{line.start !== null && line.end !== null && say("cdtm.term", { start: line.start, end: line.end })}</td>
                  <td>{say(`cdtm.standing.${line.standing}`)}</td>
                  <td>{line.reported === null ? say("cdtm.inspection.never") : g.date(line.reported)}{line.report_due !== null && <><br />{say("cdtm.due.report", { days: line.report_due.days })}</>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
