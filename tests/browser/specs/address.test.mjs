// A patient's address changes in the middle of a call, by itself or as the device says: how long nobody hears anybody.
// `ROUNDS=30 node --test specs/address.test.mjs` takes as many changes of each kind; MORTAR_SCALE=full takes 30.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { after, before, describe, it } from "node:test";

import { metric, percentile, until } from "../lib/browser.mjs";
import { meet, openConsultOverLine, seeAndHearEachOther } from "../lib/consult.mjs";

const ROUNDS = Number(process.env.ROUNDS ?? (process.env.MORTAR_SCALE === "full" ? 30 : 3));

/** Chromium checks a path every 2.5 s: the changes fall everywhere between two checks. */
const CHECKS_EVERY_MS = 2_500;
/** Of sound in one packet. */
const PACKET_MS = 20;
/** A change and all that it causes. */
const ROUND_MS = 3_000;

describe("a patient whose address changes", { concurrency: false }, () => {
  let consult;
  let pharmacist;
  let patient;
  let line;

  before(async () => {
    consult = await openConsultOverLine("both delay=20");
    ({ pharmacist, patient, line } = consult);
    await meet(consult);
    await seeAndHearEachOther(consult);
    for (const seat of [pharmacist, patient]) await measureGaps(seat);
  });
  after(async () => {
    await consult?.close();
  });

  const announce = () => patient.page.evaluate(() => void globalThis.dispatchEvent(new Event("online")));
  for (const [name, announced] of [["rebind", false], ["announced", true]]) {
    it(`hears and is heard again, ${announced ? "when the device says so" : "though nobody says so"}`, async () => {
      const connections = await patient.page.evaluate(() => globalThis.mortarPeers.length);
      const gaps = { up: [], down: [] };
      for (let round = 0; round < ROUNDS; round += 1) {
        await pause((round * CHECKS_EVERY_MS) / ROUNDS);
        for (const seat of [pharmacist, patient]) await longestGap(seat);
        await line.order("rebind");
        if (announced) await announce();
        await pause(ROUND_MS);
        gaps.up.push(await longestGap(pharmacist));
        gaps.down.push(await longestGap(patient));
        for (const seat of [pharmacist, patient]) await isHearing(seat);
      }
      for (const [way, each] of Object.entries(gaps)) {
        const [p95, ms] = [percentile(each, 95), Math.round];
        const figures = `p50=${ms(percentile(each, 50))} max=${ms(Math.max(...each))} n=${each.length}`;
        metric(`line.${name}.gap_ms.${way}.p95`, ms(p95), "<=1000", `${p95 <= 1_000 ? "pass" : "info"} ${figures}`);
      }
      await seeAndHearEachOther(consult);
      assert.equal(await patient.page.evaluate(() => globalThis.mortarPeers.length), connections, "it is the same connection");
    });
  }
});

/** Notes in the page how long no packet of sound came, looking as often as one is due. */
async function measureGaps(seat) {
  await seat.page.evaluate((everyMs) => {
    const gaps = { packets: 0, at: performance.now(), longest: 0 };
    globalThis.soundGaps = gaps;
    const look = async () => {
      let packets = 0;
      for (const peer of globalThis.mortarPeers) {
        for (const receiver of peer.getReceivers()) {
          if (receiver.track.kind !== "audio") continue;
          for (const report of (await receiver.getStats()).values()) packets += report.type === "inbound-rtp" ? report.packetsReceived : 0;
        }
      }
      const now = performance.now();
      // What came since the last look came one by one: a page that was kept from looking heard it all the same.
      const heard = Math.max(0, packets - gaps.packets - 1) * everyMs;
      gaps.longest = Math.max(gaps.longest, now - gaps.at - heard);
      if (packets > gaps.packets) [gaps.packets, gaps.at] = [packets, now];
      setTimeout(look, everyMs);
    };
    void look();
  }, PACKET_MS);
}

/** Since this was last asked; one that lasts counts. */
async function longestGap(seat) {
  return seat.page.evaluate(() => {
    const { longest } = globalThis.soundGaps;
    globalThis.soundGaps.longest = 0;
    return longest;
  });
}

async function isHearing(seat) {
  const packets = () => seat.page.evaluate(() => globalThis.soundGaps.packets);
  const before = await packets();
  await until("sound", async () => (await packets()) > before + 10);
}
