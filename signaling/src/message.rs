//! The messages: one JSON object in each WebSocket text frame, told apart by `type`. `README.md` explains them.
//!
//! Longer than other files here on purpose: the protocol reads best in one piece.

use serde::{Deserialize, Serialize};

use clinical::actor::{Millis, Role};
use clinical::bytes::Base64;
use clinical::change::Change;
use clinical::command::Command;
use clinical::edit::Edit;
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::gate::GateItem;
use clinical::id::{CallId, ConnectionId, DocId, EditId, PersonId, RecordId, SeatId, VisitId};
use clinical::phi::Phi;
use clinical::safety::Prompt;
use clinical::view::{Snapshot, View};

use crate::presence::{Presence, PresencePatch};
use crate::visit::VisitKind;

/// The WebSocket subprotocol (RFC 6455 §1.9): name and version of everything below.
pub const SUBPROTOCOL: &str = "mortar.v1";

/// What a client says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "type", deny_unknown_fields)]
pub enum ClientMessage {
    /// The first message on a connection: the ticket that `POST /api/seats/{seat}/join` gave.
    #[serde(rename = "join")]
    Join {
        /// Single use, 60 s.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        ticket: Phi<String>,
    },
    /// Application ping, every 2 s.
    #[serde(rename = "ping")]
    Ping {
        /// Comes back in the pong.
        n: u32,
    },
    /// Media: an SDP offer (RFC 8866). The client always offers, the server always answers.
    #[serde(rename = "offer")]
    Offer {
        /// Comes back in the answer, so that a late one is told apart.
        n: u32,
        /// The offer. Carries addresses of the browser: never logged.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        sdp: Phi<String>,
        /// `first`: the server offers AES-GCM alone; `fallback`: after `media_failed` with `dtls_srtp_profile`.
        srtp: SrtpAttempt,
        /// Whether this replaces the transport (new PeerConnection) or goes on with it (ICE restart).
        transport: TransportKind,
    },
    /// Media: which pictures to send, and how large they stand on the screen.
    #[serde(rename = "want")]
    Want {
        /// One entry for each slot whose wish changed.
        slots: Vec<SlotWish>,
    },
    /// A change of the own presence.
    #[serde(rename = "presence")]
    Presence {
        /// What changed.
        patch: PresencePatch,
    },
    /// Let a waiting seat in.
    #[serde(rename = "admit")]
    Admit {
        /// Who waits.
        seat: SeatId,
        /// The patient agreed aloud. Needed for whoever is there beside patient and team.
        agreed: bool,
    },
    /// Put a seat back into the waiting room.
    #[serde(rename = "send_back")]
    SendBack {
        /// Who goes back.
        seat: SeatId,
    },
    /// The visit goes on by telephone, or does not any more.
    #[serde(rename = "telephone")]
    Telephone {
        /// Which of the two, and how.
        step: TelephoneStep,
    },
    /// Leave: others see it at once, the seat may come back.
    #[serde(rename = "leave")]
    Leave,
    /// End the visit for everybody.
    #[serde(rename = "end")]
    End,

