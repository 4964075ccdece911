/** UUIDv7 (RFC 9562 §5.7): ids made here sort by the moment they were made, also within one millisecond. */
import type { EditId, RowId } from "../wire";

export interface Random {
  (bytes: Uint8Array<ArrayBuffer>): void;
}

/** Makes ids. `wall` is milliseconds since 1970. */
export function idMaker(wall: () => number, random: Random): () => string {
  let last = 0;
  let counter = 0;
  return () => {
    const bytes = new Uint8Array(16);
    random(bytes);
    const now = Math.floor(wall());
    // `rand_a` counts within a millisecond (method 1 of §6.2); a clock that steps back keeps the old moment.
    if (now > last) {
      last = now;
      counter = 0;
    } else {
      counter += 1;
      if (counter > 0xfff) {
        last += 1;
        counter = 0;
      }
    }
    const view = new DataView(bytes.buffer);
    view.setUint32(0, Math.floor(last / 0x1_0000));
    view.setUint16(4, last % 0x1_0000);
    view.setUint16(6, 0x7000 | counter);
    view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f));
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  };
}

const fromBrowser = idMaker(Date.now, (bytes) => void crypto.getRandomValues(bytes));

export const newEditId = (): EditId => fromBrowser() as EditId;
export const newRowId = (): RowId => fromBrowser() as RowId;
