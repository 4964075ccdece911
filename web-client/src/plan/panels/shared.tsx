/** What several panels use: rows that begin with a text, rows of one value, choices by name. */
import { Plus } from "lucide-react";
import { useState, type ReactNode } from "react";
import { useLanguage } from "../../i18n";
import type { FieldName, ListName, RowId } from "../../wire";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { useCanEditRows, useFieldSlice, useRegister, useScene } from "../context";
import { RegisterEditor, useWording } from "../Editor";
import { Choice } from "../fields";
import type { RegisterName, ValueOf } from "../fold";
import { docOfList } from "../ops";
import { RowDoubt, RowList, RowTools, type Values } from "../rows";
import { words } from "../words";
import style from "./panels.module.css";

/** The first value of a row that has one. */
export function wrap<F extends string, D, T>(field: F, finish: (draft: D) => { readonly value: T | null } | "unfinished") {
  return (draft: D): { readonly value: { [key in F]?: unknown } } | "unfinished" => {
    const finished = finish(draft);
    return finished === "unfinished" || finished.value === null ? "unfinished" : { value: { [field]: finished.value } as { [key in F]?: unknown } };
  };
}

export interface TextRow {
  readonly row: RowId;
  readonly index: number;
  readonly fresh: boolean;
}

/** Lists whose rows begin with a text: the row is put in place, and the focus is in it. */
export function TextRows(props: {
  readonly list: ListName;
  readonly row: (part: TextRow) => ReactNode;
  readonly rows?: readonly RowId[];
  readonly first?: Values;
  readonly empty?: string;
  readonly title?: string;
  readonly label?: string;
  readonly children?: ReactNode;
}) {
  const { list } = props;
  const { say } = useLanguage();
  const { add, allowed, fresh } = useTextRow(list, props.first);
  return (
    <RowList
      list={list} row={(row, index) => props.row({ row, index, fresh: row === fresh })}
      {...(props.rows === undefined ? {} : { rows: props.rows })} {...(props.empty === undefined ? {} : { empty: props.empty })}
      {...(props.title === undefined ? {} : { title: props.title })}
      add={allowed && <Button data-add={list} className={style["add"]} icon={<Plus size={20} aria-hidden />} onClick={add}>{props.label ?? say(`plan.add.${list}`)}</Button>}
    >
      {props.children}
    </RowList>
  );
}

/** Adds a row whose text takes the focus. */
export function useTextRow(list: ListName, first: Values = {}): { readonly add: () => void; readonly allowed: boolean; readonly fresh: RowId | null } {
  const { record } = useScene();
  const allowed = useCanEditRows(list);
  const last = useFieldSlice((state) => state.docs.get(docOfList(list))?.shown.lists.get(list)?.at(-1) ?? null);
  const [fresh, setFresh] = useState<RowId | null>(null);
  return { allowed, fresh, add: () => setFresh(record.add(list, last, first)) };
}

type OneValue = "allergies.content" | "conditions.content" | "measures.content" | "immunizations.content" | "home_readings.content" | "care_team.content" | "consents.content" | "teach_backs.content" | "touchpoints.content";

/** A row of one value. `locked`: it stands as it was first written. */
export function Small<F extends OneValue, D>(props: {
  readonly list: ListName;
  readonly row: RowId;
  readonly field: F;
  readonly shape: Parameters<typeof RegisterEditor<F, D>>[0]["shape"];
  readonly locked?: boolean;
  readonly movable?: boolean;
}) {
  const { say } = useLanguage();
  const wording = useWording();
  const view = useRegister(props.field, props.row);
  const what = say(`plan.field.${props.field as OneValue}`);
  const name = view.value === null ? what : words(props.field, view.value, wording);
  return (
    <div className={style["small"]}>
      <RowDoubt list={props.list} row={props.row} />
      <div className={style["smallRow"]}>
        <div className={style["smallValue"]}><RegisterEditor field={props.field} row={props.row} shape={props.shape} label={what} bare {...(props.locked === true ? { locked: true } : {})} /></div>
        <RowTools list={props.list} row={props.row} name={name} fixed={props.movable !== true} />
      </div>
    </div>
  );
}

/** A choice whose values are their own keys. */
export function Named<F extends RegisterName & FieldName>(props: {
  readonly field: F;
  readonly row?: RowId | undefined;
  readonly label?: string;
  readonly values: readonly (ValueOf<F> & (string | number))[];
  readonly words: (value: ValueOf<F> & (string | number)) => string;
  readonly empty?: string;
  readonly bare?: boolean;
}) {
  return (
    <Choice
      field={props.field} row={props.row} keyOf={(value) => String(value)} options={props.values.map((value) => ({ key: String(value), words: props.words(value), value }))}
      {...(props.label === undefined ? {} : { label: props.label })} {...(props.empty === undefined ? {} : { empty: props.empty })} {...(props.bare === true ? { bare: true } : {})}
    />
  );
}

/** A card with a heading, its tools, and the doubt whether it stands. */
export function RowCard(props: {
  readonly list: ListName;
  readonly row: RowId;
  readonly name: string;
  readonly title?: string;
  readonly chips?: ReactNode;
  readonly fixed?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <Card aria-label={props.name}>
      <RowDoubt list={props.list} row={props.row} />
      <div className={style["head"]}>
        {props.title !== undefined && <h4 className={style["title"]}>{props.title}</h4>}
        <div className={`${style["chips"]} ${style["grow"]}`}>{props.chips}</div>
        <RowTools list={props.list} row={props.row} name={props.name} fixed={props.fixed === true} />
      </div>
      {props.children}
    </Card>
  );
}