    /// Open a record: the server answers a `record.snapshot` for each document this seat may read.
    #[serde(rename = "record.open")]
    RecordOpen {
        /// Which.
        record: RecordId,
        /// Documents already folded, and up to which `seq`.
        have: Vec<Have>,
    },
    /// Edit a document.
    #[serde(rename = "record.edit")]
    RecordEdit {
        /// Which document.
        doc: DocId,
        /// The edit.
        edit: Edit,
        /// Sent before, without an answer seen.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
        resend: bool,
    },
    /// Decide something.
    #[serde(rename = "record.command")]
    RecordCommand {
        /// Which document.
        doc: DocId,
        /// Made by the client.
        id: EditId,
        /// The decision.
        command: Command,
        /// The document's `seq` the person looked at.
        seen: u64,
    },
    /// Ask what is missing before the plan may be signed.
    #[serde(rename = "record.gate")]
    RecordGate {
        /// The plan.
        doc: DocId,
    },
    /// Ask for the safety prompts of the plan.
    #[serde(rename = "record.safety")]
    RecordSafety {
        /// The plan.
        doc: DocId,
    },
    /// Sign the plan as it was seen, by the statement of [`clinical::version::STATEMENT`].
    #[serde(rename = "record.sign")]
    RecordSign {
        /// The plan.
        doc: DocId,
        /// Made by the client.
        id: EditId,
        /// The document's `seq` the signer looked at: the last one.
        seen: u64,
        /// Proof that the signer confirmed this signature with a passkey, where one is needed: good once, for this seat,
        /// visit, document and `seen`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional, type = "string"))]
        step_up: Option<Phi<String>>,
    },
    /// Where the own caret is. Never stored.
    #[serde(rename = "record.caret")]
    RecordCaret {
        /// Which document.
        doc: DocId,
        /// Where; `null` when the field lost the focus.
        caret: Option<Caret>,
    },
    /// A gap was noticed, or a text was refused: send the document again.
    #[serde(rename = "record.resync")]
    RecordResync {
        /// Which document.
        doc: DocId,
    },
    /// How a field came to say what it says. Answered by one `record.history`, or `refused`.
    #[serde(rename = "record.history")]
    RecordHistory {
        /// Which document.
        doc: DocId,
        /// Which field.
        at: Address,
        /// Only what is older than this `seq`: the `next` of the page before. Absent: the newest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        before: Option<u64>,
    },
    /// Close a record.
    #[serde(rename = "record.close")]
    RecordClose {
        /// Which.
        record: RecordId,
    },
}

/// What the server says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "type")]
pub enum ServerMessage {
    /// Answer to `join`: who you are, and whether you wait. Said again whenever the admission changes, before
    /// `admission`, because what the visit shows changes with it.
    #[serde(rename = "welcome")]
    Welcome {
        /// The own seat.
        seat: SeatId,
        /// This connection.
        connection: ConnectionId,
        /// The call.
        call: CallId,
        /// The own role.
        role: Role,
        /// The server's clock.
        now_ms: Millis,
        /// What the visit is.
        visit: VisitFacts,
        /// In the call, or waiting.
        admission: Admission,
        /// The own presence as it was left.
        presence: Presence,
        /// What this seat may ask for: for display, the server decides again each time.
        may: Vec<Power>,
    },
    /// Answer to `ping`.
    #[serde(rename = "pong")]
    Pong {
        /// Of the ping.
        n: u32,
    },
    /// The own admission changed. A waiting seat receives nothing else of the call.
    #[serde(rename = "admission")]
    Admission {
        /// In the call, or waiting.
        admission: Admission,
    },
    /// Everybody in the call; waiting seats only for those who may admit.
    #[serde(rename = "roster")]
    Roster {
        /// All seats, in order of joining.
        seats: Vec<RosterSeat>,
    },
    /// One seat is new or changed.
    #[serde(rename = "seat")]
    Seat {
        /// The seat as it is now.
        seat: RosterSeat,
    },
    /// A seat left for good.
    #[serde(rename = "seat_gone")]
    SeatGone {
        /// Which.
        seat: SeatId,
    },
    /// Media: the answer to an offer.
    #[serde(rename = "answer")]
    Answer {
        /// Of the offer.
        n: u32,
        /// The answer.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        sdp: Phi<String>,
    },
    /// Media: what each slot carries now. A name must never stand under the wrong face.
    #[serde(rename = "slots")]
    Slots {
        /// Every slot whose content changed.
        slots: Vec<SlotMap>,
    },
    /// Media: which simulcast layers of an own source somebody looks at. Stop the others: nobody would receive them. All are
    /// to be sent until it is first said on a transport.
    #[serde(rename = "layers")]
    Layers {
        /// The source.
        source: MediaSource,
        /// Its layers to send, the smallest first; none while nobody looks.
        rids: Vec<Rid>,
    },
    /// Media: who speaks.
    #[serde(rename = "speaker")]
    Speaker {
        /// The active speaker; `null` in silence.
        seat: Option<SeatId>,
    },
    /// How the visit goes on by telephone; not said while it never did. A patient who waits hears it too.
    #[serde(rename = "telephone")]
    Telephone {
        /// `null`: it does not any more.
        telephone: Option<TelephoneFacts>,
    },
    /// Media: the transport ended. Build a new PeerConnection for the same seat.
    #[serde(rename = "media_failed")]
    MediaFailed {
        /// Why.
        why: MediaFailure,
    },
    /// The visit is over, or over for this seat.
    #[serde(rename = "ended")]
    Ended {
        /// Why.
        why: EndReason,
    },
    /// A message was refused. The connection goes on.
    #[serde(rename = "refused")]
    Refused {
        /// `type` of the message.
        of: String,
        /// Why.
        code: RefusalCode,
    },

