/** The values that lists of choices offer, in the order a person looks for them. */
import type {
  Achievement, ConsentKind, ConsentMethod, ConsentState, Criterion, DiscrepancyKind, GoalOwner, ProblemOutcome, ReferralSource, RemarkKind,
  RemarkState, Sensitivity, TaskStatus, TeachBackResult, VerifySource,
} from "../../wire";

export const VERIFY_SOURCES: readonly VerifySource[] = ["bottle", "patient", "caregiver", "pharmacy", "ehr"];
export const DISCREPANCIES: readonly DiscrepancyKind[] = ["none", "omission", "commission", "dose", "frequency", "duplicate", "not_taking", "other"];
export const SENSITIVITIES: readonly Sensitivity[] = ["none", "part2"];
export const OUTCOMES: readonly ProblemOutcome[] = ["resolved", "improved", "unchanged", "worsened", "withdrawn"];
export const OWNERS: readonly GoalOwner[] = ["patient", "team"];
export const ACHIEVEMENTS: readonly Achievement[] = ["in_progress", "improving", "worsening", "no_change", "achieved", "sustaining", "not_achieved", "not_attainable"];
export const TEACH_BACK_RESULTS: readonly TeachBackResult[] = ["understood", "re_explained", "needs_follow_up"];
export const REFERRERS: readonly ReferralSource[] = ["pcp", "patient", "team", "discharge", "trigger", "payer", "huddle", "echo"];
export const CRITERIA: readonly Criterion[] = [
  "multi_condition", "complex_regimen", "goals_unmet", "adr_risk", "preventable_use", "equity_gap", "multi_provider", "functional_deficit", "transitions",
];
export const CONSENT_KINDS: readonly ConsentKind[] = ["telehealth", "mtm", "info_sharing", "caregiver", "photo", "sms", "recording", "cdtm_written", "echo_case_use"];
export const CONSENT_STATES: readonly ConsentState[] = ["given", "declined", "withdrawn"];
export const CONSENT_METHODS: readonly ConsentMethod[] = ["verbal", "checkbox", "signature"];
export const TASK_STATUSES: readonly TaskStatus[] = ["open", "accepted", "in_progress", "done", "declined", "cancelled"];
export const REMARK_KINDS: readonly RemarkKind[] = ["question", "correction", "idea"];
export const REMARK_STATES: readonly RemarkState[] = ["open", "taken_up", "talked_about"];
export const PRIORITIES = [1, 2, 3] as const;
/** 0 not at all, 10 entirely. */
export const CONFIDENCES: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
