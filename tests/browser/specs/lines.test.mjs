// The lines people have, between a real browser and the relay. Shares are asserted, times are figures.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";

import { metric, until } from "../lib/browser.mjs";
import { meet, openConsultOverLine, seeAndHearEachOther } from "../lib/consult.mjs";
import { seesAndHears } from "../lib/people.mjs";

/** How long a rung of the ladder is looked at. */
const RUNG_MS = process.env.MORTAR_SCALE === "full" ? 60_000 : 12_000;

/** Payload types of Chromium's sound: Opus, and several of its frames in a packet (RFC 2198). */
const [OPUS, RED] = [111, 63];

describe("a patient on a bad line", { concurrency: false }, () => {
  let consult;
  let pharmacist;
  let patient;
  let line;

  before(async () => {
    consult = await openConsultOverLine("both delay=20");
    ({ pharmacist, patient, line } = consult);
    await meet(consult);
    await seeAndHearEachOther(consult);
    assert.deepEqual(await line.sent(RED), { up: 0, down: 0 }, "nothing is lost yet");
  });
  after(async () => {
    await consult?.close();
  });

  for (const [percent, most] of [[10, 0.03], [30, 0.1]]) {
    it(`hears and is heard while ${percent} % of everything is lost`, async () => {
      await line.order(`both delay=20 loss=${percent}`);
      const begun = performance.now();
      const before = await line.sent(RED);
      await until("voices repeat themselves both ways", async () => {
        const { up, down } = await line.sent(RED);
        return up > before.up && down > before.down;
      });
      metric(`line.loss_${percent}.repeated_after_ms`, Math.round(performance.now() - begun), "-");
      await line.counters();
      const [heard, said] = await Promise.all([concealed(patient), concealed(pharmacist)]);
      const passage = await line.counters();
      await pharmacist.page.getByText(/^about .* is lost$/).first().waitFor();
      await line.order("both delay=20");
      for (const [name, share] of [["to_patient", heard], ["from_patient", said]]) {
        metric(`line.loss_${percent}.concealed_${name}`, share.toFixed(4), `<=${most}`, share <= most ? "pass" : "info");
        // The target is a figure; that a short rung is not twice as bad is the test.
        assert.ok(share <= 2 * most, `${name}: ${share} of the sound had to be invented; ${passage}`);
      }
    });
  }

  it("says everything only once when nothing is lost any more", async () => {
    const said = async () => (await line.sent(OPUS)).up + (await line.sent(RED)).up;
    await until("a second in which nobody repeats himself", async () => {
      const [red, before] = [await line.sent(RED), await said()];
      await until("a second of sound", async () => (await said()) > before + 50);
      return isDeepStrictEqual(await line.sent(RED), red);
    });
  });

  it("is shown as reconnecting when nothing comes any more, and comes back to its seat", async () => {
    const connections = await made(patient);
    await line.order("both blocked");
    const begun = performance.now();
    await pharmacist.page.getByText("reconnecting").first().waitFor();
    // 1.6 seconds without a packet, and the way to the screen.
    const shown = Math.round(performance.now() - begun);
    metric("line.gone.shown_after_ms", shown, "<=2000", shown <= 2_000 ? "pass" : "info");
    await line.order("both delay=20");
    const healed = performance.now();
    await pharmacist.page.getByText("reconnecting").first().waitFor({ state: "detached" });
    metric("line.healed.shown_after_ms", Math.round(performance.now() - healed), "-");
    await seeAndHearEachOther(consult);
    assert.equal(await made(patient), connections, "the connection it had is the one that came back");
  });

  it("goes on talking when its address changes", async () => {
    await seesAndHears(pharmacist, "the pharmacist");
    await line.order("rebind");
    const begun = performance.now();
    const { received } = await sound(pharmacist);
    // What was on its way at the change is a few packets.
    await until("sound from the new address", async () => (await sound(pharmacist)).received > received + 5);
    metric("line.rebind.sound_again_after_ms", Math.round(performance.now() - begun), "<=3000");
    await seesAndHears(patient, "the patient");
  });

  it("keeps its sound on 64 kbit/s, says why there is no picture, and shows it again when the line heals", async () => {
    const reconnecting = pharmacist.page.getByText("reconnecting");
    await Promise.all([pharmacist, patient].map(noteReconnecting));
    await line.order("both delay=20 rate=64 queue=400");
    const begun = performance.now();
    const since = () => Math.round(performance.now() - begun);
    // Whose line it is: their own picture and those they would see on one side, theirs on the other.
    const rests = [
      patient.page.getByText(/your picture is paused/),
      patient.page.getByText(/^Your line is too weak for it/),
      pharmacist.page.getByText(/^Their line is too weak for it/),
    ];
    await Promise.all(rests.map((words) => words.first().waitFor()));
    metric("line.64_kbit.words_after_ms", since(), "<=3000", since() <= 3_000 ? "pass" : "info");
    await listenFor(patient, SETTLE_MS - Math.min(since(), SETTLE_MS));
    const [heard, said] = await Promise.all([concealed(patient), concealed(pharmacist)]);
    for (const [name, share] of [["to_patient", heard], ["from_patient", said]]) {
      metric(`line.64_kbit.concealed_${name}`, share.toFixed(4), "<=0.03", share <= 0.03 ? "pass" : "info");
      assert.ok(share <= 0.1, `${share} of the sound had to be invented`);
    }
    assert.equal(await reconnecting.count(), 0);
    for (const seat of [pharmacist, patient]) assert.equal(await seat.page.evaluate(() => globalThis.sawReconnecting), false, "a full line was taken for a dead one");

    await line.order("both delay=20");
    const healed = performance.now();
    await Promise.all(rests.map((words) => words.first().waitFor({ state: "detached", timeout: 90_000 })));
    metric("line.64_kbit.picture_back_after_ms", Math.round(performance.now() - healed), "<=15000");
    await seeAndHearEachOther(consult);
  });
});

