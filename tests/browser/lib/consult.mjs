// The demo visit with its people in browsers of their own.

import { closeAll, openSeat, PHONE } from "./browser.mjs";
import { impairLine } from "./impair.mjs";
import { admitAll, joinAsStaff, listenToMedia, seesAndHears, wait } from "./people.mjs";
import { startServer } from "./server.mjs";

/** How each of them opens their browser. */
const PEOPLE = { pharmacist: {}, clinician: {}, patient: { viewport: PHONE } };

/**
 * A server, and a browser for each of `people`; nobody has come in. `media`: their statistics can be asked for; `args`: the server
 * is run with these too.
 */
export async function openConsult({ media = false, args = [], people = Object.keys(PEOPLE) } = {}) {
  const server = await startServer({ args });
  const seats = {};
  const close = () => closeAll(Object.values(seats), server);
  try {
    for (const who of people) seats[who] = await openSeat(server.origin, PEOPLE[who]);
    if (media) for (const seat of Object.values(seats)) await listenToMedia(seat);
  } catch (failure) {
    // Whoever asked has nothing to close yet.
    await close();
    throw failure;
  }
  return { server, ...seats, close };
}

/** Everybody comes in, and the patient is admitted. */
export async function meet({ server, pharmacist, clinician, patient }) {
  await wait(patient, server.links.patient, server.birthDate);
  await joinAsStaff(pharmacist, server.links.pharmacist);
  if (clinician !== undefined) await joinAsStaff(clinician, server.links.clinician);
  await admitAll(pharmacist);
}

/** Pharmacist and patient, whose line is as `order` says (see `impairLine`); nobody has come in. */
export async function openConsultOverLine(order, options) {
  const consult = await openConsult({ media: true, people: ["pharmacist", "patient"] });
  try {
    const line = await impairLine(consult.patient, options);
    await line.order(order);
    const close = async () => {
      await consult.close();
      await line.close();
    };
    return { ...consult, line, close };
  } catch (failure) {
    await consult.close();
    throw failure;
  }
}

/** Both see and hear each other. */
export async function seeAndHearEachOther({ pharmacist, patient }) {
  await seesAndHears(patient, "the patient");
  await seesAndHears(pharmacist, "the pharmacist");
}
