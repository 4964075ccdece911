/** The record beside the call, for staff: tabs in the order of care. */
import { CircleCheck, Share2 } from "lucide-react";
import { memo, useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import type { PanelProps } from "../call/panel";
import type { Address, FieldName, RowId } from "../wire";
import { editing } from "../call/editing";
import { useLanguage } from "../i18n";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Chip } from "../ui/Chip";
import { Dialog } from "../ui/Dialog";
import { Tabs, type Tab } from "../ui/Tabs";
import { RecordProvider, useFieldSlice, useMay, useNames, useRecordSlice, useScene, useValue } from "./context";
import { inUse, leftIn, TAB_IDS, type Left } from "./counts";
import { conflicts, EMPTY_DOC, valueAt } from "./fold";
import { HistoryContext } from "./historyContext";
import { HistoryDialog } from "./HistoryDialog";
import { focusField, JumpContext, WantedContext } from "./jump";
import { prepareNarrative } from "./NarrativeText";
import { Assess } from "./panels/Assess";
import { Collect } from "./panels/Collect";
import { FollowUp } from "./panels/FollowUp";
import { Implement } from "./panels/Implement";
import { PlanPanel } from "./panels/Problems";
import { useCommand } from "./panels/command";
import { Team, Voice } from "./panels/Voice";
import { PLACE, type TabId } from "./places";
import type { RecordState } from "./state";
import { StandingsProvider, useOwed } from "./standings";
import { sameItems } from "./store";
import { ShortcutsButton, ShortcutsDialog, useShortcuts } from "./Shortcuts";
import { UndoButton, useUndo } from "./UndoButton";
import { Unsaved } from "./Unsaved";
import { VisitContext, type DrawVisit } from "./visit";
import editor from "./Editor.module.css";
import style from "./RecordPanel.module.css";

/** `tools`: what the call puts beside undo and share. `visit`: how it draws the visit of a touchpoint. */
export function RecordPanel(props: PanelProps & { readonly tools?: ReactNode; readonly visit?: DrawVisit }) {
  const { say } = useLanguage();
  return (
    <section aria-label={say("plan.label")} className={style["record"]}>
      <RecordProvider panel={props} waiting={<p className={style["loading"]}>{say("plan.waiting_for_seat")}</p>}>
        <VisitContext value={props.visit ?? null}>
          <StandingsProvider><Panel tools={props.tools} /></StandingsProvider>
        </VisitContext>
      </RecordProvider>
    </section>
  );
}

function Panel({ tools }: { readonly tools: ReactNode }) {
  const { say } = useLanguage();
  const [tab, setTab] = useState<TabId>("collect");
  const ready = useRecordSlice((state) => state.docs.size > 0);
  const closed = useRecordSlice((state) => state.closed);
  const storage = useRecordSlice((state) => state.storage);
  const notes = useNotes();
  const root = useRef<HTMLDivElement>(null);
  const undo = useUndo();
  const [history, setHistory] = useState<{ readonly field: FieldName; readonly row: RowId | undefined } | null>(null);
  const [keys, setKeys] = useState(false);
  const openHistory = useCallback((field: FieldName, row?: RowId) => setHistory({ field, row }), []);
  useShortcuts(root, {
    undo: undo.undo, history: openHistory, list: () => setKeys(true),
    tab: (index) => {
      const to = TAB_IDS[index];
      if (to === undefined) return;
      setTab(to);
      root.current?.querySelectorAll<HTMLElement>("[role=tab]")[index]?.focus();
    },
  });
  useTiles();
  useEffect(() => void prepareNarrative(), []);
  const frame = useRef<HTMLDivElement>(null);
  const [wanted, setWanted] = useState<Address | null>(null);
  const jump = useCallback((at: Address) => {
    setTab(PLACE[at.field]);
    setWanted(at);
  }, []);
  // After the tab has been drawn.
  useEffect(() => {
    if (wanted === null || frame.current === null) return;
    focusField(frame.current, wanted);
    setWanted(null);
  }, [wanted, tab]);
  if (!ready) {
    return (
      <>
        <p className={style["loading"]}>{say(closed === null ? "plan.loading" : `plan.closed.${closed}`)}</p>
        <Unsaved />
      </>
    );
  }
  const tabs: readonly Tab<TabId>[] = TAB_IDS.map((id) => ({ id, label: say(`plan.tab.${id}`), note: notes[id] }));
  return (
    <HistoryContext value={openHistory}>
      {closed !== null && <Banner tone="warn">{say(`plan.closed.${closed}`)}</Banner>}
      {storage !== "ok" && <Banner tone={storage === "failed" ? "danger" : "warn"}>{say(`plan.storage.${storage}`)}</Banner>}
      <Unsaved />
      <div ref={root} className={style["root"]}>
        <Tabs label={say("plan.tabs")} tabs={tabs} selected={tab} onSelect={setTab} className={style["tabs"] ?? ""}>
          <div className={style["bar"]}>
            <UndoButton undo={undo} />
            <ShortcutsButton onOpen={() => setKeys(true)} />
            {tools}
            <Share />
          </div>
          <JumpContext value={jump}><WantedContext value={wanted}><div ref={frame}><Part tab={tab} /></div></WantedContext></JumpContext>
        </Tabs>
      </div>
      {history !== null && <HistoryDialog field={history.field} row={history.row} onClose={() => setHistory(null)} />}
      {keys && <ShortcutsDialog onClose={() => setKeys(false)} />}
    </HistoryContext>
  );
}