    /// A document as this seat sees it. Larger ones than one message come in parts.
    #[serde(rename = "record.snapshot")]
    RecordSnapshot {
        /// The record.
        record: RecordId,
        /// The document.
        doc: DocId,
        /// Which of the three.
        kind: DocKind,
        /// `seq` of the last change in it.
        seq: u64,
        /// Through which eyes.
        view: View,
        /// The content: whole, or what is missing.
        content: SnapshotContent,
        /// Yjs client id for this connection's typing. Set it only after the snapshot is applied.
        client_id: u64,
        /// Fields this seat may write: for display.
        writable: Vec<FieldName>,
        /// Lists this seat may add rows to and take rows from: for display.
        writable_lists: Vec<ListName>,
        /// Commands this seat may give: for display.
        commands: Vec<CommandName>,
        /// Names of everybody who wrote what is in it.
        people: Vec<PersonName>,
        /// Which part of how many; content parts are to be joined in order.
        part: u32,
        /// How many parts.
        parts: u32,
    },
    /// An own edit or command is committed.
    #[serde(rename = "record.ack")]
    RecordAck {
        /// The document.
        doc: DocId,
        /// The edit.
        edit: EditId,
        /// `seq` this connection was last sent for this document.
        prev: u64,
        /// The change as this seat sees it; absent if it sees nothing of it.
        change: Option<Change>,
    },
    /// Somebody else's change is committed.
    #[serde(rename = "record.change")]
    RecordChange {
        /// The document.
        doc: DocId,
        /// `seq` this connection was last sent for this document.
        prev: u64,
        /// The change as this seat sees it.
        change: Change,
        /// Its author's name, the first time this connection meets it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        person: Option<PersonName>,
    },
    /// An own edit or command was refused; nothing changed.
    #[serde(rename = "record.refuse")]
    RecordRefuse {
        /// The document.
        doc: DocId,
        /// The edit.
        edit: EditId,
        /// Why.
        code: RecordRefusal,
    },
    /// Answer to `record.gate`: what is missing as of `seq`.
    #[serde(rename = "record.gate")]
    RecordGate {
        /// The plan.
        doc: DocId,
        /// Of the last change in it.
        seq: u64,
        /// Empty: it may be signed.
        missing: Vec<GateItem>,
    },
    /// Answer to `record.safety`: what a second pair of eyes would point at, as of `seq`. For whoever reads the whole
    /// plan, never for the patient's side.
    #[serde(rename = "record.safety")]
    RecordSafety {
        /// The plan.
        doc: DocId,
        /// Of the last change in it.
        seq: u64,
        /// At most [`clinical::safety::PROMPTS`], the most pressing kind first.
        prompts: Vec<Prompt>,
    },
    /// A full snapshot follows: drop what was folded.
    #[serde(rename = "record.resync")]
    RecordResync {
        /// The document.
        doc: DocId,
        /// Why.
        why: ResyncReason,
    },
    /// Where somebody's caret is.
    #[serde(rename = "record.caret")]
    RecordCaret {
        /// The document.
        doc: DocId,
        /// Whose.
        seat: SeatId,
        /// Where; `null` when it is gone.
        caret: Option<Caret>,
    },
    /// A page of a field's history. What it says is never folded.
    #[serde(rename = "record.history")]
    RecordHistory {
        /// The document.
        doc: DocId,
        /// The field.
        at: Address,
        /// What was done to it, the newest first. Updates of texts are left out.
        changes: Vec<Change>,
        /// Names of who did it.
        people: Vec<PersonName>,
        /// Ask on from here; absent: this is the beginning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "typescript", ts(optional))]
        next: Option<u64>,
    },
    /// Whether edits can be stored.
    #[serde(rename = "record.status")]
    RecordStatus {
        /// State of the store.
        storage: StorageState,
    },
    /// A record was closed for this seat.
    #[serde(rename = "record.closed")]
    RecordClosed {
        /// Which.
        record: RecordId,
        /// Why.
        why: ClosedReason,
    },
}

