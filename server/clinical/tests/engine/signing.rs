//! Sign-off as a pharmacist knows it: what is missing, what is signed, and what may happen afterwards.

use clinical::actor::{Actor, Millis};
use clinical::change::Change;
use clinical::command::{Command, CommandError};
use clinical::edit::{EditError, Op};
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::gate::{Credential, CredentialKind, GateCode, GateItem, SigningFacts, gate};
use clinical::phi::Phi;
use clinical::receipt::{MOST_HANDED_ON, ReceiptForm, Receipts, Reception, Recipient};
use clinical::value::PartialDate;
use clinical::version::{Confirmation, Content, SealedVersion, Sha256Hex};
use serde_json::{Value as Json, json};

use crate::agreement::patient;
use crate::common::*;

const TODAY: &str = "2026-03-02";

pub(crate) fn facts() -> SigningFacts {
    let credential = |kind, expires: &str| Credential {
        kind,
        number: "10442".to_owned(),
        state: "LA".to_owned(),
        expires: PartialDate::parse(expires).unwrap(),
    };
    SigningFacts {
        name: Phi::new("Ana Reyes, PharmD".to_owned()),
        credentials: vec![
            credential(CredentialKind::License, "2027-06-30"),
            credential(CredentialKind::MtmCert, TODAY),
        ],
        required: vec![CredentialKind::License, CredentialKind::MtmCert],
        patient_took_part: true,
        today: PartialDate::parse(TODAY).unwrap(),
        confirmed: Confirmation::Link,
    }
}

fn put(bench: &mut Bench, by: &Actor, at: Address, value: Json) {
    let rev = bench.doc.register(&at).rev();
    bench.apply(by, set(at, rev, value)).unwrap();
}

fn write(bench: &mut Bench, at: Address, words: &str) {
    bench.apply(&pharmacist(), typed(at, 0, Pen::new(1).write(0, words))).unwrap();
}

/// A plan that may be signed: one medicine, one problem with what is done about it.
pub(crate) fn ready() -> Bench {
    let mut bench = Bench::new(DocKind::Plan);
    let rph = pharmacist();
    let med = [
        (FieldName::MedsProduct, json!({ "name": "lisinopril" })),
        (FieldName::MedsSig, sig("10 mg every morning")),
        (FieldName::MedsVerify, json!({ "state": "patient_confirmed" })),
    ];
    bench.apply(&rph, add(ListName::Meds, row(1), &med)).unwrap();
    for cell in CELLS {
        put(&mut bench, &rph, at(row(1), cell), json!({ "answer": "yes" }));
    }
    let high = [(FieldName::ProblemsSeverity, json!("high"))];
    bench.apply(&rph, add(ListName::Problems, row(2), &high)).unwrap();
    let content = json!({ "problem": row(2), "action": "monitor", "summary": "Check potassium." });
    let answer = [(FieldName::RecommendationsContent, content)];
    bench.apply(&rph, add(ListName::Recommendations, row(3), &answer)).unwrap();
    bench.apply(&rph, add(ListName::Goals, row(4), &[])).unwrap();
    write(&mut bench, at(row(4), FieldName::GoalsText), "Walk to church again");
    put(&mut bench, &rph, whole(FieldName::AllergyStatement), json!("no_known"));
    put(&mut bench, &rph, whole(FieldName::ReviewedAllergies), json!(true));
    put(&mut bench, &rph, whole(FieldName::ReviewedImmunizations), json!(true));
    let touchpoint = json!({ "purpose": "pressure", "when": "in two weeks", "format": "phone", "members": ["patient", "nurse"] });
    let touchpoint = [(FieldName::TouchpointsContent, touchpoint)];
    bench.apply(&rph, add(ListName::Touchpoints, row(5), &touchpoint)).unwrap();
    let duration = json!({ "start": "2026-03-02", "planned_end": "2026-09" });
    put(&mut bench, &rph, whole(FieldName::OutlineDuration), duration);
    put(&mut bench, &rph, whole(FieldName::OutlineInteractionFrequency), json!("every two weeks"));
    write(&mut bench, whole(FieldName::OutlineFollowUp), "Call if dizzy.");
    let said =
        json!({ "about": row(1), "message": "One tablet each morning.", "result": "understood" });
    let said = [(FieldName::TeachBacksContent, said)];
    bench.apply(&rph, add(ListName::TeachBacks, row(6), &said)).unwrap();
    bench
}

