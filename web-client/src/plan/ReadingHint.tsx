/** Tells the author of a sentence for the patient when it has become hard to read. */
import { useLanguage } from "../i18n";
import type { FieldName } from "../wire";
import { useFieldSlice } from "./context";
import { EMPTY_DOC, valueAt } from "./fold";
import { gradeOf } from "./grade";
import style from "./Editor.module.css";

/** What the patient reads on the page as it was written. */
export const READ_BY_PATIENT: ReadonlySet<FieldName> = new Set<FieldName>([
  "problems.plain_text", "goals.text", "todos.talked_about", "todos.should_do", "outline.follow_up_instructions", "outline.when_to_call",
  "outline.adherence_process", "outline.education_notes",
]);

export function ReadingHint({ text }: { readonly text: string }) {
  const { say, language } = useLanguage();
  const names = useFieldSlice((state) => {
    const doc = state.docs.get("plan")?.shown ?? EMPTY_DOC;
    return (doc.lists.get("meds") ?? []).map((row) => valueAt(doc, "meds.product", row)?.name ?? "").join("\n");
  });
  const grade = gradeOf(text, names.split("\n"), language);
  if (grade === null || grade.verdict === "good") return null;
  return <p className={style["hint"]}>{say(grade.verdict === "hard" ? "plan.reading.hard" : "plan.reading.too_hard", { score: grade.score })}</p>;
}