macro_rules! wire_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        #[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
        }
    };
}

macro_rules! wire_struct {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        #[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty,)* }
    };
}

wire_enum! {
    /// Which SRTP profiles the server offers in the DTLS handshake.
    SrtpAttempt {
        /// AEAD_AES_128_GCM alone.
        First,
        /// The fallback list, for browsers without it.
        Fallback,
    }
}

wire_enum! {
    /// Whether an offer goes on with the transport.
    TransportKind {
        /// A new PeerConnection.
        New,
        /// The same one: ICE restart or more slots.
        Same,
    }
}

wire_struct! {
    /// A wish for one video slot.
    SlotWish {
        /// `mid` of the m-line.
        mid: String,
        /// Height on the screen in device pixels; 0 if it is not seen.
        max_height: u16,
        /// 0 (least) to 3: who gets the bandwidth first.
        priority: u8,
    }
}

wire_struct! {
    /// What a slot carries.
    SlotMap {
        /// `mid` of the m-line.
        mid: String,
        /// Whose; `null` if nothing.
        seat: Option<SeatId>,
        /// Which source of that seat.
        source: MediaSource,
        /// RTP timestamp of the slot's first packet of this source; older frames show somebody else.
        from_rtp_timestamp: Option<u32>,
        /// Why its picture is held back, if it is.
        held: Option<Held>,
    }
}

wire_enum! {
    /// Why a picture is held back from one who would see it.
    Held {
        /// The line towards that seat does not carry it. It comes back by itself.
        Line,
        /// That seat's browser did not say that it can show the format in which the other camera is sent.
        Format,
    }
}

wire_enum! {
    /// In which format a camera is sent.
    CameraFormat {
        /// Three sizes beside each other; every browser knows it.
        Vp8,
        /// Three sizes beside each other; many telephones encode it without getting hot.
        H264,
        /// One stream that holds three sizes.
        Vp9,
        /// The same, in fewer bits and with more work.
        Av1,
    }
}

wire_enum! {
    /// The sources a seat publishes.
    MediaSource {
        /// Microphone.
        Mic,
        /// Camera.
        Cam,
        /// Shared screen.
        Screen,
        /// Sound of the shared screen.
        ScreenAudio,
    }
}

wire_enum! {
    /// A simulcast layer by its `rid` (RFC 8851) in SDP.
    Rid {
        /// A quarter of width and height.
        Q,
        /// Half of them.
        H,
        /// As captured.
        F,
    }
}

wire_struct! {
    /// A document the client already has.
    Have {
        /// Which.
        doc: DocId,
        /// Folded up to this `seq`.
        seq: u64,
    }
}

wire_struct! {
    /// A caret or a focus in a document.
    Caret {
        /// In which field.
        at: Address,
        /// Yjs relative position of the caret in a text; absent for other fields.
        head: Option<Base64>,
        /// The other end of a selection.
        anchor: Option<Base64>,
    }
}

wire_struct! {
    /// What a visit is, for the header of the screen. The patient's name comes only after admission.
    VisitFacts {
        /// The visit.
        visit: VisitId,
        /// Its kind.
        kind: VisitKind,
        /// The practice's name.
        practice: Phi<String>,
        /// Whom to call when nothing works.
        phone: String,
        /// In which format cameras are to be sent, by browsers that can; by others in VP8, or else H.264.
        camera: CameraFormat,
        /// The record in the call; `null` before admission, or for seats without a record.
        record: Option<RecordId>,
        /// Whom it is about, for staff; the patient reads the own name.
        patient: Option<PatientFacts>,
    }
}

wire_struct! {
    /// Two identifiers, so that nobody edits the wrong chart.
    PatientFacts {
        /// As spoken.
        name: Phi<String>,
        /// "1954-02-15".
        birth_date: Phi<String>,
    }
}

/// In the call, or not yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum Admission {
    /// In the waiting room.
    Waiting {
        /// How many wait before this seat.
        before: u32,
        /// Whether somebody who can admit is in the call.
        staff_present: bool,
    },
    /// In the call.
    Admitted,
}

