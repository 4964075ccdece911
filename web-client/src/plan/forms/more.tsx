/** Forms of what stands under "More": supply, differences, dates, links to other rows. */
import { useLanguage, type Say } from "../../i18n";
import type { Addressee, Discrepancy, Duration, Identification, PartialDate, PrescriberRole, Referral, RowId, Supply, VerifySources } from "../../wire";
import { Select } from "../../ui/Field";
import { useProblemTitle, useRowNames, useRows } from "../context";
import type { FormParts, Shape } from "../Editor";
import { GrowField } from "../GrowField";
import { CRITERIA, DISCREPANCIES, REFERRERS, VERIFY_SOURCES } from "./choices";
import { Checks, DateBox, dateOk, TextBox } from "./parts";
import { picked } from "./sig";
import style from "./forms.module.css";

/** A choice among few, inside a form. */
export function Pick<T extends string>(props: {
  readonly label: string;
  readonly options: readonly T[];
  readonly value: T | "";
  readonly words: (value: T) => string;
  readonly onPick: (value: T) => void;
  readonly problem?: string | undefined;
}) {
  const { say } = useLanguage();
  return (
    <Select label={props.label} value={props.value} problem={props.problem} onChange={(event) => props.onPick(picked(props.options, event.currentTarget.value))}>
      {props.value === "" && <option value="" disabled>{say("plan.none_chosen")}</option>}
      {props.options.map((option) => <option key={option} value={option}>{props.words(option)}</option>)}
    </Select>
  );
}

const needed = (say: Say, tried: boolean, text: string): string | undefined => (tried && text.trim() === "" ? say("plan.needed") : undefined);

// ---- a date ----

export const dateShape: Shape<PartialDate, string> = {
  begin: (value) => value ?? "",
  finish: (draft) => (!dateOk(draft) ? "unfinished" : { value: draft === "" ? null : draft }),
  form: (parts) => <OneDate {...parts} />,
};

function OneDate({ draft, change, tried }: FormParts<string>) {
  const { say } = useLanguage();
  return <DateBox label={say("plan.date")} value={draft} tried={tried} onChange={change} />;
}

// ---- medicines ----

export interface SupplyDraft {
  readonly days: string;
  readonly fill: string;
}

const daysOk = (days: string): boolean => days === "" || (/^[1-9][0-9]{0,2}$/.test(days) && Number(days) <= 400);

export const supplyShape: Shape<Supply, SupplyDraft> = {
  begin: (value) => ({ days: value?.days === undefined ? "" : String(value.days), fill: value?.last_fill ?? "" }),
  finish: ({ days, fill }) => {
    if (!daysOk(days) || !dateOk(fill)) return "unfinished";
    return days === "" && fill === "" ? { value: null } : { value: { ...(days === "" ? {} : { days: Number(days) }), ...(fill === "" ? {} : { last_fill: fill }) } };
  },
  form: (parts) => <SupplyBoxes {...parts} />,
};

function SupplyBoxes({ draft, change, tried }: FormParts<SupplyDraft>) {
  const { say } = useLanguage();
  return (
    <div className={style["pair"]}>
      <TextBox label={say("plan.med.supply.days")} value={draft.days} most={3} decimal problem={tried && !daysOk(draft.days) ? say("plan.med.supply.days.bad") : undefined} onChange={(days) => change({ ...draft, days })} />
      <DateBox label={say("plan.med.supply.fill")} value={draft.fill} tried={tried} onChange={(fill) => change({ ...draft, fill })} />
    </div>
  );
}

export const sourcesShape: Shape<VerifySources, VerifySources> = {
  begin: (value) => value ?? [],
  finish: (draft) => ({ value: VERIFY_SOURCES.filter((source) => draft.includes(source)) }),
  form: (parts) => <SourceChecks {...parts} />,
};

function SourceChecks({ draft, change }: FormParts<VerifySources>) {
  const { say } = useLanguage();
  return <Checks label={say("plan.field.meds.sources")} chosen={draft} onChange={(chosen) => change([...chosen])} options={VERIFY_SOURCES.map((value) => ({ value, words: say(`plan.med.source.${value}`) }))} />;
}