const CELLS: [FieldName; 4] = [
    FieldName::MedsIndicated,
    FieldName::MedsEffective,
    FieldName::MedsSafe,
    FieldName::MedsAdherent,
];

fn sign(bench: &mut Bench) -> Result<(Change, SealedVersion), CommandError> {
    let (id, seen) = (bench.id(), bench.doc.seq());
    bench.now += 10;
    let signed = bench.doc.sign(Millis(bench.now), &pharmacist(), None, id, seen, &facts())?;
    bench.log.push(signed.0.clone());
    Ok(signed)
}

fn content(version: &SealedVersion) -> Content {
    serde_json::from_slice(version.content.expose()).unwrap()
}

fn missing(bench: &Bench) -> Vec<GateItem> {
    gate(&bench.doc, &facts())
}

#[test]
fn an_empty_plan_is_told_everything_it_lacks() {
    let bench = Bench::new(DocKind::Plan);

    let codes: Vec<GateCode> = missing(&bench).iter().map(|item| item.code).collect();

    assert_eq!(
        codes,
        [
            GateCode::Goal,
            GateCode::Reviewed,
            GateCode::Reviewed,
            GateCode::Reviewed,
            GateCode::Touchpoints,
            GateCode::Duration,
            GateCode::Duration,
            GateCode::Duration,
            GateCode::TeachBack,
        ]
    );
}

