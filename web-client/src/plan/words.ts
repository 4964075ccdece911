/** Values in words, for staff: on cards, in conflicts, in strips and in the box of what could not be saved. */
import type { Grammar, Say } from "../i18n";
import type { AccessSubject, AgreementReason, FieldValues, Measure, Reception, RowId, Sig } from "../wire";
import { hourIn } from "./hour";
import type { RegisterName } from "./fold";

export interface Wording {
  readonly say: Say;
  readonly g: Grammar;
  /** What a row of the plan is called. */
  readonly named: (row: RowId) => string;
}

type AnyValue = { [F in RegisterName]: { readonly field: F; readonly value: NonNullable<FieldValues[F]> } }[RegisterName];

export function words<F extends RegisterName>(field: F, value: NonNullable<FieldValues[F]> | null, with_: Wording): string {
  return value === null ? with_.say("plan.cleared") : wordsOf({ field, value } as unknown as AnyValue, with_);
}

function wordsOf({ field, value }: AnyValue, { say, g, named }: Wording): string {
  const reason = (word: string, why: string | undefined): string =>
    why === undefined || why === "" ? word : say("plan.value_reason", { value: word, reason: why });
  switch (field) {
    case "presence":
      return value.state === "present" ? say("plan.row.keep") : reason(say("plan.row.remove"), value.reason);
    case "meds.kind":
      return say(`plan.med.kind.${value}`);
    case "meds.product":
      return joined([value.name, value.strength_form]);
    case "meds.sig":
    case "meds.prescribed_sig":
      return sigShown(value, say);
    case "meds.indication":
    case "meds.prescriber":
    case "meds.pharmacy":
    case "meds.as_taken":
    case "problems.plain_text":
    case "problems.no_action_reason":
    case "problems.responsible":
    case "recommendations.reference":
    case "recommendations.implemented":
    case "recommendations.verified":
    case "recommendations.withdrawn":
    case "touchpoints.note":
    case "outline.interaction_frequency":
    case "outline.no_goal_reason":
    case "outline.no_touchpoint_reason":
      return value === "" ? say("plan.not_stated") : value;
    case "meds.status":
      return value.state === "stopped"
        ? say("plan.med.status.stopped_words", { date: value.date ?? null, reason: value.reason })
        : say(`plan.med.status.${value.state}`);
    case "meds.verify":
      return reason(say(`plan.med.verify.${value.state}`), value.state === "could_not_verify" ? value.reason : undefined);
    case "meds.adherence":
      return joined([reason(say(`plan.med.taking.${value.taking}`), value.reason), value.missed_per_7d === undefined ? "" : say("plan.med.missed", { count: value.missed_per_7d })], ", ");
    case "meds.supply":
      return say("plan.med.supply.words", { days: value.days ?? null, fill: value.last_fill === undefined ? null : g.date(value.last_fill) });
    case "meds.start":
    case "problems.due":
      return g.date(value);
    case "meds.sources":
      return g.list(value.map((source) => say(`plan.med.source.${source}`)));
    case "meds.discrepancy":
      return reason(say(`plan.med.discrepancy.${value.kind}`), value.resolution);
    case "meds.sensitivity":
      return say(`plan.med.sensitivity.${value}`);
    case "meds.indicated":
    case "meds.effective":
    case "meds.safe":
    case "meds.adherent":
      return reason(say(`plan.answer.${value.answer}`), value.note);
    case "allergies.content":
      return joined([value.substance, g.list(value.reactions ?? []), value.severity === undefined ? "" : say(`plan.allergy.severity.${value.severity}`), value.source], ", ");
    case "allergy_statement":
      return say(`plan.allergy.statement.${value}`);
    case "immunizations.content":
      return joined([value.vaccine, value.date === undefined ? "" : g.date(value.date)], ", ");
    case "conditions.content":
      return joined([value.text, say(`plan.condition.status.${value.status}`), value.onset === undefined ? "" : say("plan.condition.since", { date: value.onset })], ", ");
    case "measures.content":
    case "home_readings.content":
      return measureWords(value, say, g);
    case "problems.category":
      return say(`plan.problem.category.${value}`);
    case "problems.statement":
      return joined([value.condition, g.list(value.med_ids.map(named))], ": ");
    case "problems.severity":
      return say(`plan.problem.severity.${value}`);
    case "problems.urgency":
      return say(`plan.problem.urgency.${value}`);
    case "problems.evidence":
      return g.list(value.map(named));
    case "problems.outcome":
      return say(`plan.problem.outcome.${value}`);
    case "problems.patient_priority":
      return say(`plan.priority.${value as 1 | 2 | 3}`);
    case "recommendations.addressee":
      return joined([value.name, value.role === undefined ? "" : say(`plan.rec.addressee.role.${value.role}`)], ", ");
    case "recommendations.authority":
      return say(`plan.authority.${value.kind}`);
    case "recommendations.under_agreement":
      return value.reasons === undefined
        ? say("plan.under.done", value)
        : joined([say("plan.under.refused", value), ...value.reasons.map((one) => reasonWords(one, say))]);
    case "recommendations.replaces":
    case "meds.because":
      return named(value);
    case "dismissals.content":
      return value.reason;
    case "recommendations.content":
      return joined([value.summary, value.regimen === undefined ? "" : sigShown(value.regimen, say)], " · ");
    case "recommendations.state":
      return say(`plan.rec.state.${value}`);
    case "recommendations.decision":
      return joined([say(`plan.rec.state.${value.outcome}`), value.reason === undefined ? "" : say(`plan.rec.reason.${value.reason}`), value.note,
        value.regimen === undefined ? "" : sigShown(value.regimen, say)], " · ");
    case "goals.target":
      return say("plan.goal.words", { measure: value.measure, value: value.value, due: value.due ?? null });
    case "goals.owner":
      return say(`plan.goal.owner.${value}`);
    case "goals.achievement":
      return say(`plan.goal.achievement.${value}`);
    case "goals.problems":
      return g.list(value.map(named));
    case "teach_backs.content":
      return joined([value.message, say(`plan.teach_back.result.${value.result}`)], " · ");
    case "care_team.content":
      return joined([value.name, value.role, value.phone, value.fax, value.npi], ", ");
    case "comments.about":
      return joined([value.row === undefined ? "" : named(value.row), value.field === undefined ? "" : say(`plan.field.${value.field}`)], " · ");
    case "referral":
      return joined([say(`plan.referral.source.${value.source}`), value.referrer], ", ");
    case "identification":
      return joined([g.list(value.criteria.map((criterion) => say(`plan.criterion.${criterion}`))), value.reason], " · ");
    case "outline.duration":
      return say("plan.duration.words", { start: g.date(value.start), end: g.date(value.planned_end) });
    case "contact_preference":
      return joined([say(`plan.touchpoint.format.${value.format}`), value.times], ", ");
    case "todos.confidence":
      return say("plan.confidence.words", { count: value });
    case "what_i_did.todo":
      return named(value);
    case "remarks.about":
      return say(`plan.remark.kind.${value.kind}`);
    case "remarks.state":
      return say(`plan.remark.state.${value}`);
    case "consents.content":
      return joined([say(`plan.consent.kind.${value.kind}`), say(`plan.consent.state.${value.state}`), say(`plan.consent.method.${value.method}`), value.witness, value.scope], " · ");
    case "access.content":
      return joined([`${subjectWords(value.subject, say)}: ${say(`plan.access.${value.level}`)}`, value.reason], " · ");
    case "tasks.content":
      return joined([value.title, value.assignee, value.due === undefined ? "" : g.date(value.due)], " · ");
    case "tasks.status":
      return say(`plan.task.status.${value}`);
    case "todos.should_do":
      return joined([value.text, value.when, g.list((value.med_ids ?? []).map(named))], " · ");
    case "touchpoints.content":
      return joined([value.purpose, value.when, value.due === undefined ? "" : say("plan.touchpoint.due_words", { due: g.date(value.due) }), value.frequency, say(`plan.touchpoint.format.${value.format}`), g.list((value.members ?? []).map((role) => say(`plan.role.${role}`)))], " · ");
    case "touchpoints.state":
      return joined([
        say(`plan.follow.step.${value.step}`), value.on === undefined ? "" : g.date(value.on),
        value.booked === undefined ? "" : hourIn(value.booked, g.language), value.booked === undefined ? "" : say(`plan.touchpoint.format.${value.booked.format}`),
        value.booked === undefined ? "" : g.list((value.booked.with ?? []).map(({ name }) => name)),
      ], " · ");
    case "outline.when_to_call":
      return joined([value.call, value.emergency], " · ");
    case "signed":
      return g.number(value.version);
    case "revision":
      return value.reason;
    case "receipts":
      return joined(value.map(({ what }) => (what.kind === "handed_on" ? joined([handedTo(what, say), say(`plan.receipt.how.${what.how}`)], " ") : say(`plan.receipt.short.${what.kind}`))), " · ");
    case "addenda":
      return joined(value.map(({ text }) => text), " · ");
    case "meds.cost_concern":
    case "meds.high_alert":
    case "meds.controlled":
    case "reviewed.allergies":
    case "reviewed.immunizations":
    case "questions.answered":
    case "share":
    case "recommendations.seen":
    case "todos.tick":
      return say(value ? "plan.yes" : "plan.no");
  }
}

