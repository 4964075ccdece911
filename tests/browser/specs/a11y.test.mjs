// Every screen in two looks: wide, light, English; and a phone, dark, Spanish. The pictures land in out/ for review.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { closeAll, openSeat, PHONE, until } from "../lib/browser.mjs";
import { addGoal, addMedicine, addProblem, addRecommendation, addTodo, admitAll, joinAsStaff, share, tab } from "../lib/people.mjs";
import { assertNone, look, lookNarrow } from "../lib/screens.mjs";
import { startServer } from "../lib/server.mjs";
import { giveBirthDate, WORDS } from "../lib/words.mjs";

const LOOKS = [
  { name: "en", words: WORDS.en, seat: { viewport: { width: 1280, height: 800 }, locale: "en-US", colorScheme: "light" }, staff: "pharmacist", patient: "patient" },
  { name: "es", words: WORDS.es, seat: { viewport: PHONE, locale: "es-US", colorScheme: "dark" }, staff: "clinician", patient: "caregiver" },
];

describe("every screen", { concurrency: false }, () => {
  let server;
  const seats = [];
  const open = async (options) => {
    const seat = await openSeat(server.origin, options);
    seats.push(seat);
    return seat;
  };

  before(async () => {
    server = await startServer();
  });
  after(() => closeAll(seats, server));

  for (const { name, words, seat: options, staff: staffLink, patient: patientLink } of LOOKS) {
    let patient;
    let staff;

    it(`${name}: start page and door`, async () => {
      patient = await open(options);
      const { page } = patient;
      const faults = [];
      await page.goto(server.origin);
      await page.getByRole("textbox").waitFor();
      faults.push(...(await look(page, `${name}-start`)), ...(await lookNarrow(page, `${name}-start`)));

      await page.goto(server.links[patientLink]);
      await page.getByLabel(words.year, { exact: true }).waitFor();
      faults.push(...(await look(page, `${name}-door`)), ...(await lookNarrow(page, `${name}-door`)));
      await page.getByRole("button", { name: words.go }).click();
      await page.locator("form").getByRole("alert").waitFor();
      faults.push(...(await look(page, `${name}-door-empty`)));
      assertNone(faults);
    });

    it(`${name}: device check and waiting room`, async () => {
      const { page } = patient;
      const faults = [];
      await giveBirthDate(page, server.birthDate, words);
      await page.getByRole("button", { name: words.seeMyself }).and(page.locator(":enabled")).waitFor();
      faults.push(...(await look(page, `${name}-check-camera`)), ...(await lookNarrow(page, `${name}-check-camera`)));
      await page.getByRole("button", { name: words.seeMyself }).click();
      await page.getByRole("meter").or(page.getByRole("heading", { name: words.sound })).first().waitFor();
      faults.push(...(await look(page, `${name}-check-microphone`)));
      const sound = page.getByRole("heading", { name: words.sound });
      // It goes on by itself as soon as it hears the beep of the fake microphone.
      await until("the question about the sound", async () => {
        if (await sound.isVisible()) return true;
        await page.getByRole("button", { name: words.micGo }).click({ timeout: 500 }).catch(() => undefined);
        return false;
      });
      faults.push(...(await look(page, `${name}-check-sound`)));
      await page.getByRole("button", { name: words.hear }).click();
      await page.getByRole("heading", { name: words.next }).waitFor();
      faults.push(...(await look(page, `${name}-waiting`)), ...(await lookNarrow(page, `${name}-waiting`)));
      assertNone(faults);
    });

    it(`${name}: the team's call, each part of the record and each dialog`, async () => {
      const faults = [];
      staff = await open(options);
      const { page } = staff;
      if (name === "en") {
        await joinAsStaff(staff, server.links[staffLink]);
        await page.getByRole("tab").first().waitFor();
        faults.push(...(await look(page, `${name}-team-knock`)));
        await admitAll(staff);
        await fillTheRecord(page);
      } else {
        await page.goto(server.links[staffLink]);
        await page.getByRole("button", { name: words.skip }).click();
        await page.getByRole("button", { name: words.leave }).first().waitFor();
        await admitAll(seats[1]);
      }
      const tabs = page.getByRole("tab");
      await tabs.first().waitFor();
      for (let i = 0; i < (await tabs.count()); i += 1) {
        await tabs.nth(i).click();
        faults.push(...(await look(page, `${name}-team-tab${i + 1}`)));
        if (i === 0) faults.push(...(await lookNarrow(page, `${name}-team-tab1`)));
      }
      await tabs.first().click();
      for (const button of [words.leave, words.settings]) {
        await page.getByRole("button", { name: button, exact: true }).first().click();
        await page.getByRole("dialog").waitFor();
        faults.push(...(await look(page, `${name}-team-dialog-${button}`)));
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
      }
      const remove = page.getByRole("main").getByRole("button", { name: words.remove });
      if ((await remove.count()) > 0) {
        await remove.first().click();
        await page.getByRole("dialog").waitFor();
        faults.push(...(await look(page, `${name}-team-dialog-remove`)));
        await page.keyboard.press("Escape");
      }
      if (name === "en") {
        await page.getByRole("button", { name: "Share with the patient" }).click();
        await page.getByRole("dialog").waitFor();
        faults.push(...(await look(page, `${name}-team-dialog-share`)));
        await page.keyboard.press("Escape");
        await share(page);
        await page.getByRole("button", { name: "Stop camera" }).click(); // two more pages come, and each picture costs half a core
      }
      assertNone(faults);
    });

    it(`${name}: the patient's call`, async () => {
      const { page } = patient;
      const faults = [];
      await page.getByRole("button", { name: words.mute, exact: true }).waitFor();
      const tabs = page.getByRole("tab");
      await tabs.first().waitFor();
      for (let i = 0; i < (await tabs.count()); i += 1) {
        await tabs.nth(i).click();
        faults.push(...(await look(page, `${name}-patient-tab${i + 1}`)), ...(await lookNarrow(page, `${name}-patient-tab${i + 1}`)));
      }
      await page.getByRole("button", { name: words.settings, exact: true }).click();
      await page.getByRole("dialog").waitFor();
      faults.push(...(await look(page, `${name}-patient-dialog-settings`)));
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: words.leave, exact: true }).click();
      await page.getByRole("dialog").waitFor();
      faults.push(...(await look(page, `${name}-patient-dialog-leave`)));
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      if (name === "en") await page.goto("about:blank"); // its place stays; the other look needs the machine
      assertNone(faults);
    });
  }

  it("both looks: the page at the end", async () => {
    const [patient, pharmacist, caregiver] = seats;
    const faults = [];
    await pharmacist.page.getByRole("button", { name: "Leave", exact: true }).click();
    await pharmacist.page.getByRole("button", { name: "End for everyone" }).click();
    await pharmacist.page.getByRole("heading", { name: WORDS.en.over }).waitFor();
    faults.push(...(await look(pharmacist.page, "en-team-end")));
    await caregiver.page.getByRole("heading", { name: WORDS.es.over }).waitFor();
    await caregiver.page.getByRole("article").waitFor();
    faults.push(...(await look(caregiver.page, "es-end")), ...(await lookNarrow(caregiver.page, "es-end")));
    await patient.page.goBack();
    await patient.page.getByRole("article").waitFor();
    faults.push(...(await look(patient.page, "en-end")));
    assertNone(faults);
  });
});

