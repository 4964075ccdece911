//! `web-client/src/wire.ts` is generated from the Rust types of the wire. `make types` writes it; this compares.

use std::path::Path;

use clinical::cdtm::entry::{Act, StatusReport};
use clinical::cdtm::terms::Terms;
use clinical::command::ListUpdate;
use clinical::field::{FieldKind, FieldName, FieldValues, Place};
use clinical::plain::PlainPage;
use clinical::time::sheet::SheetCommand;
use clinical::value::Line;
use clinical::version::{Content, Row, STATEMENT};
use mortar::agreement::{
    ActOnAgreement, AgreementAnswer, AgreementExport, Agreements, InspectionList,
};
use mortar::decision::paper::PrescriberPapers;
use mortar::decision::{
    AnswerDecision, Answerer, DecisionAnswered, DecisionLink, DecisionMedicine, DecisionPage,
    OpenDecision,
};
use mortar::http::problem::Problem;
use mortar::link::{Claim, Claimed};
use mortar::notice::{NoticeAgain, Notices, ReadVersion};
use mortar::passkey::step_up::{AnswerStepUp, AskStepUp, StepUpNeeds, StepUpProof, StepUpQuestion};
use mortar::passkey::{Enrol, Enrolled, Enrolment, OpenEnrolment};
use mortar::visit::booking::mail::MailAgain;
use mortar::visit::booking::{Book, Bookings, MoveBooking};
use mortar::visit::cards::CdsAnswers;
use mortar::visit::export::ExportRequest;
use mortar::visit::import::{ImportReply, ImportRequest};
use mortar::visit::telephone::TelephoneNumber;
use mortar::visit::time::{SheetReply, Timer};
use mortar::visit::touchpoint::{TellTouchpoint, Touchpoints};
use mortar::visit::versions::VersionLine;
use mortar::visit::{JoinReply, QueueKey, SeatHome};
use signaling::message::{ClientMessage, ServerMessage};
use ts_rs::{Config, TS};

#[test]
fn the_client_types_are_those_of_the_server() {
    let folder = tempdir();
    let config = Config::new().with_large_int("number").with_out_dir(&folder);
    ClientMessage::export_all(&config).unwrap();
    ServerMessage::export_all(&config).unwrap();
    FieldValues::export_all(&config).unwrap();
    // What travels over HTTP: the door, the take-away, and every problem.
    Claim::export_all(&config).unwrap();
    Claimed::export_all(&config).unwrap();
    SeatHome::export_all(&config).unwrap();
    JoinReply::export_all(&config).unwrap();
    QueueKey::export_all(&config).unwrap();
    ExportRequest::export_all(&config).unwrap();
    CdsAnswers::export_all(&config).unwrap();
    ImportRequest::export_all(&config).unwrap();
    ImportReply::export_all(&config).unwrap();
    // Named only where patient data is wrapped, which hides them from the export.
    ListUpdate::export_all(&config).unwrap();
    DecisionMedicine::export_all(&config).unwrap();
    Answerer::export_all(&config).unwrap();
    DecisionLink::export_all(&config).unwrap();
    OpenDecision::export_all(&config).unwrap();
    DecisionPage::export_all(&config).unwrap();
    AnswerDecision::export_all(&config).unwrap();
    DecisionAnswered::export_all(&config).unwrap();
    PrescriberPapers::export_all(&config).unwrap();
    PlainPage::export_all(&config).unwrap();
    Agreements::export_all(&config).unwrap();
    AgreementAnswer::export_all(&config).unwrap();
    ActOnAgreement::export_all(&config).unwrap();
    AgreementExport::export_all(&config).unwrap();
    InspectionList::export_all(&config).unwrap();
    // Named only where patient data is wrapped.
    Act::export_all(&config).unwrap();
    Terms::export_all(&config).unwrap();
    StatusReport::export_all(&config).unwrap();
    VersionLine::export_all(&config).unwrap();
    OpenEnrolment::export_all(&config).unwrap();
    Enrolment::export_all(&config).unwrap();
    Enrol::export_all(&config).unwrap();
    Enrolled::export_all(&config).unwrap();
    StepUpNeeds::export_all(&config).unwrap();
    AskStepUp::export_all(&config).unwrap();
    StepUpQuestion::export_all(&config).unwrap();
    AnswerStepUp::export_all(&config).unwrap();
    StepUpProof::export_all(&config).unwrap();
    Content::export_all(&config).unwrap();
    Row::export_all(&config).unwrap();
    SheetReply::export_all(&config).unwrap();
    SheetCommand::export_all(&config).unwrap();
    Timer::export_all(&config).unwrap();
    TelephoneNumber::export_all(&config).unwrap();
    Book::export_all(&config).unwrap();
    Bookings::export_all(&config).unwrap();
    MoveBooking::export_all(&config).unwrap();
    MailAgain::export_all(&config).unwrap();
    Notices::export_all(&config).unwrap();
    NoticeAgain::export_all(&config).unwrap();
    ReadVersion::export_all(&config).unwrap();
    Touchpoints::export_all(&config).unwrap();
    TellTouchpoint::export_all(&config).unwrap();
    Problem::export_all(&config).unwrap();
    let types = std::fs::read_to_string(folder.join("wire.ts")).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let generated = format!("{types}\n{}{}{}", field_table(), statement(), line());

    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web-client/src/wire.ts");
    if std::env::var_os("MORTAR_BLESS").is_some() {
        std::fs::write(&committed, &generated).unwrap();
    }
    let found = std::fs::read_to_string(&committed).unwrap_or_default();
    assert!(
        found == generated,
        "web-client/src/wire.ts is not that of the Rust types: run `make types` and commit it"
    );
}

/// What the client must know of each field beyond its type: how it is edited, and where the editor stops.
fn field_table() -> String {
    let mut table = String::from(
        "/** How each field is edited; a text's number is where its editor stops, in UTF-16 code units. */\nexport const FIELDS = {\n",
    );
    for field in FieldName::ALL {
        let kind = match field.kind() {
            FieldKind::Register => "register",
            FieldKind::Text { .. } => "text",
            FieldKind::Command => "command",
        };
        let limit = match field.kind() {
            FieldKind::Text { limit } => limit,
            FieldKind::Register | FieldKind::Command => 0,
        };
        let list = match field.place() {
            Place::Row(list) | Place::About(list) => format!("\"{}\"", list.as_str()),
            Place::Document | Place::EveryRow => "null".to_owned(),
        };
        let doc = field.doc().as_str();
        table.push_str(&format!(
            "  \"{field}\": {{ doc: \"{doc}\", kind: \"{kind}\", list: {list}, limit: {limit} }},\n"
        ));
    }
    table.push_str("} as const satisfies Record<FieldName, { doc: DocKind; kind: \"register\" | \"text\" | \"command\"; list: ListName | null; limit: number }>;\n");
    table
}

/// What a signer agrees to, as every version keeps it.
fn statement() -> String {
    format!(
        "\n/** What a signer agrees to, as every version keeps it. */\nexport const SIGNING_STATEMENT = \"{STATEMENT}\";\n"
    )
}

/// Where a field of one line stops.
fn line() -> String {
    let most = Line::MOST;
    format!(
        "\n/** Longest {{@link Line}}, in UTF-16 code units. */\nexport const LINE_MOST = {most};\n"
    )
}

fn tempdir() -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("mortar-wire-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}