/** Connections that the page made so far. */
async function made(seat) {
  return seat.page.evaluate(() => globalThis.mortarPeers.length);
}

/** After a line has changed this long passes until everything has found out. */
const SETTLE_MS = 5_000;

/** Notes in the page whether its media was ever called reconnecting, however shortly. */
async function noteReconnecting(seat) {
  await seat.page.evaluate(() => {
    const shows = () => /reconnecting|Nobody hears you now/i.test(document.body.innerText);
    globalThis.sawReconnecting = false;
    new MutationObserver(() => {
      globalThis.sawReconnecting ||= shows();
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
}

/** Lets so much sound pass, silence and invented sound counted. */
async function listenFor(seat, ms) {
  const { samples } = await sound(seat);
  await until("a while of listening", async () => (await sound(seat)).samples - samples >= 48 * ms, { liveness: 4 * ms + 10_000 });
}

/** Share of the sound that the browser had to invent while it listened, silence not counted. */
async function concealed(seat) {
  const before = await sound(seat);
  await listenFor(seat, RUNG_MS);
  const after = await sound(seat);
  return (after.concealed - before.concealed) / (after.samples - before.samples);
}

async function sound(seat) {
  return seat.page.evaluate(async () => {
    const sum = { samples: 0, concealed: 0, received: 0 };
    for (const peer of globalThis.mortarPeers ?? []) {
      if (peer.connectionState === "closed") continue;
      for (const report of (await peer.getStats()).values()) {
        if (report.type !== "inbound-rtp" || report.kind !== "audio" || !(report.packetsReceived > 0)) continue;
        sum.samples += report.totalSamplesReceived ?? 0;
        sum.concealed += (report.concealedSamples ?? 0) - (report.silentConcealedSamples ?? 0);
        sum.received += report.packetsReceived;
      }
    }
    return sum;
  });
}
