/** What was agreed for later. */
import { useLanguage } from "../../i18n";
import type { RowId } from "../../wire";
import { Card } from "../../ui/Card";
import { useValue } from "../context";
import { RegisterEditor } from "../Editor";
import { touchpointShape, whenToCallShape } from "../forms/planning";
import { NarrativeText } from "../NarrativeText";
import { AddRow, RowDoubt, RowList, RowTools } from "../rows";
import { wrap } from "./Collect";
import style from "./panels.module.css";

export function FollowUp() {
  const { say } = useLanguage();
  return (
    <div className={style["panel"]}>
      <RowList
        list="touchpoints" row={(row) => <Touchpoint row={row} />}
        add={<AddRow list="touchpoints" begin={() => touchpointShape.begin(null)} form={touchpointShape.form} finish={wrap("touchpoints.content", touchpointShape.finish)} />}
      />
      <NarrativeText field="outline.follow_up_instructions" />
      <RegisterEditor
        field="outline.when_to_call" shape={whenToCallShape}
        show={(value) => (
          <>
            {value.call !== "" && <><span className={style["by"]}>{say("plan.call.call")}: </span>{value.call}</>}
            {value.call !== "" && value.emergency !== "" && <br />}
            {value.emergency !== "" && <><span className={style["by"]}>{say("plan.call.emergency")}: </span>{value.emergency}</>}
          </>
        )}
      />
      <NarrativeText field="outline.summary" />
    </div>
  );
}

function Touchpoint({ row }: { readonly row: RowId }) {
  const { say } = useLanguage();
  const content = useValue("touchpoints.content", row);
  const name = content?.purpose ?? say("plan.field.touchpoints.content");
  return (
    <Card aria-label={name}>
      <RowDoubt list="touchpoints" row={row} />
      <div className={style["smallRow"]}>
        <div className={style["smallValue"]}><RegisterEditor field="touchpoints.content" row={row} shape={touchpointShape} bare /></div>
        <RowTools list="touchpoints" row={row} name={name} />
      </div>
    </Card>
  );
}
