// Mails from the screen to the mailbox and back: a visit is booked with an address, and the plan is signed. The folder takes what would be sent.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { openSeat, PHONE, until } from "../lib/browser.mjs";
import { meet, openConsult } from "../lib/consult.mjs";
import { openLink, share, tab } from "../lib/people.mjs";
import { assertNone, look, lookNarrow } from "../lib/screens.mjs";
import { command } from "../lib/server.mjs";
import { completePlan } from "../lib/sign.mjs";

const RUTH = "ruth.canary@example.org";
const PRIYA = "priya.canary@example.org";

describe("mails", { concurrency: false }, () => {
  let folder;
  let consult;
  let server;
  const faults = [];
  const opened = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "mortar-mails-"));
    consult = await openConsult({ args: ["--mail-from", "visits@harbor.example", "--mail-folder", folder] });
    ({ server } = consult);
    await meet(consult);
    await share(consult.pharmacist.page);
  });

  after(async () => {
    assertNone(faults);
    for (const seat of opened) await seat.close();
    await consult?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The only mail to an address about something, as it is read. */
  const mail = (to, subject) => until(`a mail to ${to}: ${subject}`, async () => {
    for (const name of await readdir(folder)) {
      if (!name.endsWith(".eml")) continue;
      const raw = await readFile(join(folder, name), "utf8");
      const words = raw.replaceAll("=\r\n", "").replaceAll(/=([0-9A-F]{2})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)));
      if (words.includes(`To: ${to}`) && words.includes(subject)) return words;
    }
    return false;
  });
  const linkIn = (words) => {
    const link = words.match(/https?:\/\/\S+\/j#[0-9A-Z]{26}/)?.[0];
    assert.ok(link !== undefined, words);
    return link;
  };
  const fresh = async (options) => {
    const seat = await openSeat(server.origin, options);
    opened.push(seat);
    return seat;
  };

  it("refuses what is no address, and says so beside it", async () => {
    const { page } = consult.pharmacist;
    await page.getByRole("button", { name: "Next visit" }).click();
    const dialog = page.getByRole("dialog", { name: "Next visit" });
    await dialog.getByLabel("Day").fill(`${new Date().getFullYear() + 1}-07-10`);
    await dialog.getByLabel("Time", { exact: true }).fill("10:00");
    const box = dialog.getByLabel(/Email address of Ruth/);
    await box.fill("ruth at example.org");
    await dialog.getByRole("button", { name: "Book the visit" }).click();
    await dialog.getByText("This is not an email address.").first().waitFor();
    assert.equal(await box.getAttribute("aria-invalid"), "true");
    faults.push(...(await look(page, "mail-wrong")));
  });

  it("sends who comes their own link, and says that it went out", async () => {
    const { page } = consult.pharmacist;
    const dialog = page.getByRole("dialog", { name: "Next visit" });
    await dialog.getByLabel(/Email address of Ruth/).fill(RUTH);
    await dialog.getByRole("button", { name: "Book the visit" }).click();
    const mails = dialog.getByRole("list", { name: "Emails about this visit" });
    await mails.getByText(/Email sent/).waitFor();
    await mails.getByText("No email address: hand on the link yourself.").first().waitFor();
    faults.push(...(await look(page, "mail-booked")), ...(await lookNarrow(page, "mail-booked")));

    const words = await mail(RUTH, "Su visita con");
    // Her chart says which language she reads.
    assert.match(words, /Usted tiene una visita con Harbor Street Family Practice\./);
    assert.match(words, /METHOD:REQUEST/);
    assert.doesNotMatch(words, /Delgado|metformin|pharmac/i);
    const home = await fresh({ viewport: PHONE });
    await openLink(home, linkIn(words), server.birthDate);
    await home.page.getByRole("heading", { name: /You are next|before you/ }).waitFor();
  });

  it("sends it again to whoever lost it", async () => {
    const { page } = consult.pharmacist;
    const dialog = page.getByRole("dialog", { name: "Next visit" });
    await dialog.getByRole("button", { name: /Send Ruth.* the email again/ }).click();
    faults.push(...(await look(page, "mail-again")));
    await dialog.getByRole("form", { name: /Send Ruth/ }).getByRole("button", { name: "Send", exact: true }).click();
    await until("a second mail", async () => (await readdir(folder)).filter((name) => name.endsWith(".eml")).length === 2);
    await dialog.getByText(/Email sent/).waitFor();
    await dialog.getByRole("button", { name: "Close" }).first().click();
  });

  it("tells patient and physician of the signed plan, and shows whom it reached", async () => {
    const { page } = consult.pharmacist;
    const staff = await command(server, "staff");
    const id = staff.match(/^(\S+)\s+\S+\s+Dr\. Priya Raman/m)?.[1];
    assert.ok(id !== undefined, staff);
    await command(server, "address", id, PRIYA);
    await completePlan(consult.pharmacist);
    await page.getByRole("button", { name: "Sign the plan" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Sign the plan" }).click();
    const who = page.getByLabel("Who has the plan", { exact: true });
    await until("both are sent", async () => (await who.getByText(/Email sent/).count()) === 2);
    await who.getByText("No email address: hand the plan on yourself.").waitFor();
    await who.scrollIntoViewIfNeeded();
    faults.push(...(await look(page, "mail-notices")));
  });

  it("leads both to the plan when the visit is over", async () => {
    const { page } = consult.pharmacist;
    await page.getByRole("button", { name: "Leave" }).first().click();
    await page.getByRole("button", { name: "End for everyone" }).click();
    await page.getByRole("heading", { name: "The visit is over" }).waitFor();

    const home = await fresh({ viewport: PHONE });
    await home.page.goto(linkIn(await mail(RUTH, "Puede leerlo e imprimirlo")));
    await home.page.getByLabel("Month").selectOption({ index: Number(server.birthDate.split("-")[1]) });
    await home.page.getByLabel("Day").fill(String(Number(server.birthDate.split("-")[2])));
    await home.page.getByLabel("Year").fill(server.birthDate.split("-")[0]);
    await home.page.getByRole("button", { name: "Go on" }).click();
    await home.page.getByRole("button", { name: "Print my plan" }).waitFor();
    faults.push(...(await look(home.page, "mail-plan-home")));

    const doctor = await fresh({});
    await doctor.page.goto(linkIn(await mail(PRIYA, "ready for you to read")));
    await doctor.page.getByRole("button", { name: "I have read version 1" }).click();
    await doctor.page.getByText("It is noted that you have read version 1.").waitFor();
    faults.push(...(await look(doctor.page, "mail-plan-doctor")));
  });

  it("writes nothing of all this into the log", async () => {
    for (const name of await readdir(folder)) {
      const words = await readFile(join(folder, name), "utf8");
      const token = words.match(/\/j#([0-9A-Z]{26})/)?.[1];
      // Those of the visit that was not booked stand on the terminal for who started the server.
      const printed = Object.values(server.links).some((link) => token !== undefined && link.includes(token));
      assert.ok(token === undefined || printed || !server.output.includes(token), "a link of a mail stands in the log");
    }
    assert.match(server.output, /a mail was sent/);
    assert.doesNotMatch(server.output, /canary/);
  });
});
