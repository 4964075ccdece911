// What people do on the screen, by the names they read there.

import assert from "node:assert/strict";

import { until } from "./browser.mjs";

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/** Remembers every peer connection of the page, so that a test can ask for its statistics. */
export async function listenToMedia(seat) {
  await seat.context.addInitScript(() => {
    const made = [];
    Object.defineProperty(globalThis, "mortarPeers", { value: made });
    globalThis.RTCPeerConnection = class extends globalThis.RTCPeerConnection {
      constructor(...args) {
        super(...args);
        made.push(this);
      }
    };
  });
}

/** The door: the link, and for patient and caregiver the patient's date of birth. Counts the clicks. */
export async function openLink(seat, link, birthDate) {
  const { page } = seat;
  let clicks = 0;
  await page.goto(link);
  if (birthDate !== undefined) {
    const [year, month, day] = birthDate.split("-");
    await page.getByLabel("Month").selectOption({ label: MONTHS[Number(month) - 1] });
    await page.getByLabel("Day").fill(String(Number(day)));
    await page.getByLabel("Year").fill(year);
    await page.getByRole("button", { name: "Go on" }).click();
    clicks += 1;
  }
  // A device that was used before is asked one question instead of three.
  await page.getByRole("button", { name: /^(Skip the check|Yes, go to my visit)$/ }).click();
  return clicks + 1;
}

/** A member of the team, in the call. */
export async function joinAsStaff(seat, link) {
  const clicks = await openLink(seat, link);
  await seat.page.getByRole("button", { name: "Leave" }).first().waitFor();
  return clicks;
}

/** A patient or caregiver, in the waiting room. */
export async function wait(seat, link, birthDate) {
  const clicks = await openLink(seat, link, birthDate);
  await seat.page.getByRole("heading", { name: /You are next|before you/ }).waitFor();
  return clicks;
}

/** Lets everybody in who waits. */
export async function admitAll(staff) {
  const admit = staff.page.getByRole("button", { name: /^Admit/ });
  await admit.first().waitFor();
  while ((await admit.count()) > 0) {
    const before = await admit.count();
    await admit.first().click();
    // Who is there beside patient and team joins by the patient's word.
    const heard = staff.page.getByRole("button", { name: "Yes, I heard it: admit" });
    if ((await heard.count()) > 0) await heard.click();
    await until("the seat is let in", async () => (await admit.count()) < before);
  }
}

/** Sums of what the page's peer connections receive and send. */
export async function media(seat) {
  return seat.page.evaluate(async () => {
    const sum = { framesDecoded: 0, audioEnergy: 0, audioPackets: 0, packetsLost: 0, framesSent: 0, height: 0, target: 0, available: 0, micPackets: 0 };
    for (const peer of globalThis.mortarPeers ?? []) {
      if (peer.connectionState === "closed") continue;
      for (const report of (await peer.getStats()).values()) {
        if (report.type === "inbound-rtp" && report.kind === "video") {
          sum.framesDecoded += report.framesDecoded ?? 0;
          sum.packetsLost += report.packetsLost ?? 0;
        }
        if (report.type === "inbound-rtp" && report.kind === "audio") {
          sum.audioEnergy += report.totalAudioEnergy ?? 0;
          sum.audioPackets += report.packetsReceived ?? 0;
          sum.packetsLost += report.packetsLost ?? 0;
        }
        if (report.type === "outbound-rtp" && report.kind === "video") {
          sum.framesSent += report.framesSent ?? 0;
          sum.height = Math.max(sum.height, report.frameHeight ?? 0);
          sum.target = Math.max(sum.target, report.targetBitrate ?? 0);
        }
        if (report.type === "outbound-rtp" && report.kind === "audio") sum.micPackets += report.packetsSent ?? 0;
        if (report.type === "candidate-pair" && report.nominated) sum.available = Math.max(sum.available, report.availableOutgoingBitrate ?? 0);
      }
    }
    return sum;
  });
}