/// Each line breaks one rule of a plan that is ready, and the gate names it and where.
#[test]
fn each_rule_of_the_gate_is_its_own() {
    type Break = fn(&mut Bench);
    let breaks: [(GateCode, Option<Address>, Break); 14] = [
        (GateCode::Verified, Some(at(row(1), FieldName::MedsVerify)), |bench| {
            put(
                bench,
                &pharmacist(),
                at(row(1), FieldName::MedsVerify),
                json!({ "state": "unverified" }),
            );
        }),
        // Written by a nurse after it was verified.
        (GateCode::Verified, Some(at(row(1), FieldName::MedsVerify)), |bench| {
            put(bench, &nurse(), at(row(1), FieldName::MedsSig), sig("20 mg every morning"));
        }),
        // So does the product: 100 mg is not the 10 mg that was verified.
        (GateCode::Verified, Some(at(row(1), FieldName::MedsVerify)), |bench| {
            let product = json!({ "name": "lisinopril", "strength_form": "100 mg" });
            put(bench, &nurse(), at(row(1), FieldName::MedsProduct), product);
        }),
        (GateCode::Verified, Some(at(row(1), FieldName::MedsSig)), |bench| {
            let sig = at(row(1), FieldName::MedsSig);
            let base = clinical::edit::Base::Rev(bench.doc.register(&sig).rev());
            bench.apply(&pharmacist(), Op::Set { at: sig, base, value: Phi::new(None) }).unwrap();
        }),
        (GateCode::Assessed, Some(at(row(1), FieldName::MedsSafe)), |bench| {
            let cell = at(row(1), FieldName::MedsSafe);
            let rev = bench.doc.register(&cell).rev();
            let base = clinical::edit::Base::Rev(rev);
            bench.apply(&pharmacist(), Op::Set { at: cell, base, value: Phi::new(None) }).unwrap();
        }),
        (GateCode::HighProblems, Some(at(row(2), FieldName::ProblemsNoActionReason)), |bench| {
            let seen = bench.doc.seq();
            bench.apply(&pharmacist(), tombstone(row(3), seen, "not now")).unwrap();
        }),
        (GateCode::Goal, Some(whole(FieldName::OutlineNoGoalReason)), |bench| {
            let seen = bench.doc.seq();
            bench.apply(&pharmacist(), tombstone(row(4), seen, "another patient's")).unwrap();
        }),
        (GateCode::Reviewed, Some(whole(FieldName::AllergyStatement)), |bench| {
            put(bench, &pharmacist(), whole(FieldName::AllergyStatement), json!("unknown"));
        }),
        (GateCode::Reviewed, Some(whole(FieldName::ReviewedImmunizations)), |bench| {
            put(bench, &pharmacist(), whole(FieldName::ReviewedImmunizations), json!(false));
        }),
        (GateCode::Touchpoints, Some(whole(FieldName::OutlineNoTouchpointReason)), |bench| {
            let alone = json!({ "purpose": "pressure", "when": "soon", "format": "phone" });
            put(bench, &pharmacist(), at(row(5), FieldName::TouchpointsContent), alone);
        }),
        (GateCode::Duration, Some(whole(FieldName::OutlineInteractionFrequency)), |bench| {
            put(bench, &pharmacist(), whole(FieldName::OutlineInteractionFrequency), json!(" "));
        }),
        (GateCode::Conflicts, Some(at(row(1), FieldName::MedsSig)), |bench| {
            bench.apply(&pcp(), set(at(row(1), FieldName::MedsSig), 0, sig("5 mg"))).unwrap();
        }),
        (GateCode::TeachBack, None, |bench| {
            let seen = bench.doc.seq();
            bench.apply(&pharmacist(), tombstone(row(6), seen, "entered in error")).unwrap();
        }),
        (GateCode::Limits, Some(at(row(4), FieldName::GoalsText)), |bench| {
            let base = bench.doc.seq();
            let more = Pen::new(101).write(0, &"far ".repeat(80));
            let text = at(row(4), FieldName::GoalsText);
            bench.apply(&pharmacist(), typed(text, base.min(9), more)).unwrap();
        }),
    ];
    assert_eq!(missing(&ready()), []);
    for (code, at, break_it) in breaks {
        let mut bench = ready();
        break_it(&mut bench);

        assert_eq!(missing(&bench), [GateItem { code, at }], "{code:?}");
        assert_eq!(sign(&mut bench).unwrap_err(), CommandError::NotReady);
        assert!(!bench.doc.sealed());
    }
}

#[test]
fn reasons_stand_in_for_what_was_left_out_on_purpose() {
    let mut bench = ready();
    for (gone, reason) in [
        (row(4), whole(FieldName::OutlineNoGoalReason)),
        (row(5), whole(FieldName::OutlineNoTouchpointReason)),
        (row(3), at(row(2), FieldName::ProblemsNoActionReason)),
    ] {
        let seen = bench.doc.seq();
        bench.apply(&pharmacist(), tombstone(gone, seen, "declined")).unwrap();
        put(&mut bench, &pharmacist(), reason, json!("The patient does not want it."));
    }

    assert_eq!(missing(&bench), []);
}

#[test]
fn a_stopped_medicine_needs_no_questions() {
    let mut bench = ready();
    let stopped = [
        (FieldName::MedsProduct, json!({ "name": "simvastatin" })),
        (FieldName::MedsStatus, json!({ "state": "stopped", "reason": "muscle pain" })),
    ];
    bench.apply(&pharmacist(), add(ListName::Meds, row(7), &stopped)).unwrap();

    assert_eq!(missing(&bench), []);
}

#[test]
fn an_expired_credential_cannot_sign() {
    let bench = ready();
    let mut tomorrow = facts();
    tomorrow.today = PartialDate::parse("2026-03-03").unwrap();

    assert_eq!(gate(&bench.doc, &tomorrow), [GateItem { code: GateCode::Credential, at: None }]);
}

