// Cameras in H.264, and in VP9 and AV1 as one stream of three sizes, with real encoders and decoders: each watcher gets the size
// of his tile out of it, and what nobody looks at is not sent.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

import { metric, openSeat, shot, until } from "../lib/browser.mjs";
import { admitAll, joinAsStaff, listenToMedia, media, pictures, seesAndHears, wait } from "../lib/people.mjs";
import { startServer } from "../lib/server.mjs";

/** Three sizes need 2 Mb/s, and a browser's bandwidth estimate begins at 300 kb/s; software encoders share the machine. */
const RAMP = { liveness: 120_000 };

/** `FORMAT=vp9` runs one. */
const FORMATS = [
  { format: "h264", mime: "video/H264", mode: null },
  { format: "vp9", mime: "video/VP9", mode: { large: "L3T3_KEY", small: "L1T3" } },
  { format: "av1", mime: "video/AV1", mode: { large: "L3T3_KEY", small: "L1T3" } },
].filter(({ format }) => (process.env.FORMAT ?? format) === format);

for (const { format, mime, mode } of FORMATS) {
  describe(`a camera in ${format}`, { concurrency: false }, () => {
    let server;
    let publisher;
    let large;
    let small;

    before(async () => {
      server = await startServer({ args: ["--camera", format] });
      publisher = await openSeat(server.origin);
      large = await openSeat(server.origin);
      small = await openSeat(server.origin);
      for (const seat of [publisher, large, small]) await listenToMedia(seat);
      await joinAsStaff(publisher, server.links.clinician);
      await joinAsStaff(large, server.links.pharmacist);
      await seesAndHears(large, "the first watcher");
      await wait(small, server.links.patient, server.birthDate);
      await admitAll(large);
      // One camera is enough for this machine, and for this test.
      for (const seat of [large, small]) await seat.page.getByRole("button", { name: "Stop camera" }).first().click();
    });

    after(async () => {
      for (const seat of [publisher, large, small]) await seat?.close();
      await server?.close();
    });

    /** Makes a watcher's tiles as tall as that, in CSS pixels; 0 hides them. */
    async function tile(seat, height) {
      // A rule, not the elements' own style: they are made anew when people come and go.
      await seat.page.evaluate((pixels) => {
        const tall = `height: ${pixels}px !important; min-height: ${pixels}px !important; max-height: ${pixels}px !important`;
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(`figure { ${pixels === 0 ? "display: none !important" : tall} }`);
        document.adoptedStyleSheets = [sheet];
      }, height);
    }

    /** Every frame decodes after a switch. */
    async function goesOn(seat) {
      const { received } = await pictures(seat);
      await until("the picture goes on", async () => (await pictures(seat)).received.framesDecoded > received.framesDecoded + 20, RAMP);
    }

    it("is sent in that format and shown to both", async () => {
      for (const seat of [large, small]) {
        await until("a picture arrives", async () => (await pictures(seat)).received.codec === mime, RAMP);
      }
      const { sent, layers } = await pictures(publisher);
      assert.ok(sent.codecs.length > 0 && sent.codecs.every((codec) => codec === mime || codec === ""), `${sent.codecs}`);
      assert.deepEqual(Object.keys(layers).sort(), mode === null ? ["f", "h", "q"] : []);
    });

    it("gives a large tile a large picture and a small tile a small one at the same time", async () => {
      await tile(large, 720);
      await tile(small, 90);
      const seen = await until("each has the size of his tile", async () => {
        const [big, little, { sent }] = await Promise.all([pictures(large), pictures(small), pictures(publisher)]);
        const sizes = [big.received.height, little.received.height];
        return sizes[0] >= 4 * sizes[1] - 4 && sizes[1] > 0 && (mode === null || sent.mode === mode.large) && sizes;
      }, RAMP);
      console.log(`# ${format}: ${seen[0]} and ${seen[1]} lines`);
      await Promise.all([goesOn(large), goesOn(small)]);
    });

    it("sends no more than the small size when both tiles are small", async () => {
      const begin = performance.now();
      await tile(large, 90);
      await until("the publisher sends less", async () => {
        const { sent, layers } = await pictures(publisher);
        return mode === null ? !layers.f.active && !layers.h.active && layers.q.active : sent.mode === mode.small;
      }, RAMP);
      metric(`formats.${format}.smaller_ms`, Math.round(performance.now() - begin), "<=2500");
      await until("the large tile has the small picture", async () => {
        const [big, little] = await Promise.all([pictures(large), pictures(small)]);
        return big.received.height === little.received.height;
      }, RAMP);
      await Promise.all([goesOn(large), goesOn(small)]);
    });

    it("grows again when a tile grows", async () => {
      await tile(large, 720);
      await until("the large picture is back", async () => {
        const [big, little] = await Promise.all([pictures(large), pictures(small)]);
        return big.received.height >= 4 * little.received.height - 4;
      }, RAMP);
      await Promise.all([goesOn(large), goesOn(small)]);
    });

    it("stops when nobody looks, while the voice goes on, and begins again", async () => {
      const begin = performance.now();
      await Promise.all([tile(large, 0), tile(small, 0)]);
      await until("the camera is not sent", async () => !(await pictures(publisher)).sent.active, RAMP);
      metric(`formats.${format}.stop_ms`, Math.round(performance.now() - begin), "<=2500");
      const before = (await pictures(publisher)).sent.framesSent;
      const heard = (await media(large)).audioPackets;
      await until("the voice goes on for a second", async () => (await media(large)).audioPackets > heard + 50);
      assert.equal((await pictures(publisher)).sent.framesSent, before, "not one frame");
      await tile(small, 90);
      await goesOn(small);
    });
  });
}

describe("a format that a browser cannot show", { concurrency: false }, () => {
  let server;
  let publisher;
  let watcher;

  before(async () => {
    server = await startServer({ args: ["--camera", "vp9"] });
    publisher = await openSeat(server.origin);
    watcher = await openSeat(server.origin);
    for (const seat of [publisher, watcher]) await listenToMedia(seat);
    // A browser whose maker left VP9 out.
    await watcher.context.addInitScript(() => {
      for (const side of [RTCRtpReceiver, RTCRtpSender]) {
        const all = side.getCapabilities.bind(side);
        side.getCapabilities = (kind) => {
          const capabilities = all(kind);
          return { ...capabilities, codecs: capabilities.codecs.filter(({ mimeType }) => mimeType !== "video/VP9") };
        };
      }
    });
    await joinAsStaff(publisher, server.links.clinician);
    await joinAsStaff(watcher, server.links.pharmacist);
  });

  after(async () => {
    for (const seat of [publisher, watcher]) await seat?.close();
    await server?.close();
  });

  it("is said in words in the place of the picture, and the person is heard", async () => {
    await watcher.page.getByText("No picture here").waitFor();
    const heard = (await media(watcher)).audioPackets;
    await until("the voice goes on", async () => (await media(watcher)).audioPackets > heard + 50);
    assert.equal((await pictures(watcher)).received.framesDecoded, 0, "never sent what it cannot decode");
    await shot(watcher, "format-not-shown");
  });

  it("keeps nobody else from seeing: its own camera is sent in VP8", async () => {
    await until("the other one sees", async () => (await pictures(publisher)).received.codec === "video/VP8");
  });
});
