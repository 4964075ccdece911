/** The few HTTP calls of the visit's door. Everything after it goes over the WebSocket. */
import type {
  ActOnAgreement, AgreementAnswer, AgreementExport, Agreements, Answerer, AnswerStepUp, AskStepUp, Book, Bookings, CdsAnswers, Claimed,
  Command, DecisionAnswered, DecisionLink, DecisionPage, EditId, Enrol, Enrolled, Enrolment, ExportRequest, ImportReply, ImportRequest,
  JoinReply, MailAgain, MoveBooking, NoticeAgain, Notices, PrescriberPapers, ReadVersion, RowId, SeatHome, SeatId, SheetCommand,
  SheetReply, StepUpNeeds, StepUpProof, StepUpQuestion, TelephoneNumber, TellTouchpoint, Timer, Touchpoints, VersionContent, VersionLine,
  VisitId,
} from "./wire";

/** The server said no, or was not there (`status` 0). */
export class ApiFailure extends Error {
  readonly status: number;
  readonly code: string;
  /** Whom to call, where the server says so. */
  readonly phone: string | null;
  /** Tries that are left at the door. */
  readonly triesLeft: number | null;
  /** Of whose seat something is wrong. */
  readonly seat: SeatId | null;
  constructor(status: number, problem: { readonly code?: unknown; readonly phone?: unknown; readonly tries_left?: unknown; readonly seat?: unknown }) {
    const code = typeof problem.code === "string" ? problem.code : "unknown";
    super(code);
    this.status = status;
    this.code = code;
    this.phone = typeof problem.phone === "string" ? problem.phone : null;
    this.triesLeft = typeof problem.tries_left === "number" ? problem.tries_left : null;
    this.seat = typeof problem.seat === "string" ? (problem.seat as SeatId) : null;
  }
}

/** Longer than any answer of a working server; after it the line counts as down. */
const ANSWER_WITHIN_MS = 8_000;

/** Four services of other parties, five seconds each, and the list of them. */
const CARDS_WITHIN_MS = 30_000;

type Method = "GET" | "POST" | "DELETE";

async function call<T>(method: Method, path: string, body?: unknown, withinMs?: number): Promise<T> {
  const response = await answer(method, path, body, withinMs);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function answer(method: Method, path: string, body?: unknown, withinMs = ANSWER_WITHIN_MS): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      ...(method === "POST" ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body ?? {}) } : {}),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(withinMs),
    });
  } catch {
    throw new ApiFailure(0, { code: "offline" });
  }
  if (!response.ok) throw new ApiFailure(response.status, await problemOf(response));
  return response;
}

async function problemOf(response: Response): Promise<object> {
  try {
    const body: unknown = await response.json();
    return typeof body === "object" && body !== null ? body : {};
  } catch {
    return {}; // a proxy's page, not ours
  }
}

export function claim(token: string, birthDate: string | null): Promise<Claimed> {
  return call("POST", "/api/links/claim", birthDate === null ? { token } : { token, birth_date: birthDate });
}

export function joinSeat(seat: SeatId): Promise<JoinReply> {
  return call("POST", `/api/seats/${seat}/join`);
}

export function seatFacts(seat: SeatId): Promise<SeatHome> {
  return call("GET", `/api/seats/${seat}`);
}

/** The record as FHIR, to be saved as a file. */
export async function exportRecord(seat: SeatId, request: ExportRequest): Promise<Blob> {
  return (await answer("POST", `/api/seats/${seat}/export`, request)).blob();
}

/** A large chart takes minutes on a thin line, and a moment to read. */
const IMPORT_WITHIN_MS = 180_000;

/** Compares a chart with the record, or takes what was accepted of it: one line that says which, then the file as it is. */
export async function importChart(seat: SeatId, request: ImportRequest, file: Blob): Promise<ImportReply> {
  let response: Response;
  try {
    response = await fetch(`/api/seats/${seat}/import`, {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: new Blob([JSON.stringify(request), "\n", file]),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(IMPORT_WITHIN_MS),
    });
  } catch {
    throw new ApiFailure(0, { code: "offline" });
  }
  if (!response.ok) throw new ApiFailure(response.status, await problemOf(response));
  return (await response.json()) as ImportReply;
}

/** What waits for the answers of prescribers, for paper. */
export function prescriberPapers(seat: SeatId): Promise<PrescriberPapers> {
  return call("GET", `/api/seats/${seat}/prescribers`);
}

/** The signed versions of the plan, oldest first. */
export function versionsOf(seat: SeatId): Promise<readonly VersionLine[]> {
  return call("GET", `/api/seats/${seat}/versions`);
}

/** What one of them says. */
export function versionOf(seat: SeatId, version: number): Promise<VersionContent> {
  return call("GET", `/api/seats/${seat}/versions/${version}`);
}

/** What the practice's decision support says about the plan; nothing where none is configured. It has seconds to answer. */
export function cardsOf(seat: SeatId): Promise<CdsAnswers | undefined> {
  return call("GET", `/api/seats/${seat}/cards`, undefined, CARDS_WITHIN_MS);
}

/** Under which number the patient is called: whole for whoever calls, its last digits for the patient. */
export function telephoneNumber(seat: SeatId): Promise<TelephoneNumber> {
  return call("GET", `/api/seats/${seat}/telephone`);
}

