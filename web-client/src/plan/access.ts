/** Who may see the plan, for the patient's page and for the team's: whom there is to choose about, and what was chosen. */
import { FIELDS, type AccessLevel, type AccessSubject, type AccessWish, type PersonId, type Role, type RowId } from "../wire";
import { docIn, useFieldSlice, useRows, useScene } from "./context";
import { address, EMPTY_DOC, keyOf, valueAt } from "./fold";
import { docOfList } from "./ops";

/** Somebody, or everybody of a role. */
export interface Choosable {
  readonly subject: AccessSubject;
  /** Nothing where it is not known: of who is not here and never wrote. */
  readonly role: Role | null;
  /** The row that says it, if one does. */
  readonly row: RowId | null;
  readonly level: AccessLevel;
  /** What may be chosen; nothing for whom the plan cannot do without. */
  readonly levels: readonly AccessLevel[];
}

/** Roles that may be shut out before one of them was ever there. */
const ROLES: readonly Role[] = ["nurse", "chw", "specialist"];

const MINIMUM: ReadonlySet<Role> = new Set(["pharmacist", "pcp"]);

/** That somebody acts by law is recorded by a clinician who saw the paper. */
export function levelsOf(role: Role, by: Role): readonly AccessLevel[] {
  if (MINIMUM.has(role)) return [];
  if (role !== "caregiver") return ["as_role", "none"];
  return MINIMUM.has(by) ? ["listen", "edit_voice", "legal", "none"] : ["listen", "edit_voice", "none"];
}

export const usual = (role: Role): AccessLevel => (role === "caregiver" ? "listen" : "as_role");

/** Everybody in the visit, everybody who wrote in the record, everybody somebody already chose about; then roles. */
export function useChoosable(): { readonly all: readonly Choosable[]; readonly choose: (one: Choosable, level: AccessLevel) => void } {
  const { record, roster, seat } = useScene();
  const rows = useRows("access");
  const known = useFieldSlice((state) => state.people);
  const doc = useFieldSlice((state) => docIn(state, "voice")?.shown.registers);
  const last = useFieldSlice((state) => docIn(state, docOfList("access"))?.shown.lists.get("access")?.at(-1) ?? null);
  const by = roster.find((one) => one.seat === seat)?.role ?? "patient";
  const voice = record.get().docs.get(FIELDS["access.content"].doc)?.shown ?? EMPTY_DOC;
  const said = doc === undefined ? [] : rows.map((row) => ({ row, wish: valueAt(voice, "access.content", row) }));
  const people = new Map<PersonId, { readonly name: string; readonly role: Role }>();
  for (const { person, name, role } of [...known.values(), ...roster]) people.set(person, { name, role });
  const all: Choosable[] = [];
  const seen = new Set<RowId>();
  const wishOf = (fits: (subject: AccessSubject) => boolean): { readonly row: RowId | null; readonly wish: AccessWish | null } => {
    const found = said.find(({ wish }) => wish !== null && fits(wish.subject));
    if (found !== undefined) seen.add(found.row);
    return found ?? { row: null, wish: null };
  };
  for (const [person, { name, role }] of people) {
    if (role === "patient" || role === "interpreter" || role === "observer") continue;
    const { row, wish } = wishOf((subject) => subject.kind === "person" && subject.person === person);
    all.push({ subject: { kind: "person", person, name }, role, row, level: wish?.level ?? usual(role), levels: levelsOf(role, by) });
  }
  for (const role of ROLES) {
    const { row, wish } = wishOf((subject) => subject.kind === "role" && subject.role === role);
    all.push({ subject: { kind: "role", role }, role, row, level: wish?.level ?? usual(role), levels: levelsOf(role, by) });
  }
  // About who is not here and never wrote, or two values at once.
  for (const { row, wish } of said) {
    if (seen.has(row)) continue;
    // Two values at once are shown as such, not as a choice.
    const subject: AccessSubject = wish?.subject ?? { kind: "role", role: "chw" };
    const level = wish?.level ?? "none";
    const speaks = level !== "none" && level !== "as_role";
    all.push({ subject, role: subject.kind === "role" ? subject.role : null, row, level, levels: speaks ? levelsOf("caregiver", by) : ["as_role", "none"] });
  }
  const { person: self } = record.self;
  const own = ({ levels, subject }: Choosable): boolean => levels.length === 0 || (subject.kind === "person" && subject.person === self);
  // A caregiver is told what is wished of themselves alone: about others the screen knows nothing, and says nothing.
  const told = by === "caregiver" && docIn(record.get(), "voice")?.lists.has("access") !== true ? all.filter(own) : all;
  return {
    // Whom there is nothing to choose about first.
    all: told.toSorted((a, b) => Number(a.levels.length > 0) - Number(b.levels.length > 0)),
    choose(one, level) {
      if (one.row === null) record.add("access", last, { "access.content": { subject: one.subject, level } });
      else record.set(address("access.content", one.row), { subject: one.subject, level });
    },
  };
}

/** Whether two values stand for one of these. */
export const useInDoubt = (row: RowId | null): boolean =>
  useFieldSlice((state) => row !== null && docIn(state, "voice")?.shown.registers.get(keyOf(address("access.content", row)))?.state === "conflict");
