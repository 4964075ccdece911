// The visit that goes on by telephone: offered when the patient's line is gone, said by the pharmacist, read by the patient.
// And a visit that was booked by telephone, whose link asks for no camera.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { openSeat, PHONE, until } from "../lib/browser.mjs";
import { meet, openConsult } from "../lib/consult.mjs";
import { addMedicine, media, saved, seesAndHears, tab } from "../lib/people.mjs";
import { assertNone, look, lookNarrow } from "../lib/screens.mjs";

const SMALL = { width: 360, height: 740 };

/** Counts how often a page asks for camera or microphone. */
async function countAsked(seat) {
  await seat.context.addInitScript(() => {
    globalThis.mortarAsked = 0;
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (...args) => {
      globalThis.mortarAsked += 1;
      return real(...args);
    };
  });
}

const asked = (seat) => seat.page.evaluate(() => globalThis.mortarAsked);

/** The sheet in the call, as text. */
async function sheet(seat) {
  const { page } = seat;
  await page.getByRole("button", { name: /Counted time/ }).click();
  const dialog = page.getByRole("dialog", { name: "Billing support sheet" });
  await dialog.getByRole("cell", { name: "Phone", exact: true }).first().waitFor();
  const rows = await dialog.getByRole("row").allInnerTexts();
  return { dialog, rows };
}