wire_struct! {
    /// A seat as others see it.
    RosterSeat {
        /// The seat.
        seat: SeatId,
        /// Its person, the author of edits.
        person: PersonId,
        /// Name to show.
        name: Phi<String>,
        /// Its role.
        role: Role,
        /// Waiting, connected, away.
        state: SeatState,
        /// Since when it is in that state.
        since_ms: Millis,
        /// What it shows of itself.
        presence: Presence,
        /// How its media gets through.
        loss: Loss,
        /// Whether it does.
        media: SeatMedia,
    }
}

wire_struct! {
    #[derive(Copy, Default)]
    /// How much of a seat's media the network loses, before any repair: a share of the packets in percent, in the steps 0
    /// (nobody notices), 5, 10 (sound begins to suffer), 20 and 30.
    Loss {
        /// Of what it sends.
        from: u8,
        /// Of what it is sent.
        to: u8,
    }
}

wire_enum! {
    /// How a seat is there.
    SeatState {
        /// In the waiting room.
        Waiting,
        /// In the call.
        Present,
        /// Its line is gone, or its media no longer comes; it keeps its place.
        Reconnecting,
        /// Not here (invited, or left).
        Absent,
    }
}

wire_enum! {
    /// Whether media of a seat comes that is good for something. Of who waits, or left, none.
    SeatMedia {
        /// Not yet, or not any more.
        Off,
        /// It comes. Who turned off microphone and camera by choice is connected too.
        Live,
        /// It has not come for a minute, or so little of it that nobody understands a word: time for the telephone.
        Unusable,
    }
}

wire_enum! {
    /// What is said about the telephone.
    TelephoneStep {
        /// From now on pharmacist and patient speak by telephone.
        Begin,
        /// The patient's media is back, and they speak over it again.
        BackToVideo,
        /// The telephone call is over.
        Over,
    }
}

wire_struct! {
    #[derive(Copy)]
    /// A telephone call beside the visit.
    TelephoneFacts {
        /// Since when.
        since_ms: Millis,
        /// Who calls the patient; `null` for a patient who waits.
        by: Option<SeatId>,
    }
}

wire_enum! {
    /// What a seat may ask for in the call.
    Power {
        /// Admit and send back.
        Admit,
        /// End the visit for everybody.
        EndVisit,
        /// Say that the visit goes on by telephone.
        Telephone,
    }
}

wire_enum! {
    /// Commands by name, for buttons.
    CommandName {
        /// Share the plan with the patient.
        Share,
        /// Send a recommendation.
        SendRecommendation,
        /// Answer a recommendation.
        Decide,
        /// Say that a recommendation is on the screen.
        MarkSeen,
        /// Take a recommendation back.
        WithdrawRecommendation,
        /// Say that what was accepted was carried out.
        Implemented,
        /// Carry a recommendation out under a collaborative agreement.
        ActUnderAgreement,
        /// Say that the patient does so.
        Verified,
        /// Sign the plan.
        Sign,
        /// Add a late fact beside the signed plan.
        Addend,
        /// Say that the signed plan was read.
        Acknowledge,
        /// Say something to the signed plan, as its patient.
        AnswerPlan,
        /// Say that somebody was given the signed plan.
        HandOn,
        /// Open the signed plan again.
        Revise,
        /// Book a visit for a touchpoint, move or cancel it; say that it is not needed, or is after all.
        BookTouchpoint,
        /// Say that a touchpoint took place, or did not.
        TellTouchpoint,
    }
}

wire_struct! {
    /// Who a person is.
    PersonName {
        /// The person.
        person: PersonId,
        /// Name to show.
        name: Phi<String>,
        /// Role when they wrote.
        role: Role,
    }
}

/// Content of a snapshot message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum SnapshotContent {
    /// Everything.
    Full {
        /// The document.
        state: Snapshot,
    },
    /// What came after the `seq` the client has.
    Since {
        /// In order.
        changes: Vec<Change>,
    },
}

wire_enum! {
    /// Why a transport ended.
    MediaFailure {
        /// The offer broke a rule of `README.md`.
        BadOffer,
        /// The certificate is not the one of the offer.
        DtlsFingerprint,
        /// No common SRTP profile: offer again with `fallback`.
        DtlsSrtpProfile,
        /// No handshake within 30 s.
        DtlsTimeout,
        /// No sign of life for 30 s.
        ConsentExpired,
        /// Too many of something.
        Limit,
        /// Another device of this seat took over.
        Replaced,
    }
}

