/** In place of a field that holds more than one value: all of them, who wrote them, and the choice. */
import { TriangleAlert } from "lucide-react";
import { useEffect } from "react";
import { useLanguage } from "../i18n";
import type { RowId } from "../wire";
import { announce } from "../ui/Announcer";
import { Button } from "../ui/Button";
import { address, keyOf, type RegisterName } from "./fold";
import { useNames, useScene, type RegisterView } from "./context";
import { words, type Wording } from "./words";
import style from "./Conflict.module.css";

export function ConflictCard<F extends RegisterName>(props: {
  readonly field: F;
  readonly row: RowId | undefined;
  readonly label: string;
  readonly view: RegisterView<F>;
  readonly wording: Wording;
  readonly writable: boolean;
  /** Said when the reader was editing it themselves. */
  readonly mine?: string;
  readonly onOther: () => void;
}) {
  const { record } = useScene();
  const { say } = useLanguage();
  const names = useNames();
  const at = address(props.field, props.row);
  const key = keyOf(at);
  useEffect(() => announce("polite", `conflict ${key} ${props.view.rev}`, say("plan.conflict.announce", { what: props.label })), [key, props.view.rev, props.label, say]);
  const seen = props.view.candidates.map(({ rev }) => rev);
  const stale = props.view.refused?.code === "stale_resolution";
  return (
    <div role="group" aria-label={`${say("plan.conflict.title")}: ${props.label}`} className={style["card"]}>
      <p className={style["title"]}><TriangleAlert size={20} aria-hidden />{say("plan.conflict.title")}</p>
      <p>{props.mine ?? say(stale ? "plan.conflict.again" : props.writable ? "plan.conflict.words" : "plan.conflict.read_only")}</p>
      <ul className={style["list"]}>
        {props.view.candidates.map((candidate) => {
          const value = words(props.field, candidate.value, props.wording);
          return (
            <li key={candidate.rev} className={style["candidate"]}>
              <div className={style["said"]}>
                <p className={style["value"]}>{value}</p>
                <p className={style["by"]}>{say("plan.conflict.by", { name: names.full(candidate.by), at: candidate.at_ms })}</p>
              </div>
              {props.writable && (
                <Button aria-label={say("plan.conflict.keep_what", { value })} onClick={() => record.resolve(at, seen, candidate.value)}>
                  {say("plan.conflict.keep")}
                </Button>
              )}
            </li>
          );
        })}
      </ul>
      {props.writable && <Button kind="quiet" className={style["other"]} onClick={props.onOther}>{say("plan.conflict.other")}</Button>}
    </div>
  );
}
