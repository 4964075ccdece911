// Networks that carry no UDP: a real browser reaches the relay by ICE-TCP.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { metric, until } from "../lib/browser.mjs";
import { meet, openConsultOverLine, seeAndHearEachOther } from "../lib/consult.mjs";
import { media, seesAndHears } from "../lib/people.mjs";

describe("a clinic whose network carries no UDP", { concurrency: false }, () => {
  let consult;
  let pharmacist;
  let patient;
  let line;

  before(async () => {
    consult = await openConsultOverLine("both blocked", { tcp: true });
    ({ pharmacist, patient, line } = consult);
  });
  after(async () => {
    await consult?.close();
  });

  it("sees and hears by TCP, and is seen and heard", async () => {
    await meet(consult);
    const admitted = performance.now();
    await until("the patient hears and sees", async () => {
      const { framesDecoded, audioPackets } = await media(patient);
      return framesDecoded > 0 && audioPackets > 0;
    });
    const took = Math.round(performance.now() - admitted);
    metric("line.no_udp.media_after_ms", took, "<=4000", took <= 4_000 ? "pass" : "info");
    await seeAndHearEachOther(consult);
    assert.deepEqual(await ways(patient), ["tcp"]);
  });

  it("goes over to UDP and back to TCP as the network allows, and stays in the call", async () => {
    await line.order("both delay=20");
    await patient.page.evaluate(() => globalThis.dispatchEvent(new Event("online")));
    await until("UDP is used", async () => (await ways(patient)).join() === "udp");
    await seesAndHears(patient, "the patient");
    await line.order("both blocked");
    const begun = performance.now();
    const { audioPackets } = await media(pharmacist);
    // What was on its way is a few packets.
    await until("sound by TCP", async () => (await media(pharmacist)).audioPackets > audioPackets + 10);
    const back = Math.round(performance.now() - begun);
    metric("line.udp_lost.sound_again_after_ms", back, "<=4000", back <= 4_000 ? "pass" : "info");
    await seeAndHearEachOther(consult);
    assert.deepEqual(await ways(patient), ["tcp"]);
  });
});

/** Protocols of the candidate pairs in use. */
async function ways(seat) {
  return seat.page.evaluate(async () => {
    const found = [];
    for (const peer of globalThis.mortarPeers ?? []) {
      if (peer.connectionState === "closed") continue;
      const report = await peer.getStats();
      for (const transport of report.values()) {
        if (transport.type !== "transport") continue;
        const pair = report.get(transport.selectedCandidatePairId);
        if (pair !== undefined) found.push(report.get(pair.remoteCandidateId).protocol);
      }
    }
    return found;
  });
}