describe("a visit whose video fails", { concurrency: false }, () => {
  let consult;
  let server;
  let pharmacist;
  let patient;
  let page;

  before(async () => {
    consult = await openConsult({ media: true });
    ({ server, pharmacist, patient } = consult);
    await meet(consult);
    await seesAndHears(pharmacist, "the pharmacist");
    page = patient.page.url();
  });

  after(async () => {
    await consult?.close();
  });

  it("offers the telephone by itself when the patient has been gone for a minute", async () => {
    const before = pharmacist.page.getByText("have not come through for a minute");
    assert.equal(await before.count(), 0);
    await patient.page.goto("about:blank");
    await pharmacist.page.getByText("reconnecting").first().waitFor();
    assert.equal(await before.count(), 0, "not for every short break");

    await before.waitFor({ timeout: 90_000 });
    assertNone(await look(pharmacist.page, "phone-offer"));
    await pharmacist.page.getByRole("button", { name: "Go on by phone" }).click();
    const dialog = pharmacist.page.getByRole("dialog", { name: "Go on by phone?" });
    const number = dialog.getByRole("link", { name: "+1 505 555 0142" });
    assert.equal(await number.getAttribute("href"), "tel:+15055550142");
    assertNone([...(await look(pharmacist.page, "phone-ask")), ...(await lookNarrow(pharmacist.page, "phone-ask"))]);
  });

  it("goes on by telephone, and both still write in the record", async () => {
    await pharmacist.page.getByRole("button", { name: "We go on by phone" }).click();
    await pharmacist.page.getByText(/By phone since/).waitFor();
    await until("the clock runs by telephone", async () => {
      const words = await pharmacist.page.getByRole("button", { name: /Counted time/ }).innerText();
      return !words.includes("not running");
    });
    await addMedicine(pharmacist.page, "melatonin", "one at bedtime");
    await saved(pharmacist);
    assertNone([...(await look(pharmacist.page, "phone-pharmacist")), ...(await lookNarrow(pharmacist.page, "phone-pharmacist"))]);

    // The patient's page comes back: the same seat, nobody lets them in, and it says who calls them.
    await patient.page.setViewportSize(SMALL);
    await patient.page.goto(page);
    await patient.page.getByRole("heading", { name: "We go on by phone" }).waitFor();
    await patient.page.getByText(/is calling you now\. Please pick up your phone/).waitFor();
    await patient.page.getByText("the number that ends in 0142").waitFor();
    await patient.page.getByText("You can still write in it").waitFor();
    assertNone([...(await look(patient.page, "phone-patient")), ...(await lookNarrow(patient.page, "phone-patient"))]);
    await tab(patient.page, "More");
    await patient.page.getByRole("button", { name: "Add a question" }).click();
    await patient.page.getByRole("textbox", { name: "Question 1" }).fill("May I take it with tea?");
    await saved(patient, /Saved|On server/);
    await patient.page.getByRole("textbox", { name: "Question 1" }).blur();

    // Nothing of the patient's voice comes here beside the telephone, and nothing sounds on their page.
    const before = await until("the patient's line is up", async () => {
      const now = await media(patient);
      return now.framesSent > 0 && now;
    });
    await until("the picture goes on", async () => (await media(patient)).framesSent > before.framesSent + 10);
    assert.equal((await media(patient)).micPackets, before.micPackets);
    const sounds = await patient.page.evaluate(() => [...document.querySelectorAll("audio")].some((one) => !one.muted));
    assert.equal(sounds, false);
  });

  it("says the same in Spanish, in the dark, on a small phone", async () => {
    await patient.page.emulateMedia({ colorScheme: "dark" });
    await patient.page.getByRole("button", { name: "Settings" }).click();
    await patient.page.getByLabel("Language").selectOption("es");
    await patient.page.keyboard.press("Escape");
    await patient.page.getByRole("heading", { name: "Seguimos por teléfono" }).waitFor();
    assertNone([...(await look(patient.page, "phone-patient-es-dark")), ...(await lookNarrow(patient.page, "phone-patient-es-dark"))]);
    await patient.page.getByRole("button", { name: "Ajustes" }).click();
    await patient.page.getByLabel("Idioma").selectOption("en");
    await patient.page.keyboard.press("Escape");
    await patient.page.emulateMedia({ colorScheme: "light" });
  });

  it("goes back to video when the patient's line is there again", async () => {
    const back = pharmacist.page.getByRole("button", { name: "Back to video" });
    await back.waitFor();
    assertNone(await look(pharmacist.page, "phone-back"));
    await back.click();

    await patient.page.getByRole("button", { name: "Mute" }).waitFor();
    assert.equal(await patient.page.getByRole("heading", { name: "We go on by phone" }).count(), 0);
    await seesAndHears(pharmacist, "the pharmacist");
    await seesAndHears(patient, "the patient");
  });

  it("is always there in the control bar, and ends when the call is over", async () => {
    await pharmacist.page.getByRole("button", { name: "By phone" }).click();
    await pharmacist.page.getByRole("button", { name: "We go on by phone" }).click();
    await patient.page.getByRole("heading", { name: "We go on by phone" }).waitFor();
    await pharmacist.page.getByRole("button", { name: "The phone call is over" }).click();
    await patient.page.getByRole("button", { name: "Mute" }).waitFor();

    const { dialog, rows } = await sheet(pharmacist);
    assert.ok(rows.some((row) => /Video/.test(row)) && rows.some((row) => /Phone/.test(row)), rows.join("\n"));
    await dialog.getByText("held in more than one way").waitFor();
    assertNone(await look(pharmacist.page, "phone-sheet"));
    await pharmacist.page.keyboard.press("Escape");
    for (const seat of [pharmacist, patient]) assert.deepEqual(seat.faults, []);
  });
});