/** Tells the tiles who is in the record. */
function useTiles(): void {
  const { seat, roster } = useScene();
  const names = useNames();
  const here = useRecordSlice((state) => [...state.carets.keys()].filter((other) => other !== seat && roster.some((one) => one.seat === other)), sameItems);
  useEffect(() => {
    editing.set(new Map(here.map((other) => [other, names.colour(other)])));
    return () => editing.set(new Map());
  }, [here, names]);
}

/** What a tab shows. */
export const Part = memo(function Part({ tab }: { readonly tab: TabId }) {
  switch (tab) {
    case "collect": return <Collect />;
    case "assess": return <Assess />;
    case "plan": return <PlanPanel />;
    case "implement": return <Implement />;
    case "follow_up": return <FollowUp />;
    case "voice": return <Voice />;
    case "team": return <Team />;
    default: return tab satisfies never;
  }
});

/** What is left, in words beside the tab. */
function useNotes(): Partial<Record<TabId, string>> {
  const { say } = useLanguage();
  const owed = useOwed().length;
  const left = useFieldSlice(allLeft, (a, b) => a.every((one, index) => sameLeft(one, b[index])));
  const notes: Partial<Record<TabId, string>> = {};
  TAB_IDS.forEach((tab, index) => {
    const what = left[index];
    if (what !== undefined && what.kind !== "nothing") notes[tab] = say(`plan.left.${what.kind}`, { count: what.count });
  });
  // Time and calls tell it, which no document does; that two people disagree comes before it.
  if (owed > 0) notes.follow_up ??= say("plan.left.overdue", { count: owed });
  return notes;
}

/** Counted once for each state of the documents: a letter on its way changes none of it. */
const counted = new WeakMap<RecordState["docs"], readonly Left[]>();

function allLeft(state: RecordState): readonly Left[] {
  const known = counted.get(state.docs);
  if (known !== undefined) return known;
  const left = TAB_IDS.map((tab) => leftIn(state, tab));
  counted.set(state.docs, left);
  return left;
}

const sameLeft = (a: Left, b: Left | undefined): boolean =>
  a.kind === b?.kind && (a.kind === "nothing" || b.kind === "nothing" || a.count === b.count);

function Share() {
  const { say } = useLanguage();
  const shared = useValue("share");
  const may = useMay("share");
  const open = useFieldSlice((state) => conflicts(state.docs.get("plan")?.shown ?? EMPTY_DOC).length);
  const unverified = useFieldSlice((state) => {
    const doc = state.docs.get("plan")?.shown ?? EMPTY_DOC;
    return inUse(doc).filter((row) => (valueAt(doc, "meds.verify", row)?.state ?? "unverified") === "unverified").length;
  });
  const [asking, setAsking] = useState(false);
  const { busy, problem, give } = useCommand();
  if (shared === true) {
    return <div data-field="share" className={style["share"]}><Chip tone="ok" icon={<CircleCheck size={16} aria-hidden />}>{say("plan.shared")}</Chip></div>;
  }
  if (!may) return null;
  return (
    <div data-field="share" className={style["share"]}>
      <Button icon={<Share2 size={18} aria-hidden />} onClick={() => setAsking(true)}>{say("plan.share")}</Button>
      {asking && (
        <Dialog
          title={say("plan.share.title")} onClose={() => setAsking(false)}
          actions={(
            <>
              <Button onClick={() => setAsking(false)}>{say("plan.cancel")}</Button>
              <Button kind="primary" disabled={busy} onClick={() => void give({ kind: "share" }).then((done) => { if (done) setAsking(false); })}>
                {say(busy ? "plan.command.busy" : "plan.share")}
              </Button>
            </>
          )}
        >
          <p>{say("plan.share.words")}</p>
          {open > 0 && <p className={style["warn"]}>{say("plan.share.conflicts", { count: open })}</p>}
          {unverified > 0 && <p className={style["warn"]}>{say("plan.share.unverified", { count: unverified })}</p>}
          {problem !== null && <p role="alert" className={editor["refusal"]}>{problem}</p>}
        </Dialog>
      )}
    </div>
  );
}
