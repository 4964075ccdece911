// A follow-up of the plan from its row to its visit: booked, moved, cancelled, said to be done; as staff and patient read it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";

import { openSeat, PHONE, WIDE } from "../lib/browser.mjs";
import { meet, openConsult } from "../lib/consult.mjs";
import { share, tab } from "../lib/people.mjs";
import { assertNone, look, lookNarrow } from "../lib/screens.mjs";

const YEAR = new Date().getFullYear() + 1;

describe("a follow-up and its visit", { concurrency: false }, () => {
  let consult;
  let server;
  let pharmacist;
  let clinician;
  let patient;
  const faults = [];

  before(async () => {
    consult = await openConsult();
    ({ server, pharmacist, clinician, patient } = consult);
    await pharmacist.context.grantPermissions(["camera", "microphone", "clipboard-read", "clipboard-write"]);
    await meet(consult);
  });

  after(async () => {
    assertNone(faults);
    await consult?.close();
  });

  const list = (seat) => seat.page.locator("[data-list=touchpoints]");
  const became = (seat, n = 0) => list(seat).locator("[data-field='touchpoints.state']").nth(n);
  const shot = async (seat, name) => faults.push(...(await look(seat.page, name)));

  async function agree(purpose, when, due) {
    const { page } = pharmacist;
    await page.getByRole("button", { name: "Add a touchpoint" }).click();
    const form = page.getByRole("form", { name: "Add a touchpoint" });
    await form.getByLabel("What for").fill(purpose);
    await form.getByLabel("When", { exact: true }).fill(when);
    if (due !== undefined) await form.getByLabel(/Due, so that/).fill(due);
    await form.getByRole("button", { name: "Done" }).click();
    await list(pharmacist).getByText(purpose).first().waitFor();
  }

  it("is overdue on the list and on the tab once its day has passed", async () => {
    const { page } = pharmacist;
    await tab(page, /Follow-up/);
    await agree("Blood pressure", "in two weeks, 10:00", "2025-03-10");
    const overdue = page.getByRole("region", { name: "Overdue" });
    await overdue.getByText(/Was due March 10, 2025, and nothing is booked/).waitFor();
    await page.getByRole("tab", { name: /Follow-up.*1 overdue/ }).waitFor();
    await overdue.getByRole("button", { name: "Go to Blood pressure" }).click();
    assert.equal(await became(pharmacist).evaluate((part) => part.contains(document.activeElement)), true);
    await shot(pharmacist, "touchpoint-overdue");
  });

  it("is booked from its row, with what the row proposes", async () => {
    const { page } = pharmacist;
    await became(pharmacist).getByRole("button", { name: "Book a time" }).click();
    const dialog = page.getByRole("dialog", { name: "Blood pressure" });
    const form = dialog.getByRole("form", { name: "Book the visit" });
    assert.equal(await form.getByLabel("Time", { exact: true }).inputValue(), "10:00");
    const inTwoWeeks = new Date(Date.now() + 14 * 86_400_000);
    const day = await form.getByLabel("Day").inputValue();
    assert.ok(Math.abs(Date.parse(day) - inTwoWeeks.getTime()) < 2 * 86_400_000, day);
    // Its members are ticked, of the people of this visit.
    assert.equal(await form.getByRole("checkbox", { name: /Patient/ }).isChecked(), true);
    assert.equal(await form.getByRole("checkbox", { name: /Pharmacist/ }).isChecked(), true);
    assert.equal(await form.getByRole("checkbox", { name: /Primary care/ }).isChecked(), false);
    await shot(pharmacist, "touchpoint-book");
    faults.push(...(await lookNarrow(page, "touchpoint-book")));
    await form.getByRole("checkbox", { name: /Primary care/ }).check();
    await form.getByLabel("Day").fill(`${YEAR}-07-10`);
    await form.getByRole("button", { name: "Book the visit" }).click();

    await dialog.getByText(/July 10.*10:00.*EDT, 30 min/).waitFor();
    await dialog.getByRole("button", { name: /Copy link of Ruth/ }).waitFor();
    await shot(pharmacist, "touchpoint-links");
    await dialog.getByRole("button", { name: "Close" }).click();
    for (const seat of [pharmacist, clinician]) {
      await tab(seat.page, /Follow-up/);
      await became(seat).getByText(/Booked for .*Jul 10, \d{4}, 10:00 AM EDT, video, with .* and /).waitFor();
      assert.equal(await seat.page.getByRole("region", { name: "Overdue" }).count(), 0);
    }
    await shot(pharmacist, "touchpoint-booked");
    await pharmacist.page.setViewportSize({ width: 320, height: 640 });
    await became(pharmacist).getByText(/Booked for/).scrollIntoViewIfNeeded();
    await shot(pharmacist, "touchpoint-booked-narrow");
    await pharmacist.page.setViewportSize(WIDE);
  });

  it("stands with its hour among the patient's next visits, in both languages", async () => {
    await share(pharmacist.page);
    const { page } = patient;
    await tab(page, "More");
    const visits = page.getByRole("region", { name: "My next visits" });
    await visits.getByText(/July 10.*10:00 AM, Eastern time, by video/).scrollIntoViewIfNeeded();
    await visits.getByText(/^With .* and /).waitFor();
    await shot(patient, "touchpoint-patient");
    const spanish = await page.evaluate(async (seat) => {
      const reply = await fetch(`/api/seats/${seat}/takeaway?language=es`);
      return (await reply.json()).visits.items.flat().map(({ text }) => text);
    }, await seatOf(patient));
    assert.match(spanish.join(" "), /10 de julio de \d{4}, 10:00 de la mañana, hora del este\./);
  });

  it("is moved: the old links end, and the invitation is the next of the same entry", async () => {
    const { page } = pharmacist;
    await became(pharmacist).getByRole("button", { name: "Links, invitation, another time" }).click();
    const dialog = page.getByRole("dialog", { name: "Blood pressure" });
    await dialog.getByRole("button", { name: /Copy link of Ruth/ }).click();
    const old = await page.evaluate(() => navigator.clipboard.readText());
    const file = async () => {
      const [download] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("link", { name: "Invitation for the calendar" }).click()]);
      return readFile(await download.path(), "utf8");
    };
    const before = await file();
    await dialog.getByRole("button", { name: "Another time" }).click();
    const form = dialog.getByRole("form", { name: "Another time" });
    await form.getByLabel("Day").fill(`${YEAR}-07-17`);
    await form.getByLabel("Time", { exact: true }).fill("14:30");
    await form.getByLabel("Why, if you like").fill("A bus strike.");
    await shot(pharmacist, "touchpoint-move");
    await form.getByRole("button", { name: "Move the visit" }).click();

    await dialog.getByText(/July 17.*2:30 PM EDT/).waitFor();
    const after = await file();
    assert.match(after, /METHOD:REQUEST[\s\S]*SEQUENCE:1/);
    const uid = /UID:(\S+)/;
    assert.equal(uid.exec(after)?.[1], uid.exec(before)?.[1]);
    await dialog.getByRole("button", { name: "Close" }).click();
    await became(pharmacist).getByText(/Jul 17, \d{4}, 2:30 PM EDT.*Moved from .*Jul 10, 10:00 AM/).waitFor();
    await became(pharmacist).getByText("A bus strike.").waitFor();
    await patient.page.getByText(/It was .*Jul 10.* before/).waitFor();
    await shot(patient, "touchpoint-patient-moved");
    assert.equal(await patient.page.getByText("A bus strike.").count(), 0, "words of the team");

    const late = await openSeat(server.origin, { viewport: PHONE });
    await late.page.goto(old);
    await late.page.getByRole("heading", { name: /over|ended/i }).waitFor();
    late.faults.length = 0; // the server says 410, and Chromium writes so
    await late.close();
  });

  it("is said to be done by phone elsewhere, which cancels its visit, and is taken back", async () => {
    const { page } = pharmacist;
    await became(pharmacist).getByRole("button", { name: "It took place" }).click();
    const dialog = page.getByRole("dialog", { name: "It took place" });
    await dialog.getByText(/The visit that is booked is cancelled/).waitFor();
    await dialog.getByLabel("How: by phone, at the clinic").fill("By phone, from the pharmacy.");
    await shot(pharmacist, "touchpoint-tell");
    await dialog.getByRole("button", { name: "Done" }).click();
    await became(pharmacist).getByText(/Done on .*\d{4}/).waitFor();
    await became(pharmacist).getByText("By phone, from the pharmacy.").waitFor();
    await patient.page.getByText(/We did this on/).waitFor();
    await page.getByRole("button", { name: "Next visit" }).click();
    const visits = page.getByRole("dialog", { name: "Next visit" });
    await visits.getByText("Cancelled", { exact: true }).waitFor();
    await visits.getByRole("button", { name: "Close" }).click();
    await became(pharmacist).getByRole("button", { name: "Plan it again" }).click();
    await page.getByRole("dialog", { name: "Plan it again" }).getByRole("button", { name: "Done" }).click();
    await page.getByRole("region", { name: "Overdue" }).getByText(/Was due/).waitFor();
  });

  it("says that it was missed, in Spanish and in the dark as well", async () => {
    const { page } = pharmacist;
    await became(pharmacist).getByRole("button", { name: "It did not take place" }).click();
    await page.getByRole("dialog", { name: "It did not take place" }).getByRole("button", { name: "Done" }).click();
    await became(pharmacist).getByText("Missed, not booked again.").waitFor();
    await patient.page.getByText("Call us to find a new time.").waitFor();
    await patient.page.getByRole("button", { name: "Settings", exact: true }).click();
    await patient.page.getByRole("dialog").getByLabel("Language").selectOption("es");
    await patient.page.getByRole("dialog").getByRole("button", { name: "Cerrar" }).click();
    await patient.page.getByText("Llámenos para buscar otra hora.").scrollIntoViewIfNeeded();
    await shot(patient, "touchpoint-patient-missed-es");
    const spanish = await openSeat(server.origin, { locale: "es-US", colorScheme: "dark" });
    await spanish.page.goto(server.links.clinician);
    await spanish.page.getByRole("button", { name: /^(Saltar la prueba|Sí, entrar a mi visita)$/ }).click();
    await tab(spanish.page, /Seguimiento/);
    await became(spanish).getByText("No se hizo, y no hay otra hora.").waitFor();
    await shot(spanish, "touchpoint-missed-es");
    await became(spanish).getByRole("button", { name: "Reservar una hora" }).click();
    await spanish.page.getByRole("form", { name: "Reservar la visita" }).waitFor();
    await shot(spanish, "touchpoint-book-es");
    await spanish.close();
  });
});

/** The seat of the page's own session. */
async function seatOf(seat) {
  const asked = seat.requests.map((url) => /\/api\/seats\/([0-9a-f-]+)/.exec(url)?.[1]).filter((one) => one !== undefined);
  return asked.at(-1);
}