describe("a visit that was booked by telephone", { concurrency: false }, () => {
  let consult;
  let server;
  let booker;
  let pharmacist;
  let patient;
  let links;

  before(async () => {
    consult = await openConsult();
    server = consult.server;
    booker = consult.pharmacist;
    pharmacist = await openSeat(server.origin, { permissions: "ask" });
    patient = await openSeat(server.origin, { viewport: SMALL, permissions: "ask" });
    for (const seat of [pharmacist, patient]) await countAsked(seat);
    await booker.page.goto(server.links.pharmacist);
    await booker.page.getByRole("button", { name: "Skip the check" }).waitFor();
    links = await booker.page.evaluate(async () => {
      const seat = location.pathname.split("/").at(-1);
      const body = { starts: `${new Date().getFullYear() + 1}-07-10T10:00`, minutes: 30, format: "phone" };
      const headers = { "content-type": "application/json" };
      const reply = await fetch(`/api/seats/${seat}/bookings`, { method: "POST", headers, body: JSON.stringify(body) });
      const { bookings } = await reply.json();
      return Object.fromEntries(bookings[0].links.map((link) => [link.role, link.path]));
    });
  });

  after(async () => {
    for (const seat of [pharmacist, patient]) await seat?.close();
    await consult?.close();
  });

  it("tells the patient who calls when, and asks for no camera", async () => {
    const { page } = patient;
    await page.goto(server.origin + links.patient);
    const [year, month, day] = server.birthDate.split("-").map(Number);
    await page.getByLabel("Month").selectOption({ index: month });
    await page.getByLabel("Day").fill(String(day));
    await page.getByLabel("Year").fill(String(year));
    await page.getByRole("button", { name: "Go on" }).click();

    await page.getByRole("heading", { name: "Your visit is by phone" }).waitFor();
    await page.getByText(/We will call you on .*July 10.*10:00.AM/).waitFor();
    await page.getByText("the number that ends in 0142").waitFor();
    assertNone([...(await look(page, "phone-visit")), ...(await lookNarrow(page, "phone-visit"))]);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.getByLabel("Language").selectOption("es");
    await page.getByRole("heading", { name: "Su visita es por teléfono" }).waitFor();
    assertNone([...(await look(page, "phone-visit-es-dark")), ...(await lookNarrow(page, "phone-visit-es-dark"))]);
    await page.getByLabel("Idioma").selectOption("en");
    await page.emulateMedia({ colorScheme: "light" });
    assert.equal(await asked(patient), 0);
  });

  it("counts from when the pharmacist says that the call has begun", async () => {
    const { page } = pharmacist;
    await page.goto(server.origin + links.pharmacist);
    await page.getByText("This visit is by phone.").waitFor();
    const number = page.getByRole("link", { name: "Call +1 505 555 0142" });
    assert.equal(await number.getAttribute("href"), "tel:+15055550142");
    assertNone([...(await look(page, "phone-booked")), ...(await lookNarrow(page, "phone-booked"))]);
    assert.match(await page.getByRole("button", { name: /Counted time/ }).innerText(), /not running/);

    await page.getByRole("button", { name: "The phone call has begun" }).click();

    await patient.page.getByRole("heading", { name: "We go on by phone" }).waitFor();
    await patient.page.getByText("Your pharmacist is calling you now").waitFor();
    await until("the clock runs", async () => !(await page.getByRole("button", { name: /Counted time/ }).innerText()).includes("not running"));

    // Let in, the patient has their plan beside the telephone; still nobody asks for a camera.
    await page.getByRole("button", { name: /^Admit/ }).click();
    await patient.page.getByRole("tab", { name: "More" }).waitFor();
    await patient.page.getByText(/is calling you now/).waitFor();
    assertNone([...(await look(patient.page, "phone-visit-plan")), ...(await lookNarrow(patient.page, "phone-visit-plan"))]);
    await page.getByRole("button", { name: "The phone call is over" }).click();
    await page.getByText("This visit is by phone.").waitFor();
    const { rows } = await sheet(pharmacist);
    assert.ok(rows.some((row) => /Phone/.test(row)) && !rows.some((row) => /Video/.test(row)), rows.join("\n"));
    assert.deepEqual([await asked(patient), await asked(pharmacist)], [0, 0]);
    await page.keyboard.press("Escape");
    await page.setViewportSize(PHONE);
    assertNone(await look(page, "phone-booked-phone"));
    for (const seat of [pharmacist, patient]) assert.deepEqual(seat.faults, []);
  });
});