#[test]
fn what_is_signed_is_what_the_signer_saw() {
    let mut bench = ready();
    let seen = bench.doc.seq();
    put(&mut bench, &pcp(), at(row(1), FieldName::MedsSig), sig("20 mg every morning"));
    let id = bench.id();

    let signed = bench.doc.sign(Millis(1), &pharmacist(), None, id, seen, &facts());

    assert_eq!(signed.unwrap_err(), CommandError::ChangedSince);
    assert!(!bench.doc.sealed());
}

#[test]
fn a_version_says_everything_and_its_hash_is_that_of_its_bytes() {
    let mut bench = ready();
    let (change, version) = sign(&mut bench).unwrap();

    let said = content(&version);
    assert_eq!((said.version, said.supersedes.clone()), (1, None));
    assert_eq!(said.lists["meds"][0].fields["meds.sig"], json!({ "text": "10 mg every morning" }));
    assert_eq!(said.lists["goals"][0].fields["goals.text"], json!("Walk to church again"));
    assert_eq!(said.fields["outline.follow_up_instructions"], json!("Call if dizzy."));
    assert_eq!(said.signer.name, "Ana Reyes, PharmD");
    assert_eq!(said.signer.credentials.len(), 2);
    assert_eq!(version.sha256, Sha256Hex::of(version.content.expose()));
    assert_eq!(bench.doc.signed().unwrap().sha256, version.sha256);
    assert_eq!((version.seq, said.seq), (change.seq, change.seq - 1));
    // RFC 8785: keys in order, nothing between them; reading and writing again gives the same bytes.
    assert_eq!(&said.canonical().unwrap(), version.content.expose());
    assert!(version.content.expose().starts_with(b"{\"doc\":\""));
}

#[test]
fn a_signed_plan_takes_comments_and_nothing_else() {
    let mut bench = ready();
    let (change, _version) = sign(&mut bench).unwrap();
    let seen = change.seq;
    let before = bench.doc.snapshot(clinical::view::View::Full);
    let med = at(row(1), FieldName::MedsSig);
    let rev = bench.doc.register(&med).rev();
    let refused = [
        set(med, rev, sig("40 mg")),
        set(med, 0, sig("40 mg")),
        resolve(med, &[rev], sig("40 mg")),
        add(ListName::Meds, row(8), &[]),
        tombstone(row(1), seen, "gone"),
        Op::Restore { row: row(1), seen },
        Op::Move { row: row(1), after: None },
        typed(whole(FieldName::OutlineFollowUp), 0, Pen::new(101).write(0, "More.")),
        Op::Reviewed { at: whole(FieldName::OutlineFollowUp), seen },
    ];
    for op in refused {
        assert_eq!(
            bench.apply(&pharmacist(), op.clone()).unwrap_err(),
            EditError::Sealed,
            "{op:?}"
        );
    }
    assert_eq!(bench.doc.snapshot(clinical::view::View::Full), before);
    assert_eq!(sign(&mut bench).unwrap_err(), CommandError::AlreadyDecided);

    bench.apply(&nurse(), add(ListName::Comments, row(9), &[])).unwrap();
    let comment = at(row(9), FieldName::CommentsText);
    bench.apply(&nurse(), typed(comment, 0, Pen::new(3).write(0, "Fax it."))).unwrap();
}

#[test]
fn decisions_go_on_after_the_signature() {
    let mut bench = ready();
    let send = Command::SendRecommendation { row: row(3) };
    let seen = bench.doc.seq();
    bench.command(&pharmacist(), &send, seen).unwrap();
    let (change, _) = sign(&mut bench).unwrap();

    let decide = json!({ "kind": "decide", "row": row(3), "outcome": "accepted" });
    let decide = serde_json::from_value(decide).unwrap();

    assert!(bench.command(&pcp(), &decide, change.seq).is_ok());
}