/** To whom a signed plan was handed on. */
export const handedTo = ({ to, name }: Extract<Reception, { readonly kind: "handed_on" }>, say: Say): string =>
  name === undefined ? say(`plan.receipt.to.${to}`) : `${say(`plan.receipt.to.${to}`)}, ${name}`;

/** A person by name, a role as everybody who has it. */
export const subjectWords = (subject: AccessSubject, say: Say): string =>
  subject.kind === "person" ? subject.name : say("plan.access.any", { role: say(`plan.role.${subject.role}`) });

/** Why something was not allowed under an agreement. */
export const reasonWords = ({ code, about }: AgreementReason, say: Say): string => {
  const words = say(`plan.under.reason.${code}`);
  return about === undefined ? words : say("plan.under.about", { words: words.replace(/\.$/, ""), about });
};

/** "Weight: 80 kg, 1 March 2026, at the clinic". */
export const measureWords = (value: Measure, say: Say, g: Grammar): string =>
  `${say(`plan.measure.kind.${value.kind}`)}: ${joined([value.value, unitWords(value.unit)])}, ${g.date(value.at.slice(0, 10))}, ${say(`plan.measure.source.${value.source}`)}`;

/** UCUM as a reader knows it: "mm[Hg]" is printed mm Hg. */
export const unitWords = (unit: string): string => unit === "[lb_av]" ? "lb" : unit.replace(/\[([^\]]*)\]/g, " $1").replace(/\{[^}]*\}/g, "").trim();

