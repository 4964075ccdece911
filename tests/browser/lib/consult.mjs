// The demo visit with its people in browsers of their own.

import { openSeat, PHONE } from "./browser.mjs";
import { admitAll, joinAsStaff, listenToMedia, wait } from "./people.mjs";
import { startServer } from "./server.mjs";

/** A server, and a browser for pharmacist, clinician and patient; nobody has come in. `media`: their statistics can be asked for; `args`: the server is run with these too. */
export async function openConsult({ media = false, args = [] } = {}) {
  const server = await startServer({ args });
  const seats = [];
  const close = async () => {
    for (const seat of seats) await seat.close();
    await server.close();
  };
  try {
    for (const options of [{}, {}, { viewport: PHONE }]) seats.push(await openSeat(server.origin, options));
    if (media) for (const seat of seats) await listenToMedia(seat);
  } catch (failure) {
    // Whoever asked has nothing to close yet.
    await close();
    throw failure;
  }
  const [pharmacist, clinician, patient] = seats;
  return { server, pharmacist, clinician, patient, close };
}

/** Everybody comes in, and the patient is admitted. */
export async function meet({ server, pharmacist, clinician, patient }) {
  await wait(patient, server.links.patient, server.birthDate);
  await joinAsStaff(pharmacist, server.links.pharmacist);
  await joinAsStaff(clinician, server.links.clinician);
  await admitAll(pharmacist);
}
