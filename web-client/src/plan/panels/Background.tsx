/** Before the first question: who sent the patient and why, what they agreed to, who else looks after them. */
import { useLanguage } from "../../i18n";
import { RegisterEditor } from "../Editor";
import { Fold } from "../Fold";
import { identificationShape, referralShape } from "../forms/more";
import { consentShape, memberShape } from "../forms/rows";
import { AddRow, RowList } from "../rows";
import { useRows } from "../context";
import { Access } from "./Access";
import { Small, wrap } from "./shared";
import style from "./panels.module.css";

const FIELDS = ["referral", "identification", "access.content"] as const;

export function Background() {
  const { say } = useLanguage();
  const consents = useRows("consents").length;
  const people = useRows("care_team").length;
  return (
    <Fold label={say("plan.background", { consents, people })} fields={FIELDS}>
      <div className={style["two"]}>
        <RegisterEditor field="referral" shape={referralShape} />
        <RegisterEditor field="identification" shape={identificationShape} />
      </div>
      <RowList
        list="consents" row={(row) => <Small list="consents" row={row} field="consents.content" shape={consentShape} locked />}
        add={<AddRow list="consents" begin={() => consentShape.begin(null)} form={consentShape.form} finish={wrap("consents.content", consentShape.finish)} />}
      >
        <p className={style["hint"]}>{say("plan.consent.locked")}</p>
      </RowList>
      <RowList
        list="care_team" row={(row) => <Small list="care_team" row={row} field="care_team.content" shape={memberShape} movable />}
        add={<AddRow list="care_team" begin={() => memberShape.begin(null)} form={memberShape.form} finish={wrap("care_team.content", memberShape.finish)} />}
      />
      <Access />
    </Fold>
  );
}