/** Whose link to set up a passkey it is, and the question for their device. */
export function openEnrolment(token: string): Promise<Enrolment> {
  return call("POST", "/api/passkeys/open", { token });
}

/** The passkey the device made. */
export function enrolPasskey(made: Enrol): Promise<Enrolled> {
  return call("POST", "/api/passkeys/enrol", made);
}

/** What a signature of this seat needs. */
export function stepUpNeeds(seat: SeatId): Promise<StepUpNeeds> {
  return call("GET", `/api/seats/${seat}/step-up`);
}

/** A question for a passkey of who signs. */
export function askStepUp(seat: SeatId, about: AskStepUp): Promise<StepUpQuestion> {
  return call("POST", `/api/seats/${seat}/step-up`, about);
}

/** Its answer, for the proof that lets one signature through. */
export function answerStepUp(seat: SeatId, answer: AnswerStepUp): Promise<StepUpProof> {
  return call("POST", `/api/seats/${seat}/step-up/answer`, answer);
}

export function visitTimer(seat: SeatId): Promise<Timer> {
  return call("GET", `/api/seats/${seat}/timer`);
}

export function readSheet(seat: SeatId): Promise<SheetReply> {
  return call("GET", `/api/seats/${seat}/sheet`);
}

export function saySheet(seat: SeatId, command: SheetCommand): Promise<SheetReply> {
  return call("POST", `/api/seats/${seat}/sheet`, command);
}

export function readAgreements(seat: SeatId): Promise<Agreements> {
  return call("GET", `/api/seats/${seat}/agreements`);
}

export function actOnAgreement(seat: SeatId, act: ActOnAgreement): Promise<AgreementAnswer> {
  return call("POST", `/api/seats/${seat}/agreements`, act);
}

/** A report, or the list for an inspection, as the file it is handed over as. */
export async function exportAgreements(seat: SeatId, wish: AgreementExport): Promise<Blob> {
  return (await answer("POST", `/api/seats/${seat}/agreements/export`, wish)).blob();
}

export function readBookings(seat: SeatId): Promise<Bookings> {
  return call("GET", `/api/seats/${seat}/bookings`);
}

export function bookVisit(seat: SeatId, book: Book): Promise<Bookings> {
  return call("POST", `/api/seats/${seat}/bookings`, book);
}

/** Another hour for the people of a booked visit: their links of before end. */
export function moveBooking(seat: SeatId, visit: VisitId, to: MoveBooking): Promise<Bookings> {
  return call("POST", `/api/seats/${seat}/bookings/${visit}`, to);
}

/** Where each touchpoint of the plan stands now. */
export function readTouchpoints(seat: SeatId): Promise<Touchpoints> {
  return call("GET", `/api/seats/${seat}/touchpoints`);
}

/** What somebody says became of a touchpoint. */
export function tellTouchpoint(seat: SeatId, row: RowId, told: TellTouchpoint): Promise<Touchpoints> {
  return call("POST", `/api/seats/${seat}/touchpoints/${row}`, told);
}

export function cancelBooking(seat: SeatId, visit: VisitId): Promise<Bookings> {
  return call("DELETE", `/api/seats/${seat}/bookings/${visit}`);
}

/** The invitation, or the cancellation, once more to one person. */
export function mailAgain(seat: SeatId, visit: VisitId, to: MailAgain): Promise<Bookings> {
  return call("POST", `/api/seats/${seat}/bookings/${visit}/mail`, to);
}

/** Who of this visit is told of the signed plan by mail. */
export function readNotices(seat: SeatId): Promise<Notices> {
  return call("GET", `/api/seats/${seat}/notices`);
}

/** Tells one of them once more. */
export function mailNotice(seat: SeatId, to: SeatId): Promise<Notices> {
  return call("POST", `/api/seats/${seat}/notices`, { seat: to } satisfies NoticeAgain);
}

/** Whether the primary care provider has read the plan, for themselves. */
export function versionToRead(seat: SeatId): Promise<ReadVersion | undefined> {
  return call("GET", `/api/seats/${seat}/acknowledge`);
}

/** It was read. */
export function acknowledgeVersion(seat: SeatId, version: number): Promise<ReadVersion> {
  return call("POST", `/api/seats/${seat}/acknowledge`, { version, read: true } satisfies ReadVersion);
}

/** Where the browser fetches the invitation by itself: a file for the calendar. */
export function invitationPath(seat: SeatId, visit: VisitId, language: string): string {
  return `/api/seats/${seat}/bookings/${visit}/invitation?language=${language}`;
}

/** A new link by which a prescriber answers one recommendation. Shown once. */
export function linkTo(seat: SeatId, row: RowId): Promise<DecisionLink> {
  return call("POST", `/api/seats/${seat}/recommendations/${row}/link`);
}

/** Takes every link to a recommendation back. */
export function revokeLinks(seat: SeatId, row: RowId): Promise<undefined> {
  return call("DELETE", `/api/seats/${seat}/recommendations/${row}/link`);
}

/** The page of such a link. */
export function openDecision(token: string): Promise<DecisionPage> {
  return call("POST", "/api/decisions/open", { token });
}

export function answerDecision(answer: { readonly token: string; readonly id: EditId; readonly command: Command; readonly seen: number; readonly who?: Answerer }): Promise<DecisionAnswered> {
  return call("POST", "/api/decisions/answer", answer);
}