/** One row of each kind, so that no part of the record is looked at empty. */
async function fillTheRecord(page) {
  await addMedicine(page, "Vitamin D", "1 tablet every morning");
  await tab(page, "Plan");
  await addProblem(page, "Low potassium");
  await addRecommendation(page, "Measure potassium next week");
  await addTodo(page, "Take the water pill in the morning");
  await addGoal(page, "Walk to the church again");
  await tab(page, "Collect");
}

describe("without a mouse", { concurrency: false }, () => {
  let server;
  let seat;

  before(async () => {
    server = await startServer();
    seat = await openSeat(server.origin, { viewport: { width: 1280, height: 800 } });
  });
  after(async () => {
    await seat?.close();
    await server?.close();
  });

  it("a pharmacist joins, changes how a medicine is taken, and ends the visit", async () => {
    const { page } = seat;
    await page.goto(server.links.pharmacist);
    await page.getByRole("button", { name: "Skip the check" }).waitFor();
    await until("the new screen has the focus", () => page.evaluate(() => document.activeElement?.tagName === "H1"));
    await tabTo(page, /Skip the check/);
    await page.keyboard.press("Enter");
    await page.getByRole("tab", { name: "Collect" }).waitFor();

    await tabTo(page, /Go to the main part/);
    await page.keyboard.press("Enter");
    await tabTo(page, /Edit As taken|Add As taken/);
    await page.keyboard.press("Enter");
    await tabTo(page, /whole instruction/);
    await page.keyboard.press("Control+A");
    await page.keyboard.type("1 tablet at noon, by keyboard");
    await page.keyboard.press("Enter");
    await page.getByText("1 tablet at noon, by keyboard").first().waitFor();
    await until("the focus comes back to where it was", async () => /Edit As taken.*by keyboard/.test(await focused(page)));

    await page.keyboard.press("Enter");
    await tabTo(page, /whole instruction/);
    await page.keyboard.type(" thrown away");
    await page.keyboard.press("Escape");
    await until("Esc leaves the editor", async () => /Edit As taken.*by keyboard/.test(await focused(page)));
    assert.equal(await page.getByText("thrown away").count(), 0, "Esc changes nothing");

    await page.keyboard.press("F6");
    await tabTo(page, /^Leave$/);
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await until("Esc closes the question and gives the focus back", async () => /^Leave$/.test(await focused(page)));
    await page.keyboard.press("Enter");
    await tabTo(page, /End for everyone/);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "The visit is over" }).waitFor();
  });
});

/** The name of what has the focus. */
function focused(page) {
  return page.evaluate(() => {
    const at = document.activeElement;
    if (at === null || at === document.body) return "";
    const label = at.getAttribute("aria-label") ?? (at.labels?.[0]?.textContent ?? document.getElementById(at.getAttribute("aria-labelledby") ?? "")?.textContent ?? at.textContent);
    return (label ?? "").replaceAll(/\s+/g, " ").trim();
  });
}

/** Presses Tab until something of that name has the focus, and looks at each stop whether the focus can be seen. */
async function tabTo(page, name, most = 150) {
  for (let pressed = 0; pressed < most; pressed += 1) {
    if (name.test(await focused(page))) return;
    await page.keyboard.press("Tab");
    const unseen = await page.evaluate(() => {
      const at = document.activeElement;
      if (at === null || at === document.body) return null;
      const frames = [at, at.parentElement, at.parentElement?.parentElement].filter((one) => one instanceof HTMLElement);
      const seen = frames.some((one) => {
        const style = getComputedStyle(one);
        return style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2;
      });
      return seen ? null : at.outerHTML.slice(0, 200);
    });
    assert.equal(unseen, null, "the focus can be seen at every stop");
  }
  assert.fail(`Tab never reached ${name}`);
}
