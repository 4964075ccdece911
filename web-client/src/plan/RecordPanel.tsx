/** The record beside the call, for staff: tabs in the order of care. */
import { CircleCheck, Share2 } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import type { PanelProps } from "../call/panel";
import { useLanguage } from "../i18n";
import { Banner } from "../ui/Banner";
import { Button } from "../ui/Button";
import { Chip } from "../ui/Chip";
import { Dialog } from "../ui/Dialog";
import { Tabs, type Tab } from "../ui/Tabs";
import { FIELDS, type Address } from "../wire";
import { RecordProvider, useRecordSlice, useRows, useValue } from "./context";
import { conflicts, EMPTY_DOC, keyOf, parseKey, standing, valueAt } from "./fold";
import { focusField, JumpContext } from "./jump";
import { prepareNarrative } from "./NarrativeText";
import { Assess } from "./panels/Assess";
import { Collect } from "./panels/Collect";
import { FollowUp } from "./panels/FollowUp";
import { Implement } from "./panels/Implement";
import { PlanPanel } from "./panels/Problems";
import { useCommand } from "./panels/command";
import { Team, Voice } from "./panels/Voice";
import { Unsaved } from "./Unsaved";
import editor from "./Editor.module.css";
import style from "./RecordPanel.module.css";

type TabId = "collect" | "assess" | "plan" | "implement" | "follow_up" | "voice" | "team";

export function RecordPanel(props: PanelProps) {
  const { say } = useLanguage();
  return (
    <section aria-label={say("plan.label")} className={style["record"]}>
      <RecordProvider panel={props} waiting={<p className={style["loading"]}>{say("plan.waiting_for_seat")}</p>}>
        <Panel />
      </RecordProvider>
    </section>
  );
}

function Panel() {
  const { say } = useLanguage();
  const [tab, setTab] = useState<TabId>("collect");
  const ready = useRecordSlice((state) => state.docs.size > 0);
  const team = useRecordSlice((state) => state.docs.has("team"));
  const closed = useRecordSlice((state) => state.closed);
  const storage = useRecordSlice((state) => state.storage);
  const notes = useNotes();
  useEffect(() => void prepareNarrative(), []);
  const frame = useRef<HTMLDivElement>(null);
  const [wanted, setWanted] = useState<Address | null>(null);
  const jump = useCallback((at: Address) => {
    setTab(tabOf(keyOf(at)));
    setWanted(at);
  }, []);
  // After the tab has been drawn.
  useEffect(() => {
    if (wanted === null || frame.current === null) return;
    focusField(frame.current, wanted);
    setWanted(null);
  }, [wanted, tab]);
  if (!ready) return <p className={style["loading"]}>{say(closed === null ? "plan.loading" : `plan.closed.${closed}`)}</p>;
  const ids: readonly TabId[] = ["collect", "assess", "plan", "implement", "follow_up", "voice", ...(team ? ["team" as const] : [])];
  const tabs: readonly Tab<TabId>[] = ids.map((id) => ({ id, label: say(`plan.tab.${id}`), note: notes[id] }));
  return (
    <>
      {closed !== null && <Banner tone="warn">{say(`plan.closed.${closed}`)}</Banner>}
      {storage !== "ok" && <Banner tone={storage === "failed" ? "danger" : "warn"}>{say(`plan.storage.${storage}`)}</Banner>}
      <Unsaved />
      <Tabs label={say("plan.tabs")} tabs={tabs} selected={tab} onSelect={setTab} className={style["tabs"] ?? ""}>
        <Share />
        <JumpContext value={jump}><div ref={frame}><Shown tab={tab} /></div></JumpContext>
      </Tabs>
    </>
  );
}

function Shown({ tab }: { readonly tab: TabId }) {
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
}

/** Where something waits for a person, in words beside the tab. */
function useNotes(): Partial<Record<TabId, string>> {
  const { say } = useLanguage();
  const open = useRecordSlice((state) => {
    const count = (tab: TabId): number => [...state.docs.values()].flatMap((doc) => conflicts(doc.shown)).filter((key) => tabOf(key) === tab).length;
    return JSON.stringify({ collect: count("collect"), assess: count("assess"), plan: count("plan"), implement: count("implement"), follow_up: count("follow_up"), voice: count("voice") });
  });
  const waiting = useRecordSlice((state) => {
    const doc = state.docs.get("plan");
    return doc?.commands.has("decide") === true
      ? standing(doc.shown, "recommendations").filter((row) => valueAt(doc.shown, "recommendations.state", row) === "sent").length
      : 0;
  });
  const counts: Record<string, number> = JSON.parse(open) as Record<string, number>;
  const notes: Partial<Record<TabId, string>> = {};
  for (const tab of ["collect", "assess", "plan", "implement", "follow_up", "voice"] as const) {
    const count = counts[tab] ?? 0;
    if (count > 0) notes[tab] = say("plan.note.conflicts", { count });
  }
  if (waiting > 0) notes.plan ??= say("plan.note.decide", { count: waiting });
  return notes;
}

function tabOf(key: string): TabId {
  const { field } = parseKey(key);
  if (FIELDS[field].doc === "voice") return "voice";
  if (/^meds\.(indicated|effective|safe|adherent)$/.test(field)) return "assess";
  if (/^(problems|recommendations)\./.test(field)) return "plan";
  if (/^(todos|goals)\./.test(field)) return "implement";
  return /^(touchpoints|outline)\./.test(field) ? "follow_up" : "collect";
}

function Share() {
  const { say } = useLanguage();
  const shared = useValue("share");
  const may = useRecordSlice((state) => state.docs.get("plan")?.commands.has("share") === true && state.closed === null);
  const open = useRecordSlice((state) => conflicts(state.docs.get("plan")?.shown ?? EMPTY_DOC).length);
  const meds = useRows("meds");
  const unverified = useRecordSlice((state) => {
    const doc = state.docs.get("plan")?.shown ?? EMPTY_DOC;
    return meds.filter((row) => (valueAt(doc, "meds.status", row)?.state ?? "active") === "active" && (valueAt(doc, "meds.verify", row)?.state ?? "unverified") === "unverified").length;
  });
  const [asking, setAsking] = useState(false);
  const { busy, problem, give } = useCommand();
  if (shared === true) {
    return <div className={style["share"]}><Chip tone="ok" icon={<CircleCheck size={16} aria-hidden />}>{say("plan.shared")}</Chip></div>;
  }
  if (!may) return null;
  return (
    <div className={style["share"]}>
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
