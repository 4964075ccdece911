// The first consult: pharmacist, clinician and patient, one call, one record.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { metric, shot, until } from "../lib/browser.mjs";
import { openConsult } from "../lib/consult.mjs";
import { addMedicine, admitAll, hearsNothing, joinAsStaff, media, saved, seesAndHears, share, tab, wait } from "../lib/people.mjs";

describe("a consult", { concurrency: false }, () => {
  let consult;
  let server;
  let pharmacist;
  let clinician;
  let patient;

  before(async () => {
    consult = await openConsult({ media: true });
    ({ server, pharmacist, clinician, patient } = consult);
  });

  after(async () => {
    await consult?.close();
  });

  it("takes a patient from the link to the waiting room in at most three clicks", async () => {
    const clicks = await wait(patient, server.links.patient, server.birthDate);
    metric("join.clicks", clicks, "<=3", clicks <= 3 ? "pass" : "fail");
    assert.ok(clicks <= 3);
    await shot(patient, "patient-waiting");
  });

  it("shows a waiting patient nothing of the call", async () => {
    await joinAsStaff(pharmacist, server.links.pharmacist);
    await joinAsStaff(clinician, server.links.clinician);
    await seesAndHears(pharmacist, "the pharmacist");
    await hearsNothing(patient);
  });

  it("lets everybody see and hear everybody once the patient is admitted", async () => {
    await admitAll(pharmacist);
    await patient.page.getByRole("button", { name: "Mute" }).waitFor();
    await seesAndHears(patient, "the patient");
    await seesAndHears(clinician, "the clinician");
    await seesAndHears(pharmacist, "the pharmacist");
  });

  it("gives a whole dose from one screen to the other, and to the patient after sharing", async () => {
    await addMedicine(pharmacist.page, "Vitamin D", "1 tablet every morning");
    await clinician.page.getByText("1 tablet every morning").first().waitFor();
    assert.equal(await patient.page.getByText("Vitamin D").count(), 0, "nothing of the plan before it is shared");

    await share(pharmacist.page);

    await patient.page.getByText("Vitamin D").first().waitFor();
    await saved(pharmacist);
  });

  it("keeps both texts when two people type in one note at once", async () => {
    for (const seat of [pharmacist, clinician]) await tab(seat.page, "Team notes");
    const one = pharmacist.page.getByRole("textbox", { name: "Team note" });
    const two = clinician.page.getByRole("textbox", { name: "Team note" });
    await one.click();
    await two.click();

    const mine = "potassium next week ";
    const theirs = "ask about swelling ";
    await Promise.all([one.pressSequentially(mine, { delay: 15 }), two.pressSequentially(theirs, { delay: 15 })]);

    await until("both notes are equal and hold every letter of both", async () => {
      const [a, b] = [await one.inputValue(), await two.inputValue()];
      return a === b && a.length === mine.length + theirs.length && a;
    });
    await saved(pharmacist);
    await saved(clinician);
  });

  it("means muted when it says muted", async () => {
    await patient.page.getByRole("button", { name: "Mute" }).click();
    await pharmacist.page.getByText("muted").first().waitFor();
    const muted = (await media(patient)).micPackets;
    const seen = (await media(pharmacist)).framesDecoded;
    await until("the picture goes on", async () => (await media(pharmacist)).framesDecoded > seen + 30);
    assert.equal((await media(patient)).micPackets, muted, "not one packet of sound while muted");
    await patient.page.getByRole("button", { name: "Unmute" }).click();
    await until("sound again", async () => (await media(patient)).micPackets > muted);
  });

  it("brings a reloaded page back to the same seat", async () => {
    await patient.page.reload();
    await patient.page.getByRole("button", { name: "Mute" }).waitFor();
    await seesAndHears(patient, "the patient after a reload");
    await patient.page.getByText("Vitamin D").first().waitFor();
    assert.equal(await pharmacist.page.getByRole("button", { name: /^Admit/ }).count(), 0, "nobody has to let the patient in again");
  });

  it("puts no patient data into a URL", () => {
    for (const url of [...pharmacist.requests, ...clinician.requests, ...patient.requests]) {
      assert.doesNotMatch(url, /Vitamin|potassium|swelling|Delgado/i);
      if (!url.startsWith("blob:")) assert.match(new URL(url).search, /^(\?language=(en|es))?$/, "a query names a language and nothing else");
    }
  });

  it("keeps what is typed while the server is dead, and everybody comes back by themselves", async () => {
    const note = pharmacist.page.getByRole("textbox", { name: "Team note" });
    await server.kill("SIGKILL");
    await note.click();
    await note.press("Control+End");
    await note.pressSequentially("typed without a server", { delay: 5 });
    await pharmacist.page.getByText(/On this device only|Saving/).first().waitFor();

    await server.restart();

    await saved(pharmacist);
    await until("the other screen has it", async () =>
      (await clinician.page.getByRole("textbox", { name: "Team note" }).inputValue()).includes("typed without a server"),
    );
    await seesAndHears(clinician, "the clinician after the restart");
  });

  it("ends with a page that says what the patient takes home", async () => {
    await tab(pharmacist.page, "Collect");
    await shot(pharmacist, "pharmacist-call");
    await shot(patient, "patient-call");
    await pharmacist.page.getByRole("button", { name: "Leave" }).click();
    await pharmacist.page.getByRole("button", { name: "End for everyone" }).click();
    await patient.page.getByRole("heading", { name: "The visit is over" }).waitFor();
    await patient.page.getByText("Vitamin D").first().waitFor();
    await shot(patient, "patient-end");
  });
});