wire_enum! {
    /// Why a visit is over for a seat.
    EndReason {
        /// Somebody who may ended it.
        Ended,
        /// This seat left.
        Left,
        /// The link was revoked.
        Revoked,
        /// This seat goes on in another tab or device.
        Elsewhere,
    }
}

wire_enum! {
    /// Why a message was refused.
    RefusalCode {
        /// Not JSON, not a known message, or with unknown fields. Three in 10 s close the connection (4400).
        BadMessage,
        /// Not now: before `join`, while waiting, after the end.
        WrongState,
        /// This seat may not.
        NotAllowed,
        /// No such seat, record or document: not there and not yours answer alike.
        NotFound,
        /// Too many; slow down.
        TooFast,
        /// The offer breaks a rule of `README.md`.
        BadOffer,
        /// The server cannot take more now.
        Busy,
        /// The patient has not agreed yet that they join.
        AgreementNeeded,
    }
}

wire_enum! {
    /// Why an edit or command was refused. `clinical`'s reasons, and those of the session around it.
    RecordRefusal {
        /// The store has no room.
        StorageFull,
        /// The store is away.
        StorageAway,
        /// The store stopped after an I/O error.
        StorageFailed,
        /// Too much is under way.
        Busy,
        /// More than 50 edits a second.
        TooFast,
        /// This role may not write there.
        NotAllowed,
        /// The document is not open on this connection.
        NotOpen,
        /// Only `Resolve` ends a conflict.
        InConflict,
        /// A candidate arrived meanwhile.
        StaleResolution,
        /// The row was taken out.
        RowRemoved,
        /// Closed to edits: a reading that stands, or a recommendation that was sent.
        Locked,
        /// The plan was signed.
        Sealed,
        /// A revision this register never had.
        BaseUnknown,
        /// The edit it builds on was refused.
        BaseRefused,
        /// Not what the field holds.
        BadValue,
        /// Past the limit.
        TooLong,
        /// Past the size.
        TooBig,
        /// No such field or row here.
        UnknownAddress,
        /// The row id is taken.
        RowExists,
        /// More than eight values at once.
        ConflictFull,
        /// The list is full.
        ListFull,
        /// Not a Yjs update.
        TextBad,
        /// A foreign client id.
        TextForeignClient,
        /// A gap before it.
        TextGap,
        /// More than plain text.
        TextNotPlain,
        /// No such row for this command.
        UnknownRow,
        /// Somebody decided first.
        AlreadyDecided,
        /// Not sent yet.
        NotSent,
        /// Not complete.
        NotComplete,
        /// Changed since it was seen.
        ChangedSince,
        /// A decline without a reason.
        BadDecision,
        /// Something is missing before it may be signed.
        NotReady,
        /// There is no signed version it could be about.
        NotSigned,
        /// It is addressed to somebody else.
        NotAddressee,
        /// It would shut out the pharmacist or the primary care provider, whom the plan cannot do without.
        AccessMinimum,
        /// A visit is booked for it: that one is moved, or cancelled first.
        AlreadyBooked,
        /// No visit is booked for it, or another than the one that was named.
        NotBooked,
        /// Its hour has not come.
        YetToCome,
        /// The signer has a passkey, and did not confirm this signature with it; or did so too long ago, or for another.
        StepUpNeeded,
        /// This practice takes signatures with a passkey alone, and the signer has none.
        PasskeyNeeded,
    }
}

wire_enum! {
    /// Why a document is sent again.
    ResyncReason {
        /// It was asked for.
        Asked,
        /// The server reloaded it.
        Reloaded,
        /// What this seat may see changed.
        ViewChanged,
    }
}

wire_enum! {
    /// State of the store.
    StorageState {
        /// Edits are stored.
        Ok,
        /// No room: edits are refused, kept by clients.
        Full,
        /// Out of reach.
        Away,
        /// Stopped after an I/O error; a person must act.
        Failed,
    }
}

wire_enum! {
    /// Why a record was closed.
    ClosedReason {
        /// This seat may not read it any more.
        NotAllowed,
        /// The visit ended.
        Ended,
    }
}