export const discrepancyShape: Shape<Discrepancy, Discrepancy | null> = {
  begin: (value) => value,
  finish: (draft) => {
    if (draft === null) return { value: null };
    const resolution = (draft.resolution ?? "").trim();
    return { value: { kind: draft.kind, ...(resolution === "" ? {} : { resolution }) } };
  },
  form: (parts) => <DiscrepancyBoxes {...parts} />,
};

function DiscrepancyBoxes({ draft, change }: FormParts<Discrepancy | null>) {
  const { say } = useLanguage();
  return (
    <>
      <Pick label={say("plan.field.meds.discrepancy")} options={DISCREPANCIES} value={draft?.kind ?? ""} words={(kind) => say(`plan.med.discrepancy.${kind}`)} onPick={(kind) => change({ ...draft, kind })} />
      {draft !== null && draft.kind !== "none" && (
        <GrowField label={say("plan.med.discrepancy.resolution")} value={draft.resolution ?? ""} most={300} onChange={(resolution) => change({ ...draft, resolution })} />
      )}
    </>
  );
}

// ---- links to other rows ----

/** Readings a problem rests on. */
export const evidenceShape: Shape<RowId[], RowId[]> = {
  begin: (value) => value ?? [],
  finish: (draft) => ({ value: draft }),
  form: (parts) => <EvidenceChecks {...parts} />,
};

function EvidenceChecks({ draft, change }: FormParts<RowId[]>) {
  const { say } = useLanguage();
  const rows = useRows("measures");
  const name = useRowNames();
  if (rows.length === 0) return <p>{say("plan.problem.no_readings")}</p>;
  return <Checks label={say("plan.field.problems.evidence")} chosen={draft} onChange={(chosen) => change([...chosen])} options={rows.map((value) => ({ value, words: name(value) }))} />;
}

/** Problems a goal answers. */
export const goalProblemsShape: Shape<RowId[], RowId[]> = {
  begin: (value) => value ?? [],
  finish: (draft) => ({ value: draft }),
  form: (parts) => <ProblemChecks {...parts} />,
};

function ProblemChecks({ draft, change }: FormParts<RowId[]>) {
  const { say } = useLanguage();
  const rows = useRows("problems");
  const title = useProblemTitle();
  if (rows.length === 0) return <p>{say("plan.goal.no_problems")}</p>;
  return <Checks label={say("plan.field.goals.problems")} chosen={draft} onChange={(chosen) => change([...chosen])} options={rows.map((value, index) => ({ value, words: title(value, index) }))} />;
}

/** Another recommendation this one takes the place of. */
export const replacesShape = (own: RowId): Shape<RowId, RowId | ""> => ({
  begin: (value) => value ?? "",
  finish: (draft) => ({ value: draft === "" ? null : draft }),
  form: (parts) => <OtherRecommendation own={own} {...parts} />,
});

function OtherRecommendation({ own, draft, change }: FormParts<RowId | ""> & { readonly own: RowId }) {
  const { say } = useLanguage();
  const rows = useRows("recommendations").filter((row) => row !== own);
  const name = useRowNames();
  return (
    <Select label={say("plan.field.recommendations.replaces")} value={draft} onChange={(event) => change(picked(["", ...rows], event.currentTarget.value))}>
      <option value="">{say("plan.rec.replaces_none")}</option>
      {rows.map((row) => <option key={row} value={row}>{name(row)}</option>)}
    </Select>
  );
}

interface AddresseeDraft {
  readonly name: string;
  readonly role: PrescriberRole | "";
  readonly from: Addressee | null;
}

const PRESCRIBERS: readonly PrescriberRole[] = ["pcp", "specialist"];

/** Somebody with an account here, whose name was not touched: what they are the record knows. */
const knownHere = ({ name, from }: AddresseeDraft): boolean => from?.person !== undefined && from.name === name.trim();

export const addresseeShape: Shape<Addressee, AddresseeDraft> = {
  begin: (value) => ({ name: value?.name ?? "", role: value?.role ?? "", from: value }),
  finish: (draft) => {
    const name = draft.name.trim();
    if (name === "") return { value: null };
    if (draft.from !== null && knownHere(draft)) return { value: draft.from };
    return draft.role === "" ? "unfinished" : { value: { name, role: draft.role } };
  },
  form: (parts) => <AddresseeBox {...parts} />,
};

