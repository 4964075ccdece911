/** Who is in a field or a row of the record, and in which colour: the panel knows, the tiles show it. */
import type { SeatId } from "../wire";
import { createStore, type Store } from "./store";

/** Colours are those of the tokens, 0 to 7, by order of joining. */
export const editing: Store<ReadonlyMap<SeatId, number>> = createStore<ReadonlyMap<SeatId, number>>(new Map());
