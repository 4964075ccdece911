/** The way to the agreements of the patient, with the most pressing thing that is due. */
import { FileCheck } from "lucide-react";
import { useState } from "react";
import { useLanguage } from "../i18n";
import { useAgreements } from "../plan/agreements";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import type { AgreementView, SeatId } from "../wire";
import { AgreementPanel } from "./AgreementPanel";
import style from "./cdtm.module.css";

/** Days before which something due is not yet pressing. */
const SOON = 14;

export function AgreementButton({ seat }: { readonly seat: SeatId }) {
  const { say } = useLanguage();
  const [open, setOpen] = useState(false);
  const { known } = useAgreements(seat, "once");
  const first = known.kind === "known" ? pressing(known.all.agreements) : null;
  return (
    <>
      <Button kind="quiet" icon={<FileCheck size={18} aria-hidden />} onClick={() => setOpen(true)}>
        {first === null ? <span className={style["word"]}>{say("cdtm.open")}</span> : say(`cdtm.due.${first.what}`, { days: first.days })}
      </Button>
      {open && <Dialog title={say("cdtm.title")} sheet onClose={() => setOpen(false)}><AgreementPanel seat={seat} /></Dialog>}
    </>
  );
}

function pressing(all: readonly AgreementView[]): AgreementView["dues"][number] | null {
  const dues = all.flatMap((one) => one.dues).filter(({ days }) => days <= SOON);
  return dues.toSorted((a, b) => a.days - b.days)[0] ?? null;
}
