/** How staff who may not write a field propose a change: a word about a row, or about the plan. */
import { MessageSquarePlus } from "lucide-react";
import { useLanguage } from "../../i18n";
import type { RowId } from "../../wire";
import { Button } from "../../ui/Button";
import { useNames, useFieldSlice, useRegister, useRowNames } from "../context";
import { EMPTY_DOC, standing, valueAt } from "../fold";
import { Marks } from "../Marks";
import { NarrativeText } from "../NarrativeText";
import { RowDoubt, RowTools } from "../rows";
import { sameItems } from "../store";
import { TextRows, useTextRow } from "./shared";
import style from "./panels.module.css";

/** All comments. A new one is about the plan as a whole. */
export function Comments() {
  const { say } = useLanguage();
  return <TextRows list="comments" first={{ "comments.about": {} }} empty={say("plan.comments.none")} row={({ row, fresh }) => <Comment row={row} fresh={fresh} />} />;
}

function Comment({ row, fresh }: { readonly row: RowId; readonly fresh: boolean }) {
  const { say } = useLanguage();
  const names = useNames();
  const named = useRowNames();
  const about = useRegister("comments.about", row);
  const what = about.value?.row === undefined ? say("plan.comments.whole") : named(about.value.row);
  return (
    <div className={style["comment"]}>
      <RowDoubt list="comments" row={row} />
      <div className={style["smallRow"]}>
        <div className={style["smallValue"]}>
          <Marks field="comments.about" row={row} view={about} labelled>
            <p className={style["by"]}>{about.by === null ? what : say("plan.comments.by", { name: names.short(about.by), about: what })}</p>
          </Marks>
          <NarrativeText field="comments.text" row={row} fresh={fresh} />
        </div>
        <RowTools list="comments" row={row} name={say("plan.field.comments.text")} fixed />
      </div>
    </div>
  );
}

/** Comments about one row, at its foot. */
export function RowComments({ row, name }: { readonly row: RowId; readonly name: string }) {
  const { say } = useLanguage();
  const { add, allowed, fresh } = useTextRow("comments", { "comments.about": { row } });
  const rows = useFieldSlice((state) => {
    const doc = state.docs.get("plan")?.shown ?? EMPTY_DOC;
    return standing(doc, "comments").filter((one) => valueAt(doc, "comments.about", one)?.row === row);
  }, sameItems);
  return (
    <>
      {rows.map((one) => <Comment key={one} row={one} fresh={one === fresh} />)}
      {allowed && (
        <Button kind="quiet" className={style["add"]} icon={<MessageSquarePlus size={18} aria-hidden />} onClick={add}>
          {say("plan.add.comments")}<span className="unseen">: {name}</span>
        </Button>
      )}
    </>
  );
}