#[test]
fn an_addendum_adds_and_a_revision_supersedes_and_the_first_version_stays_as_it_was() {
    let mut bench = ready();
    let late = Command::Addend { text: Phi::new("The lab called: potassium 5.1.".to_owned()) };
    let again = Command::Revise { reason: Phi::new("New potassium result.".to_owned()) };
    assert_eq!(bench.command(&pharmacist(), &late, 0), Err(CommandError::NotSigned));
    assert_eq!(bench.command(&pharmacist(), &again, 0), Err(CommandError::NotSigned));
    let (_, first) = sign(&mut bench).unwrap();

    bench.command(&pharmacist(), &late, 0).unwrap();
    assert!(bench.doc.sealed(), "an addendum opens nothing");
    let silent = Command::Revise { reason: Phi::new(String::new()) };
    assert_eq!(bench.command(&pharmacist(), &silent, 0), Err(CommandError::BadDecision));
    bench.command(&pharmacist(), &again, 0).unwrap();
    assert!(!bench.doc.sealed());
    assert_eq!(bench.command(&pharmacist(), &again, 0), Err(CommandError::NotSigned));
    put(&mut bench, &pharmacist(), at(row(1), FieldName::MedsSig), sig("5 mg every morning"));
    let (_, second) = sign(&mut bench).unwrap();

    let (one, two) = (content(&first), content(&second));
    assert_eq!(two.version, 2);
    let supersedes = two.supersedes.unwrap();
    assert_eq!((supersedes.version, &supersedes.sha256), (1, &first.sha256));
    assert_eq!(supersedes.reason, "New potassium result.");
    assert_eq!(two.fields["addenda"][0]["text"], json!("The lab called: potassium 5.1."));
    assert_eq!(one.lists["meds"][0].fields["meds.sig"], sig("10 mg every morning"));
    assert_eq!(two.lists["meds"][0].fields["meds.sig"], sig("5 mg every morning"));
    assert_eq!(Sha256Hex::of(first.content.expose()), first.sha256);
}

#[test]
fn only_a_plan_is_signed() {
    let mut bench = Bench::new(DocKind::Team);

    assert_eq!(sign(&mut bench).unwrap_err(), CommandError::UnknownRow);
}

#[test]
fn a_signed_plan_read_from_its_log_is_signed() {
    let mut bench = ready();
    let (_, version) = sign(&mut bench).unwrap();
    let mut again = clinical::doc::Doc::new(bench.doc.id(), DocKind::Plan);
    for change in &bench.log {
        again.fold(change).unwrap();
    }

    assert!(again.sealed());
    assert_eq!(again.signed().unwrap().sha256, version.sha256);
}

#[test]
fn a_signed_plan_takes_a_decision_and_not_the_change_of_the_list() {
    let mut bench = ready();
    let stop = json!({ "action": "stop", "med": row(1), "summary": "Stop it." });
    let values = [(FieldName::RecommendationsContent, stop)];
    bench.apply(&pharmacist(), add(ListName::Recommendations, row(7), &values)).unwrap();
    let seen = bench.doc.seq();
    bench.command(&pharmacist(), &Command::SendRecommendation { row: row(7) }, seen).unwrap();
    let seen = sign(&mut bench).unwrap().0.seq;
    let list = json!({ "day": TODAY, "row": row(50) });
    let decide = |list: Option<&Json>| {
        let mut decide = json!({ "kind": "decide", "row": row(7), "outcome": "accepted" });
        if let Some(list) = list {
            decide["list"] = list.clone();
        }
        serde_json::from_value::<Command>(decide).unwrap()
    };

    assert_eq!(bench.command(&pcp(), &decide(Some(&list)), seen), Err(CommandError::Sealed));
    bench.command(&pcp(), &decide(None), seen).unwrap();

    assert!(bench.doc.sealed());
    assert_eq!(
        *bench.doc.register(&at(row(1), FieldName::MedsStatus)),
        clinical::register::Register::Empty
    );
}