/** A name, and what kind of prescriber that is: the patient may want no specialist to see the plan. */
function AddresseeBox({ draft, change, tried }: FormParts<AddresseeDraft>) {
  const { say } = useLanguage();
  const asks = draft.name.trim() !== "" && !knownHere(draft);
  return (
    <>
      <TextBox label={say("plan.rec.addressee")} value={draft.name} most={100} onChange={(name) => change({ ...draft, name })} />
      {asks && (
        <Pick
          label={say("plan.rec.addressee.role")} options={PRESCRIBERS} value={draft.role} words={(role) => say(`plan.rec.addressee.role.${role}`)}
          problem={tried && draft.role === "" ? say("plan.needed") : undefined} onPick={(role) => change({ ...draft, role })}
        />
      )}
    </>
  );
}

// ---- how the patient came, how long the team stays ----

export const referralShape: Shape<Referral, { readonly source: Referral["source"] | ""; readonly referrer: string }> = {
  begin: (value) => ({ source: value?.source ?? "", referrer: value?.referrer ?? "" }),
  finish: ({ source, referrer }) => (source === "" ? "unfinished" : { value: { source, ...(referrer.trim() === "" ? {} : { referrer: referrer.trim() }) } }),
  form: (parts) => <ReferralBoxes {...parts} />,
};

function ReferralBoxes({ draft, change, tried }: FormParts<{ readonly source: Referral["source"] | ""; readonly referrer: string }>) {
  const { say } = useLanguage();
  return (
    <div className={style["pair"]}>
      <Pick label={say("plan.field.referral")} options={REFERRERS} value={draft.source} problem={needed(say, tried, draft.source)} words={(source) => say(`plan.referral.source.${source}`)} onPick={(source) => change({ ...draft, source })} />
      <TextBox label={say("plan.referral.name")} value={draft.referrer} most={100} onChange={(referrer) => change({ ...draft, referrer })} />
    </div>
  );
}

export const identificationShape: Shape<Identification, Identification> = {
  begin: (value) => value ?? { criteria: [] },
  finish: ({ criteria, reason }) => ({ value: { criteria: CRITERIA.filter((one) => criteria.includes(one)), ...((reason ?? "").trim() === "" ? {} : { reason: (reason ?? "").trim() }) } }),
  form: (parts) => <IdentificationBoxes {...parts} />,
};

function IdentificationBoxes({ draft, change }: FormParts<Identification>) {
  const { say } = useLanguage();
  return (
    <>
      <Checks label={say("plan.field.identification")} chosen={draft.criteria} onChange={(criteria) => change({ ...draft, criteria: [...criteria] })} options={CRITERIA.map((value) => ({ value, words: say(`plan.criterion.${value}`) }))} />
      <GrowField label={say("plan.in_words")} value={draft.reason ?? ""} most={300} onChange={(reason) => change({ ...draft, reason })} />
    </>
  );
}

const startsBeforeItEnds = ({ start, planned_end: end }: Duration): boolean => end >= start || start.startsWith(end);

export const durationShape: Shape<Duration, Duration> = {
  begin: (value) => value ?? { start: "", planned_end: "" },
  finish: (draft) => draft.start === "" || draft.planned_end === "" || !dateOk(draft.start) || !dateOk(draft.planned_end) || !startsBeforeItEnds(draft) ? "unfinished" : { value: draft },
  form: (parts) => <DurationBoxes {...parts} />,
};

function DurationBoxes({ draft, change, tried }: FormParts<Duration>) {
  const { say } = useLanguage();
  const late = tried && draft.start !== "" && draft.planned_end !== "" && !startsBeforeItEnds(draft);
  return (
    <>
      <div className={style["pair"]}>
        <DateBox label={say("plan.duration.start")} value={draft.start} tried={tried} onChange={(start) => change({ ...draft, start })} />
        <DateBox label={say("plan.duration.end")} value={draft.planned_end} tried={tried} onChange={(end) => change({ ...draft, planned_end: end })} />
      </div>
      {tried && (draft.start === "" || draft.planned_end === "") && <p role="alert">{say("plan.duration.both")}</p>}
      {late && <p role="alert">{say("plan.duration.order")}</p>}
    </>
  );
}
