// Figures of the real browser, printed as METRIC lines. Bytes are asserted, times never: the machine decides them.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";

import { metric, openSeat, percentile, PHONE, until } from "../lib/browser.mjs";
import { admitAll, joinAsStaff, listenToMedia, media, saved, tab } from "../lib/people.mjs";
import { startServer } from "../lib/server.mjs";
import { giveBirthDate } from "../lib/words.mjs";

const RUNS = process.env.MORTAR_SCALE === "full" ? 20 : 5;

describe("figures", { concurrency: false }, () => {
  let server;
  let pharmacist;
  let clinician;
  let patient;
  let atRest;

  before(async () => {
    server = await startServer();
    atRest = await residentKb(server);
    pharmacist = await openSeat(server.origin);
    clinician = await openSeat(server.origin);
    patient = await openSeat(server.origin, { viewport: PHONE });
    for (const seat of [pharmacist, clinician, patient]) await listenToMedia(seat);
    await watchEdits(pharmacist);
  });
  after(async () => {
    for (const seat of [pharmacist, clinician, patient]) await seat?.close();
    await server?.close();
  });

  it("the first pages cost no more than their budgets", async () => {
    const patientSoFar = await countBytes(patient.page);
    await patient.page.goto(server.links.patient, { waitUntil: "networkidle" });
    await patient.page.getByRole("heading", { name: "When were you born?" }).waitFor();
    const patientBytes = patientSoFar();
    await giveBirthDate(patient.page, server.birthDate);
    await patient.page.getByRole("button", { name: "Skip the check" }).click();
    const clinicianBytes = await countBytes(clinician.page);
    await joinAsStaff(clinician, server.links.clinician);
    await clinician.page.getByRole("tab", { name: "Collect" }).waitFor();
    await joinAsStaff(pharmacist, server.links.pharmacist);
    await admitAll(pharmacist);
    await patient.page.getByRole("tab", { name: "My medicines" }).waitFor();

    metric("page.patient.until_the_call_bytes", patientSoFar(), "-");
    for (const [name, bytes, most] of [["patient", patientBytes, 250_000], ["clinician", clinicianBytes(), 600_000]]) {
      metric(`page.${name}.transferred_bytes`, bytes, `<=${most}`, bytes <= most ? "pass" : "fail");
      assert.ok(bytes > 0 && bytes <= most, `${name}: ${bytes} bytes`);
    }
  });

  it("memory of the server, at rest and for each who joined", async () => {
    const joined = await residentKb(server);
    metric("server.resident_kb.at_rest", atRest, "-");
    metric("server.resident_kb.per_participant", Math.round((joined - atRest) / 3), "-");
  });

  it("a patient who is let in sees and hears soon", async () => {
    const pictures = [];
    const voices = [];
    for (let run = 0; run < RUNS; run += 1) {
      await patient.page.reload();
      const marks = await patient.page.waitForFunction(() => {
        const at = (name) => performance.getEntriesByName(name)[0]?.startTime;
        const [admitted, picture, voice] = [at("mortar:admitted"), at("mortar:first-video-frame"), at("mortar:first-audio")];
        return admitted !== undefined && picture !== undefined && voice !== undefined && { admitted, picture, voice };
      }).then((handle) => handle.jsonValue());
      pictures.push(marks.picture - marks.admitted);
      voices.push(marks.voice - marks.admitted);
    }
    metric("join.first_picture_ms.p95", Math.round(percentile(pictures, 95)), "-");
    metric("join.first_voice_ms.p95", Math.round(percentile(voices, 95)), "-");
  });

  it("an edit is acknowledged, and stands on the other screen", async () => {
    for (const seat of [pharmacist, clinician]) await tab(seat.page, "Team notes");
    const one = pharmacist.page.getByRole("textbox", { name: "Team note" });
    const other = clinician.page.getByRole("textbox", { name: "Team note" });
    await one.evaluate((area) => {
      globalThis.mortarTyped = [];
      area.addEventListener("input", () => globalThis.mortarTyped.push(performance.timeOrigin + performance.now()));
    });
    await other.evaluate((area) => {
      globalThis.mortarArrived = [];
      const look = () => {
        while (globalThis.mortarArrived.length < area.value.length) globalThis.mortarArrived.push(performance.timeOrigin + performance.now());
        requestAnimationFrame(look);
      };
      look();
    });
    await one.click();
    for (let length = 1; length <= RUNS * 4; length += 1) {
      await one.press("x");
      await clinician.page.waitForFunction((length) => globalThis.mortarArrived.length >= length, length);
    }
    // Both pages read the clock of the same machine.
    const typed = await pharmacist.page.evaluate(() => globalThis.mortarTyped);
    const across = (await clinician.page.evaluate(() => globalThis.mortarArrived)).map((at, i) => at - typed[i]);
    await saved(pharmacist);
    const acknowledged = await pharmacist.page.evaluate(() => globalThis.mortarAcks);
    assert.ok(acknowledged.length > 0, "edits were acknowledged");
    metric("record.edit_to_ack_ms.p95", Math.round(percentile(acknowledged, 95)), "-");
    metric("record.edit_to_other_screen_ms.p95", Math.round(percentile(across, 95)), "-");
  });

  it("the picture that is sent grows with the line", async () => {
    let best = { height: 0, target: 0 };
    await until("a picture of 360 lines, or 600 kbit/s for it", async () => {
      const now = await media(pharmacist);
      best = { height: Math.max(best.height, now.height), target: Math.max(best.target, now.target) };
      return now.height >= 360 || now.target >= 600_000;
    }, { liveness: 60_000 });
    metric("media.sent_height", best.height, "-");
    metric("media.sent_target_kbps", Math.round(best.target / 1000), "-");
    metric("media.available_outgoing_kbps", Math.round((await media(pharmacist)).available / 1000), "-");
  });
});

/** Bytes on the wire from here on, as the network stack counts them: compressed, with headers. */
async function countBytes(page) {
  const network = await page.context().newCDPSession(page);
  await network.send("Network.enable");
  let sum = 0;
  network.on("Network.loadingFinished", ({ encodedDataLength }) => (sum += encodedDataLength));
  return () => sum;
}

/** Stamps each edit when it is sent and when its acknowledgement comes. */
async function watchEdits(seat) {
  await seat.context.addInitScript(() => {
    const sent = new Map();
    Object.defineProperty(globalThis, "mortarAcks", { value: [] });
    globalThis.WebSocket = class extends globalThis.WebSocket {
      constructor(...args) {
        super(...args);
        this.addEventListener("message", ({ data }) => {
          if (typeof data !== "string" || !data.includes('"record.ack"')) return;
          const begun = sent.get(JSON.parse(data).edit);
          if (begun !== undefined) globalThis.mortarAcks.push(performance.now() - begun);
        });
      }
      send(data) {
        if (typeof data === "string" && data.includes('"record.edit"')) sent.set(JSON.parse(data).edit.id, performance.now());
        super.send(data);
      }
    };
  });
}

async function residentKb(server) {
  const status = await readFile(`/proc/${server.child.pid}/status`, "utf8");
  return Number(status.match(/^VmRSS:\s+(\d+) kB/m)?.[1] ?? 0);
}
