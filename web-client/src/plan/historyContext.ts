/** The way to a field's history. */
import { createContext, use } from "react";
import { FIELDS, type FieldName, type ListName, type RowId } from "../wire";

/** Opens the history of a field; `null` where there is none to read: the patient's side. */
export const HistoryContext = createContext<((field: FieldName, row?: RowId) => void) | null>(null);

export const useHistory = (): ((field: FieldName, row?: RowId) => void) | null => use(HistoryContext);

/** What a row's history begins with. */
const FIRST: { readonly [list in ListName]?: FieldName } = {
  meds: "meds.sig", problems: "problems.statement", goals: "goals.target", todos: "todos.should_do",
};

export const firstField = (list: ListName): FieldName =>
  FIRST[list] ?? (Object.keys(FIELDS) as FieldName[]).find((field) => FIELDS[field].list === list) ?? "presence";
