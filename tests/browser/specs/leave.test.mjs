// Leaving takes what was typed along, or says that it could not.

import { after, before, describe, it } from "node:test";

import { openSeat } from "../lib/browser.mjs";
import { joinAsStaff, saved, tab } from "../lib/people.mjs";
import { startServer } from "../lib/server.mjs";

describe("leaving", { concurrency: false }, () => {
  let server;
  let pharmacist;

  before(async () => {
    server = await startServer();
    pharmacist = await openSeat(server.origin);
    await joinAsStaff(pharmacist, server.links.pharmacist);
    await tab(pharmacist.page, "Team notes");
  });

  after(async () => {
    await pharmacist?.close();
    await server?.close();
  });

  it("says what is only on this device while the server does not answer", async () => {
    const { page } = pharmacist;
    const note = page.getByRole("textbox", { name: "Team note" });
    await note.click();
    await note.pressSequentially("typed before ");
    await saved(pharmacist);
    server.child.kill("SIGSTOP");
    await note.pressSequentially("and after");

    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();

    await page.getByRole("alert").filter({ hasText: "only on this device" }).waitFor();
    server.child.kill("SIGCONT");
    await page.getByRole("button", { name: "Stay" }).click();
    await saved(pharmacist);
  });

  it("waits for the last words and then leaves", async () => {
    const { page } = pharmacist;
    await page.getByRole("textbox", { name: "Team note" }).pressSequentially(" at the last moment");
    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
    await page.getByRole("heading", { name: "You left the visit" }).waitFor();
    await page.getByText("The server has everything you typed.").waitFor();
  });
});
