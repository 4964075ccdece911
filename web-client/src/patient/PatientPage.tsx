/** The patient's plan: large, one thing after another. What is in doubt says so; a dose is never composed here. */
import { useEffect, useRef, useState, type RefObject } from "react";
import type { PanelProps } from "../call/panel";
import { useLanguage } from "../i18n";
import { RecordProvider, useRecordSlice } from "../plan/context";
import { prepareNarrative } from "../plan/NarrativeText";
import { SavePill } from "../plan/SavePill";
import { Unsaved } from "../plan/Unsaved";
import { Tabs } from "../ui/Tabs";
import { Answer } from "./Answer";
import { Medicines } from "./Medicines";
import { More } from "./More";
import { SentencesContext, useFetchedSentences } from "./sentences";
import { Todos } from "./Todos";
import style from "./PatientPage.module.css";

type TabId = "meds" | "todos" | "more";
const TABS: readonly TabId[] = ["meds", "todos", "more"];

export function PatientPage(props: PanelProps) {
  const { say } = useLanguage();
  const page = useRef<HTMLElement>(null);
  useSteadyPress(page);
  return (
    <section ref={page} aria-label={say("patient.label")} className={style["plan"]}>
      <RecordProvider panel={props} waiting={<p className={style["note"]}>{say("patient.loading")}</p>}>
        <Plan record={props.record} />
      </RecordProvider>
    </section>
  );
}

/**
 * While somebody types, the face above is a strip. A press on a button would end the typing, the face would grow, and the
 * button would be gone from under the finger before it is lifted. So a press leaves the focus where it is.
 */
function useSteadyPress(page: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = page.current;
    if (element === null) return undefined;
    const press = (event: MouseEvent): void => {
      const typing = document.activeElement?.matches("input:not([type=checkbox], [type=radio]), textarea") === true;
      const button = event.target instanceof Element && event.target.closest("button, label") !== null;
      if (typing && button) event.preventDefault();
    };
    element.addEventListener("mousedown", press);
    return () => element.removeEventListener("mousedown", press);
  }, [page]);
}

function Plan(props: { readonly record: PanelProps["record"] }) {
  const sentences = useFetchedSentences();
  return <SentencesContext value={sentences}><Parts {...props} /></SentencesContext>;
}

function Parts({ record }: { readonly record: PanelProps["record"] }) {
  const { say } = useLanguage();
  const [tab, setTab] = useState<TabId>("meds");
  const ready = useRecordSlice((state) => state.docs.size > 0);
  const shared = useRecordSlice((state) => state.docs.has("plan"));
  const closed = useRecordSlice((state) => state.closed);
  useEffect(() => void prepareNarrative(), []);
  if (!ready) return <p className={style["note"]}>{say(closed === null ? "patient.loading" : `patient.closed.${closed}`)}</p>;
  return (
    <>
      <Tabs
        label={say("patient.tabs")} tabs={TABS.map((id) => ({ id, label: say(`patient.tab.${id}`) }))} selected={tab} onSelect={setTab}
        className={style["tabs"] ?? ""}
      >
        <div className={style["page"]}>
          <div className={style["pill"]}><SavePill record={record} /></div>
          <Unsaved />
          {!shared && tab !== "more" && <NotYet onWrite={() => setTab("more")} />}
          {shared && tab === "meds" && <><Answer /><Medicines /></>}
          {shared && tab === "todos" && <Todos />}
          {tab === "more" && <More shared={shared} />}
        </div>
      </Tabs>
    </>
  );
}

function NotYet({ onWrite }: { readonly onWrite: () => void }) {
  const { say } = useLanguage();
  return (
    <div className={style["before"]}>
      <h2>{say("patient.before")}</h2>
      <p>{say("patient.before.what")}</p>
      <button type="button" className={style["link"]} onClick={onWrite}>{say("patient.before.write")}</button>
    </div>
  );
}
