/** The primary care provider's word that the signed plan was read, from the page of a mailed link. */
import { CircleCheck } from "lucide-react";
import { useEffect, useState } from "react";
import { acknowledgeVersion, versionToRead } from "../api";
import { useLanguage } from "../i18n";
import { Button } from "../ui/Button";
import type { ReadVersion, SeatId } from "../wire";
import style from "./EndPage.module.css";

export function HaveRead({ seat }: { readonly seat: SeatId }) {
  const { say } = useLanguage();
  const [about, setAbout] = useState<ReadVersion | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(false);
  useEffect(() => {
    let here = true;
    // No version is in force, or nobody is there to ask: then there is nothing to say either.
    versionToRead(seat).then((found) => here && setAbout(found ?? null), () => undefined);
    return () => {
      here = false;
    };
  }, [seat]);
  if (about === null) return null;
  const { version, read } = about;
  if (read) return <p role="status" className={style["done"]}><CircleCheck size={20} aria-hidden />{say("takeaway.read.done", { version })}</p>;
  const give = async () => {
    setBusy(true);
    setProblem(false);
    try {
      setAbout(await acknowledgeVersion(seat, version));
    } catch {
      setProblem(true);
    }
    setBusy(false);
  };
  return (
    <div className={style["state"]}>
      <Button kind="primary" aria-disabled={busy} onClick={() => (busy ? undefined : void give())}>{say("takeaway.read", { version })}</Button>
      {problem && <p role="alert">{say("takeaway.read.failed")}</p>}
    </div>
  );
}