fn receipts(bench: &Bench) -> Receipts {
    let at = whole(FieldName::Receipts);
    bench.doc.register(&at).value().and_then(clinical::value::Value::read).unwrap_or_default()
}

#[test]
fn whoever_the_plan_is_for_says_so_of_the_version_on_the_screen_and_changes_no_byte_of_it() {
    let mut bench = ready();
    let read = |version| Command::Acknowledge { version };
    assert_eq!(bench.command(&pcp(), &read(1), 0), Err(CommandError::NotSigned));
    let (_, first) = sign(&mut bench).unwrap();

    bench.command(&pcp(), &read(1), 0).unwrap();
    let twice = bench.command(&pcp(), &read(1), 0);
    assert_eq!(twice, Err(CommandError::AlreadyDecided), "reading it again is no news");
    let asks = Command::AnswerPlan { version: 1, questions: Some(Phi::new("With food?".into())) };
    bench.command(&patient(), &asks, 0).unwrap();
    let agrees = Command::AnswerPlan { version: 1, questions: None };
    bench.command(&patient(), &agrees, 0).unwrap();
    let hand_on = Command::HandOn {
        version: 1,
        to: Recipient::Pharmacy,
        name: Some(Phi::new("Main Street Pharmacy".to_owned())),
        how: ReceiptForm::Fax,
    };
    bench.command(&nurse(), &hand_on, 0).unwrap();

    assert!(bench.doc.sealed(), "a receipt opens nothing");
    assert_eq!(Sha256Hex::of(first.content.expose()), first.sha256);
    let all = receipts(&bench);
    let said: Vec<_> = all.0.iter().map(|receipt| (receipt.of, receipt.by)).collect();
    let expected = [pcp(), patient(), nurse()].map(|actor| (1, actor.person));
    assert_eq!(said, expected);
    assert_eq!(all.0[1].what, Reception::Agreed, "the question is answered, and in the history");

    // Until the revision is signed, the first version is the plan.
    let again = Command::Revise { reason: Phi::new("New potassium result.".to_owned()) };
    bench.command(&pharmacist(), &again, 0).unwrap();
    assert_eq!(bench.command(&nurse(), &hand_on, 0), Err(CommandError::AlreadyDecided));
    let (_, second) = sign(&mut bench).unwrap();
    assert!(!content(&second).fields.contains_key("receipts"), "the next version begins without");
    assert_eq!(bench.command(&pcp(), &read(1), 0), Err(CommandError::ChangedSince));
    bench.command(&pcp(), &read(2), 0).unwrap();
}

#[test]
fn nobody_uses_up_the_room_for_others_word() {
    let mut bench = ready();
    sign(&mut bench).unwrap();
    let asks = |text: String| Command::AnswerPlan { version: 1, questions: Some(Phi::new(text)) };
    let long = bench.command(&patient(), &asks("a".repeat(501)), 0);
    assert_eq!(long, Err(CommandError::BadDecision));
    let hand_on = |n: usize| Command::HandOn {
        version: 1,
        to: Recipient::CareTeam,
        // As long as a name may be, in letters of three bytes.
        name: Some(Phi::new(format!("{n:€>80}"))),
        how: ReceiptForm::ReadAloud,
    };
    for n in 0..MOST_HANDED_ON {
        bench.command(&nurse(), &hand_on(n), 0).unwrap();
    }
    assert_eq!(bench.command(&nurse(), &hand_on(99), 0), Err(CommandError::ListFull));
    for n in 0..1_000 {
        bench.command(&patient(), &asks(format!("{n:€>500}")), 0).unwrap();
    }

    bench.command(&pcp(), &Command::Acknowledge { version: 1 }, 0).unwrap();
    let all = receipts(&bench);
    assert_eq!(all.0.len(), MOST_HANDED_ON + 2);
    let bytes = serde_json::to_vec(&all).unwrap().len();
    assert!(bytes <= clinical::limits::VALUE, "{bytes}");
}
