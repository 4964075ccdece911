/** One recommendation, from draft to decision. Commands need the line: they are never queued, and answer once. */
import { memo, useMemo } from "react";
import { Send } from "lucide-react";
import { useLanguage } from "../../i18n";
import type { RecommendationContent, RowId } from "../../wire";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Chip } from "../../ui/Chip";
import { useMay, useNames, useProblemTitle, useFieldSlice, useRegister, useRowNames, useRows, useValue } from "../context";
import { RegisterEditor } from "../Editor";
import { LineField } from "../fields";
import { EMPTY_DOC } from "../fold";
import { Fold } from "../Fold";
import { addresseeShape, replacesShape } from "../forms/more";
import { recommendationShape } from "../forms/planning";
import { NarrativeText } from "../NarrativeText";
import { RowDoubt, RowTools } from "../rows";
import { sealed } from "../sign";
import { SigWords } from "../SigWords";
import { waits, type Standing } from "../standing";
import { useCommand } from "./command";
import { RowComments } from "./Comments";
import { Decide } from "./Decide";
import { LinkOut } from "./LinkOut";
import { AuthorityPick, UnderAgreement, UnderWhich } from "./UnderAgreement";
import { Steps, useMayDecide, useSeenMark, useStanding } from "./Steps";
import style from "./panels.module.css";

const TONE: Record<Standing, "plain" | "info" | "ok" | "warn"> = {
  draft: "plain", sent: "info", seen: "info", no_response: "warn", accepted: "ok", accepted_modified: "ok", declined: "warn",
  implemented: "ok", verified: "ok", withdrawn: "plain", replaced: "plain",
};

const MORE = ["recommendations.reference", "recommendations.replaces"] as const;

export const Recommendation = memo(function Recommendation({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const content = useValue("recommendations.content", row);
  const standing = useStanding(row);
  const seen = useSeenMark(row, standing);
  const addressee = useValue("recommendations.addressee", row);
  const medicine = useRowNames();
  const problems = useRows("problems");
  const problemTitle = useProblemTitle();
  const mayDecide = useMayDecide(row);
  const title = content?.summary ?? say("plan.field.recommendations.content");
  const locked = standing !== "draft";
  const replaces = useMemo(() => replacesShape(row), [row]);
  const index = content?.problem === undefined ? -1 : problems.indexOf(content.problem);
  return (
    <Card aria-label={title}>
      <RowDoubt list="recommendations" row={row} />
      <div ref={seen} className={style["head"]}>
        <div className={`${style["chips"]} ${style["grow"]}`}>
          <span data-field="recommendations.state"><Chip tone={TONE[standing]}>{say(`plan.rec.state.${standing}`)}</Chip></span>
          {addressee !== null && <Chip tone="plain">{say("plan.rec.to", { name: addressee.name })}</Chip>}
          {content !== null && <Chip tone="plain">{say(`plan.rec.action.${content.action}`)}</Chip>}
          {content?.med !== undefined && <Chip tone="plain"><bdi translate="no">{medicine(content.med)}</bdi></Chip>}
          {index >= 0 && content?.problem !== undefined && <Chip tone="plain">{problemTitle(content.problem, index)}</Chip>}
        </div>
        {!locked && <RowTools list="recommendations" row={row} name={title} />}
      </div>
      <RegisterEditor
        field="recommendations.content" row={row} shape={recommendationShape} locked={locked} bare
        show={(value) => (
          <>
            <strong className={style["name"]}>{value.summary}</strong>
            {value.regimen !== undefined && <span className={style["regimen"]}><SigWords sig={value.regimen} /></span>}
          </>
        )}
      />
      <NarrativeText field="recommendations.rationale" row={row} locked={locked} />
      <RegisterEditor field="recommendations.addressee" row={row} shape={addresseeShape} locked={locked} empty={say("plan.rec.addressee.none")} />
      <AuthorityPick row={row} locked={locked} />
      <Fold label={say("plan.more")} of={title} row={row} fields={MORE}>
        <LineField field="recommendations.reference" row={row} locked={locked} hint={say("plan.rec.reference.hint")} />
        <RegisterEditor field="recommendations.replaces" row={row} shape={replaces} locked={locked} empty={say("plan.rec.replaces_none")} />
        <RowComments row={row} name={title} />
      </Fold>
      {standing === "draft" && <UnderAgreement row={row} />}
      {standing === "draft" && <SendIt row={row} />}
      {waits(standing) && content !== null && (mayDecide
        ? <Answer row={row} content={content} medicine={content.med === undefined ? "" : medicine(content.med)} />
        : addressee !== null && <p className={style["hint"]}>{say("plan.rec.not_yours", { name: addressee.name })}</p>)}
      <Decided row={row} />
      <UnderWhich row={row} />
      {waits(standing) && <LinkOut row={row} />}
      <Steps row={row} standing={standing} />
    </Card>
  );
});

/** The answer, given to the record that is open here. */
function Answer(props: { readonly row: RowId; readonly content: RecommendationContent; readonly medicine: string }) {
  const signed = useFieldSlice((state) => sealed(state.docs.get("plan")?.server ?? EMPTY_DOC));
  const may = useFieldSlice((state) => state.docs.get("plan")?.writable.has("meds.status") === true);
  return <Decide {...props} sealed={signed} updatesList={may} {...useCommand()} />;
}

function SendIt({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const may = useMay("send_recommendation");
  const { busy, problem, give } = useCommand();
  if (!may) return null;
  return (
    <div className={style["actions"]}>
      <Button icon={<Send size={18} aria-hidden />} disabled={busy} onClick={() => void give({ kind: "send_recommendation", row })}>{busy ? say("plan.command.busy") : say("plan.rec.send")}</Button>
      <p className={style["hint"]}>{say("plan.rec.send.locked")}</p>
      {problem !== null && <p role="alert" className={style["problem"]}>{problem}</p>}
    </div>
  );
}

function Decided({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const names = useNames();
  const { value, at_ms } = useRegister("recommendations.decision", row);
  if (value === null) return null;
  return (
    <div data-field="recommendations.decision" className={style["decision"]}>
      <p className={style["title"]}>{say(`plan.rec.state.${value.outcome}`)}</p>
      {value.reason !== undefined && <p>{say(`plan.rec.reason.${value.reason}`)}</p>}
      {value.regimen !== undefined && <p><SigWords sig={value.regimen} /></p>}
      {value.note !== undefined && value.note !== "" && <p>{value.note}</p>}
      <p className={style["by"]}>{say("plan.rec.decided_by", { name: names.person(value.by), at: at_ms ?? 0 })}</p>
      {value.by_link !== undefined && (
        <p data-said="by_link">{say("plan.rec.by_link", { maker: names.person(value.by_link.made_by), name: value.by_link.name, credential: value.by_link.credential })}</p>
      )}
    </div>
  );
}
