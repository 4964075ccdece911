// Somebody of a visit without a browser: joins, opens the record and types, as signaling/README.md says.

import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

import WebSocket from "ws";
import * as Y from "yjs";

import { until } from "./browser.mjs";

/** As the product sends them: a line is dead after 15 s of silence, others see a caret ten times a second. */
const PING_EVERY_MS = 5_000;

/** `link` of a patient or caregiver needs the patient's `birthDate`; they wait until somebody admits them. */
export async function openTypist(origin, link, birthDate) {
  const post = async (path, body, cookie) => {
    const reply = await fetch(new URL(path, origin), {
      method: "POST",
      headers: { "content-type": "application/json", origin, ...(cookie === undefined ? {} : { cookie }) },
      body: JSON.stringify(body),
    });
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
    return reply;
  };
  const token = new URL(link).hash.slice(1);
  const claimed = await post("/api/links/claim", birthDate === undefined ? { token } : { token, birth_date: birthDate });
  const cookie = claimed.headers.getSetCookie().map((one) => one.split(";")[0]).join("; ");
  const { seat } = await claimed.json();
  const { ws_path: path, ticket } = await (await post(`/api/seats/${seat}/join`, {}, cookie)).json();
  const socket = new WebSocket(new URL(path, origin.replace(/^http/, "ws")), "mortar.v1", { headers: { cookie, origin } });
  const typist = new Typist(socket);
  await new Promise((opened, failed) => socket.once("open", opened).once("error", failed));
  typist.send({ type: "join", ticket });
  return typist;
}

class Typist {
  /** Of `welcome`, once admitted. */
  visit = null;
  /** Documents of the record by kind: their id, and under which Yjs client this connection types. */
  docs = new Map();
  /** Narrative texts by address: their Yjs document and the revision seen. */
  texts = new Map();
  /** Edits without an answer. */
  unanswered = new Set();
  refused = [];

  constructor(socket) {
    this.socket = socket;
    let n = 0;
    this.beat = setInterval(() => this.send({ type: "ping", n: (n += 1) }), PING_EVERY_MS);
    socket.on("message", (data) => this.receive(JSON.parse(String(data))));
  }

  send(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  receive(message) {
    switch (message.type) {
      case "welcome":
        this.visit = message.admission.state === "admitted" ? message.visit : null;
        break;
      case "record.snapshot":
        this.docs.set(message.kind, { id: message.doc, clientId: message.client_id });
        if (message.content.mode !== "full") throw new Error("a typist opens a record once");
        for (const { at, rev, state } of message.content.state.texts) this.fold(at, rev, state);
        break;
      case "record.ack":
        this.unanswered.delete(message.edit);
        this.change(message.change);
        break;
      case "record.change":
        this.change(message.change);
        break;
      case "record.refuse":
      case "refused":
        this.refused.push(message.code);
        break;
      default: // the call's messages
    }
  }

  change(change) {
    if (change?.what.kind === "text") this.fold(change.what.at, change.seq, change.what.update);
  }

  fold(at, rev, update) {
    const text = this.text(at);
    Y.applyUpdate(text.doc, Buffer.from(update, "base64"));
    text.rev = rev;
  }

  text({ row, field }) {
    const key = `${row ?? ""}/${field}`;
    const text = this.texts.get(key) ?? { doc: new Y.Doc(), rev: 0 };
    this.texts.set(key, text);
    return text;
  }

  /** Once this seat is in the call. */
  async openRecord(kind) {
    const visit = await until("admission", () => this.visit);
    this.send({ type: "record.open", record: visit.record, have: [] });
    return until(`a snapshot of ${kind}`, () => this.docs.get(kind));
  }

  /** Types at the end of a text as a browser does: an edit for each letter, and the caret behind it. */
  async type(kind, at, words, everyMs) {
    const { id, clientId } = this.docs.get(kind);
    const { doc } = this.text(at);
    doc.clientID = clientId;
    const text = doc.getText("t");
    let caret = Y.createRelativePositionFromTypeIndex(text, text.length, -1);
    const begun = performance.now();
    for (const [index, letter] of [...words].entries()) {
      await pause(Math.max(0, begun + index * everyMs - performance.now()));
      const before = Y.encodeStateVector(doc);
      const place = Y.createAbsolutePositionFromRelativePosition(caret, doc)?.index ?? text.length;
      text.insert(place, letter);
      caret = Y.createRelativePositionFromTypeIndex(text, place + 1, -1);
      const update = Buffer.from(Y.encodeStateAsUpdate(doc, before)).toString("base64");
      const edit = { id: uuid7(), op: { kind: "text", at, base: this.text(at).rev, update } };
      this.unanswered.add(edit.id);
      this.send({ type: "record.edit", doc: id, edit });
      const head = Buffer.from(Y.encodeRelativePosition(caret)).toString("base64");
      this.send({ type: "record.caret", doc: id, caret: { at, head, anchor: null } });
    }
    this.send({ type: "record.caret", doc: id, caret: null });
    await until("everything typed is stored", () => this.unanswered.size === 0 || this.refused.length > 0);
    if (this.refused.length > 0) throw new Error(`refused: ${this.refused.join()}`);
  }

  close() {
    clearInterval(this.beat);
    this.socket.close(1000);
  }
}

/** RFC 9562 §5.7: the time first, then chance. */
function uuid7() {
  const hex = Date.now().toString(16).padStart(12, "0") + randomBytes(10).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-${((Number.parseInt(hex[16], 16) & 3) | 8).toString(16)}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
