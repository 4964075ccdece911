/** What is left to do in each part of the panel, as its tab says it. Pure. */
import { conflicts, EMPTY_DOC, parseKey, standing, valueAt, type DocState } from "./fold";
import { PLACE, type TabId } from "./places";
import type { RecordState } from "./state";

export const TAB_IDS: readonly TabId[] = ["collect", "assess", "plan", "implement", "follow_up", "voice", "team"];
export const CELLS = ["meds.indicated", "meds.effective", "meds.safe", "meds.adherent"] as const;

/** The most pressing thing of a part; only one is said. */
export type Left =
  | { readonly kind: "conflicts" | "unverified" | "open_questions" | "to_decide" | "unanswered" | "waiting" | "to_answer" | "tasks"; readonly count: number }
  | { readonly kind: "nothing" };

const NOTHING: Left = { kind: "nothing" };

export function leftIn(state: RecordState, tab: TabId): Left {
  const open = [...state.docs.values()].flatMap((doc) => conflicts(doc.shown)).filter((key) => PLACE[parseKey(key).field] === tab).length;
  if (open > 0) return { kind: "conflicts", count: open };
  const plan = state.docs.get("plan")?.shown ?? EMPTY_DOC;
  const voice = state.docs.get("voice")?.shown ?? EMPTY_DOC;
  const team = state.docs.get("team")?.shown ?? EMPTY_DOC;
  const sent = standing(plan, "recommendations").filter((row) => valueAt(plan, "recommendations.state", row) === "sent").length;
  const decides = state.docs.get("plan")?.commands.has("decide") === true;
  const some = (kind: Exclude<Left["kind"], "nothing">, count: number): Left => (count === 0 ? NOTHING : { kind, count });
  switch (tab) {
    case "collect":
      return some("unverified", inUse(plan).filter((row) => (valueAt(plan, "meds.verify", row)?.state ?? "unverified") === "unverified").length);
    case "assess":
      return some("open_questions", inUse(plan).flatMap((row) => CELLS.filter((cell) => plan.registers.get(`${row}/${cell}`) === undefined)).length);
    case "plan":
      return decides && sent > 0 ? { kind: "to_decide", count: sent } : some("unanswered", unanswered(plan));
    case "implement": {
      if (sent > 0) return decides ? NOTHING : { kind: "waiting", count: sent };
      return some("tasks", standing(team, "tasks").filter((row) => !ENDED.has(valueAt(team, "tasks.status", row) ?? "open")).length);
    }
    case "voice":
      return some("to_answer", standing(voice, "questions").filter((row) => valueAt(voice, "questions.answered", row) !== true).length
        + standing(voice, "remarks").filter((row) => (valueAt(voice, "remarks.state", row) ?? "open") === "open").length);
    case "follow_up":
    case "team":
      return NOTHING;
    default:
      return tab satisfies never;
  }
}

const ENDED: ReadonlySet<string> = new Set(["done", "declined", "cancelled"]);

/** Medicines that are taken, or paused: the ones that are looked through. */
export const inUse = (plan: DocState) =>
  standing(plan, "meds").filter((row) => ["active", "on_hold"].includes(valueAt(plan, "meds.status", row)?.state ?? "active"));

/** Problems of high severity with neither a recommendation nor a reason for none. */
const unanswered = (plan: DocState): number => {
  const problems = new Set(standing(plan, "recommendations").map((row) => valueAt(plan, "recommendations.content", row)?.problem));
  return standing(plan, "problems")
    .filter((row) => valueAt(plan, "problems.severity", row) === "high" && (valueAt(plan, "problems.no_action_reason", row) ?? "") === "" && !problems.has(row)).length;
};