/** The picture that the page receives, the layers of its own camera by rid, and the camera as one stream where it has no rids. */
export async function pictures(seat) {
  return seat.page.evaluate(async () => {
    const received = { height: 0, framesDecoded: 0, codec: "" };
    let latest = 0;
    const layers = {};
    const sent = { codecs: [], mode: "", active: false, framesSent: 0, limited: "" };
    for (const peer of globalThis.mortarPeers ?? []) {
      if (peer.connectionState === "closed") continue;
      const reports = await peer.getStats();
      const codec = (report) => reports.get(report.codecId)?.mimeType ?? "";
      for (const report of reports.values()) {
        if (report.kind !== "video") continue;
        if (report.type === "inbound-rtp" && (report.framesDecoded ?? 0) > 0) {
          received.framesDecoded += report.framesDecoded ?? 0;
          // A slot that carries nothing any more keeps the figures of what it last showed.
          const at = report.lastPacketReceivedTimestamp ?? 0;
          if (at >= latest) [latest, received.height, received.codec] = [at, report.frameHeight ?? 0, codec(report)];
        }
        if (report.type === "outbound-rtp") {
          sent.codecs.push(codec(report));
          sent.mode = report.scalabilityMode ?? "";
          sent.active ||= report.active === true;
          sent.framesSent += report.framesSent ?? 0;
          sent.limited = report.qualityLimitationReason ?? "";
        }
        if (report.type === "outbound-rtp" && report.rid !== undefined) {
          layers[report.rid] = { active: report.active === true, framesSent: report.framesSent ?? 0, height: report.frameHeight ?? 0 };
        }
      }
    }
    return { received, layers, sent };
  });
}

/** Pictures are decoded and sound is audible: figures that grow. */
export async function seesAndHears(seat, who) {
  const before = await until(`${who} decodes a first picture and hears a first sound`, async () => {
    const now = await media(seat);
    return now.framesDecoded > 0 && now.audioEnergy > 0 && now;
  });
  await until(`${who} goes on seeing and hearing`, async () => {
    const now = await media(seat);
    return now.framesDecoded > before.framesDecoded + 10 && now.audioEnergy > before.audioEnergy;
  });
}

/** Nothing arrives: what a waiting seat must see of the call. */
export async function hearsNothing(seat) {
  const now = await media(seat);
  assert.equal(now.framesDecoded, 0, "a waiting seat decodes no picture");
  assert.equal(now.audioPackets, 0, "a waiting seat receives no sound");
}

/** The save pill says that the server has everything. */
export async function saved(seat, words = "On server") {
  await seat.page.getByRole("status").filter({ hasText: words }).first().waitFor();
}

/** Opens a part of the record. */
export async function tab(page, name) {
  await page.getByRole("tab", { name }).click();
}

/** Adds a medicine and says in words how it is taken. */
export async function addMedicine(page, name, words) {
  await addBareMedicine(page, name);
  const card = page.getByLabel(name, { exact: true }).first();
  await card.getByRole("button", { name: /As taken/ }).click();
  await card.getByRole("textbox", { name: "In words" }).fill(words);
  await card.getByRole("button", { name: "Done" }).click();
}

/** Shares the plan with the patient. */
export async function share(page) {
  await page.getByRole("button", { name: "Share with the patient" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Share with the patient" }).click();
  await page.getByText("Shared with the patient").first().waitFor();
}

/** Adds a medicine of which nobody has said how it is taken. */
export async function addBareMedicine(page, name) {
  await page.getByRole("button", { name: "Add a medicine" }).click();
  await page.getByRole("button", { name: "Use boxes instead" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill(name);
  await page.getByRole("button", { name: "Done", exact: true }).click();
  await page.getByLabel(name, { exact: true }).first().waitFor();
}

/** Adds a problem; the part *Plan* is open. */
export async function addProblem(page, condition) {
  await page.getByRole("button", { name: "Add a problem" }).click();
  await page.getByRole("textbox", { name: "Condition" }).fill(condition);
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByLabel(`Problem 1: ${condition}`, { exact: true }).first().waitFor();
}

/** Adds a recommendation that nobody has sent; the part *Plan* is open. */
export async function addRecommendation(page, summary) {
  await page.getByRole("button", { name: "Add a recommendation" }).click();
  await page.getByRole("textbox", { name: "In one line" }).fill(summary);
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByLabel(summary, { exact: true }).first().waitFor();
}

/** Adds a to-do; the part *Plan* is open. */
export async function addTodo(page, text) {
  await page.getByRole("button", { name: "Add a to-do" }).click();
  await page.getByRole("textbox", { name: "What to do" }).fill(text);
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByLabel(text, { exact: true }).first().waitFor();
}

/** Adds a goal; the part *Plan* is open. */
export async function addGoal(page, text) {
  await page.getByRole("button", { name: "Add a goal" }).click();
  await page.getByRole("textbox", { name: /Goal, in the patient's words/ }).last().fill(text);
}
