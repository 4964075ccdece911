import { useRecordSlice } from "../plan/context";
import { address, keyOf } from "../plan/fold";
import { FIELDS, type FieldName, type RowId } from "../wire";

/** Whether a text was ever written. An empty heading helps nobody. */
export const useHasText = (field: FieldName, row?: RowId): boolean =>
  useRecordSlice((state) => state.docs.get(FIELDS[field].doc)?.server.texts.has(keyOf(address(field, row))) === true);