const joined = (parts: readonly (string | undefined)[], between = " "): string =>
  parts.filter((part) => part !== undefined && part !== "").join(between);

/**
 * A sig for staff: what its writer wrote, and what the structure says where that is not the same sentence. Both are
 * shown, because the structure may be what is wrong.
 */
export function sigShown(sig: Sig, say: Say): string {
  const structure = composeSig(sig, say);
  return structure === "" || structure === sig.text ? sig.text : `${sig.text} (${structure})`;
}

/** The structure of a sig in a staff sentence. It is offered as the text of the sig, which a person then accepts. */
export function composeSig(sig: Omit<Sig, "text">, say: Say): string {
  const said = joined([
    sig.dose === undefined ? "" : say("plan.sig.said.dose", sig.dose),
    sig.route === undefined || sig.route === "other" ? "" : say(`plan.sig.route.${sig.route}`).toLowerCase(),
    sig.freq === undefined ? "" : say("plan.sig.said.freq", sig.freq),
    sig.freq?.meal === undefined ? "" : say(`plan.sig.meal.${sig.freq.meal}`).toLowerCase(),
  ]);
  const rest = [
    ...(sig.times ?? []).map((time) => say(`plan.sig.said.time.${time}`)),
    sig.prn === undefined ? "" : sig.prn.reason === "" ? say("plan.sig.said.prn") : say("plan.sig.said.prn_for", { reason: sig.prn.reason }),
    sig.max_per_day === undefined ? "" : say("plan.sig.said.max", { max: sig.max_per_day }),
  ];
  return joined([said, ...rest], ", ");
}
