//! A6: an agreement ended yesterday, a report that is overdue, a consent that is taken back, a controlled drug.
//!
//! Ana Reyes, pharmacist, and Dr. Raman have an agreement for Ruth Delgado's hypertension from 15 January 2026 to
//! 14 January 2027 (Louisiana's template). Ruth takes lisinopril 10 mg.

use clinical::cdtm::agreement::Standing;
use clinical::cdtm::check::ReasonCode;
use clinical::cdtm::due::DueKind;
use clinical::cdtm::entry::{Act, ConsentAnswer};
use clinical::change::{Change, DecisionKind, What};
use clinical::command::{CommandError, ListUpdate};
use clinical::consent::cdtm_withdrawn;
use clinical::doc::AgreementFacts;
use clinical::field::{DocKind, FieldName, ListName};
use clinical::phi::Phi;
use clinical::recommendation::{Standing as Stands, UnderAgreement};
use clinical::view::View;
use serde_json::{Value as Json, json};

use super::*;

/// Ruth's plan, with the agreement beside it.
struct Visit {
    plan: Bench,
    voice: Bench,
    paper: Paper,
}

impl Visit {
    fn new(paper: Paper) -> Self {
        let mut plan = Bench::new(DocKind::Plan);
        let voice = Bench::new(DocKind::Voice);
        let mut medicine = |n, name: &str, controlled: bool| {
            let values = [
                (FieldName::MedsProduct, json!({ "name": name, "strength_form": "10 mg tablet" })),
                (FieldName::MedsSig, sig("10 mg daily")),
                (FieldName::MedsControlled, json!(controlled)),
            ];
            plan.apply(&pharmacist(), add(ListName::Meds, row(n), &values)).unwrap();
        };
        medicine(1, "Lisinopril", false);
        medicine(2, "Zolpidem", true);
        Self { plan, voice, paper }
    }

    /// Ana drafts "20 mg once daily" of a medicine, under the agreement.
    fn wants_20_mg_of(&mut self, med: u128) {
        let content = json!({
            "action": "change_dose", "med": row(med), "summary": "20 mg once daily",
            "regimen": {
                "text": "20 mg once daily", "dose": { "value": "20", "unit": "mg" },
                "freq": { "count": 1, "period": 1, "unit": "d" },
            },
        });
        self.wants(7, content);
    }

    fn wants(&mut self, n: u128, content: Json) {
        let under = json!({ "kind": "under_cdtm", "agreement": agreement_id() });
        let values = [
            (FieldName::RecommendationsContent, content),
            (FieldName::RecommendationsAuthority, under),
        ];
        self.plan.apply(&pharmacist(), add(ListName::Recommendations, row(n), &values)).unwrap();
    }

    /// Ana presses "Do it under the agreement" on a day.
    fn does_it_on(&mut self, today: &str) -> Result<Change, CommandError> {
        let seen = self.plan.doc.seq();
        self.does_it(today, &pharmacist(), seen)
    }

    fn does_it(&mut self, today: &str, by: &Actor, seen: u64) -> Result<Change, CommandError> {
        let agreements = [self.paper.agreement.clone()];
        let facts = AgreementFacts {
            agreements: &agreements,
            patient: patient_id(),
            today: day(today),
            templates: &self.paper.templates,
            withdrawn_in_record: cdtm_withdrawn(&self.voice.doc),
        };
        let update: ListUpdate =
            serde_json::from_value(json!({ "day": today, "row": row(50) })).unwrap();
        let (id, at) = (self.plan.id(), Millis(self.plan.now));
        let list = Some(&update);
        self.plan.doc.act_under_agreement(at, by, None, id, row(7), "called", list, seen, &facts)
    }

    fn read<T: serde::de::DeserializeOwned>(&self, n: u128, field: FieldName) -> Option<T> {
        self.plan.doc.register(&at(row(n), field)).value().and_then(clinical::value::Value::read)
    }

    fn stands(&self) -> Stands {
        self.plan.doc.standing_of(row(7), Millis(self.plan.now))
    }

    fn reasons(&self) -> Vec<ReasonCode> {
        let told: UnderAgreement = self.read(7, FieldName::RecommendationsUnderAgreement).unwrap();
        told.reasons.iter().map(|reason| reason.code).collect()
    }

    fn takes(&self, n: u128) -> Json {
        self.read(n, FieldName::MedsSig).unwrap()
    }
}

#[test]
fn while_it_holds_the_pharmacist_changes_the_dose_in_one_step_and_the_list_says_by_what() {
    let mut visit = Visit::new(Paper::active());
    visit.wants_20_mg_of(1);

    let change = visit.does_it_on("2026-03-01").expect("inside the order set");

    assert_eq!(visit.stands(), Stands::Implemented);
    assert_eq!(visit.takes(1)["text"], "20 mg once daily");
    assert_eq!(visit.read::<Json>(1, FieldName::MedsBecause), Some(json!(row(7))));
    let told: UnderAgreement = visit.read(7, FieldName::RecommendationsUnderAgreement).unwrap();
    assert_eq!(
        (told.physician.as_str(), told.condition.as_str()),
        ("Dr. Priya Raman", "Hypertension")
    );
    assert_eq!(told.agreement, agreement_id());
    // One change of the log, by Ana: nobody ever sees the one without the other.
    assert_eq!(change.by.person(), Some(pharmacist().person));
    assert!(matches!(change.what, What::Decided { decision: DecisionKind::AgreementActed, .. }));
    // The first wins: pressed twice, sent afterwards, or by somebody who looked at an older plan.
    assert_eq!(visit.does_it_on("2026-03-01").unwrap_err(), CommandError::AlreadyDecided);
    let send = clinical::command::Command::SendRecommendation { row: row(7) };
    let seen = visit.plan.doc.seq();
    assert_eq!(visit.plan.command(&pharmacist(), &send, seen), Err(CommandError::AlreadyDecided));
    // Nobody was asked, so it counts in no rate of acceptance.
    assert_eq!(visit.plan.doc.sent_recommendations(Millis(visit.plan.now)).count(), 0);
}

#[test]
fn a6_an_agreement_that_ended_yesterday_allows_nothing_and_the_physician_is_asked_instead() {
    let mut visit = Visit::new(Paper::active());
    assert_eq!(visit.paper.on("2027-01-14"), Standing::Expiring, "its last day still counts");
    assert_eq!(visit.paper.on("2027-01-15"), Standing::Expired);
    visit.wants_20_mg_of(1);

    let change = visit.does_it_on("2027-01-15").expect("it is sent instead");

    assert!(matches!(change.what, What::Decided { decision: DecisionKind::AgreementRefused, .. }));
    assert_eq!(visit.reasons(), [ReasonCode::Ended]);
    assert_eq!(visit.stands(), Stands::Sent);
    assert_eq!(visit.plan.doc.addressee(row(7)), Some(pcp().person));
    assert_eq!(visit.takes(1)["text"], "10 mg daily", "the medicine is as it was");
    // From here on it is a recommendation like any other: Dr. Raman answers it.
    let accept = json!({ "kind": "decide", "row": row(7), "outcome": "accepted" });
    let accept = serde_json::from_value(accept).unwrap();
    visit.plan.command(&pcp(), &accept, change.seq).unwrap();
    assert_eq!(visit.stands(), Stands::Accepted);
    assert_eq!(visit.reasons(), [ReasonCode::Ended], "the reason is kept");
}

#[test]
fn a6_a_quarterly_report_is_overdue_on_day_91() {
    let mut paper = Paper::active();
    let report_in = |paper: &Paper, today: &str| {
        let dues = paper.agreement.dues(day(today), false);
        dues.iter().find(|due| due.what == DueKind::Report).expect("a report is due").days
    };

    // 15 January + 90 days is 15 April.
    assert_eq!(report_in(&paper, "2026-04-03"), 12, "status report due in 12 days");
    assert_eq!(report_in(&paper, "2026-04-15"), 0, "day 90: due today");
    assert_eq!(report_in(&paper, "2026-04-16"), -1, "day 91: overdue by 1 day");
    assert_eq!(paper.agreement.dues(day("2026-04-16"), false)[0].what, DueKind::Report);

    paper.today = day("2026-04-16");
    paper.act(&pharmacist(), report()).unwrap();
    assert_eq!(report_in(&paper, "2026-04-16"), 90, "an entry in the record suffices");
}

#[test]
fn a6_a_consent_taken_back_ends_the_agreement_at_once_and_leaves_the_plan_untouched() {
    let mut visit = Visit::new(Paper::active());
    visit.wants_20_mg_of(1);
    let before = visit.plan.doc.snapshot(View::Full);
    visit.paper.today = day("2026-02-01");

    visit.paper.act(&patient(), consent(ConsentAnswer::Withdrawn, false)).unwrap();

    assert_eq!(visit.paper.on("2026-02-01"), Standing::Withdrawn);
    assert_eq!(visit.plan.doc.snapshot(View::Full), before, "the plan is as it was");
    assert_eq!(visit.paper.agreement.dues(day("2026-05-01"), false), []);
    visit.does_it_on("2026-02-01").unwrap();
    assert_eq!(visit.reasons(), [ReasonCode::ConsentWithdrawn]);
    // Ended is ended: not even a second yes brings it back.
    let again = visit.paper.act(&patient(), consent(ConsentAnswer::Given, false));
    assert_eq!(again, Err(Refusal::Over));
}

#[test]
fn a6_a_consent_taken_back_in_the_record_counts_as_well() {
    for (said_ms, reasons) in [
        // After she had consented; and an older no, which her yes has answered.
        (T0 + 1_000_000, vec![ReasonCode::ConsentWithdrawn]),
        (T0 - 1_000_000, Vec::new()),
    ] {
        let mut visit = Visit::new(Paper::active());
        visit.wants_20_mg_of(1);
        let no = json!({ "kind": "cdtm_written", "state": "withdrawn", "method": "checkbox" });
        let values = [(FieldName::ConsentsContent, no)];
        visit.voice.now = said_ms;
        visit.voice.apply(&patient(), add(ListName::Consents, row(90), &values)).unwrap();

        visit.does_it_on("2026-02-01").unwrap();

        assert_eq!(visit.reasons(), reasons);
    }
}

#[test]
fn a6_a_controlled_drug_is_refused_whatever_the_order_set_says() {
    let mut visit = Visit::new(Paper::active());
    visit.wants_20_mg_of(2);

    visit.does_it_on("2026-03-01").unwrap();

    assert_eq!(visit.reasons(), [ReasonCode::DrugNotInOrderSet, ReasonCode::Controlled]);
    // The physician cannot put one in, either.
    let mut with_zolpidem = terms();
    let zolpidem =
        json!({ "ingredient": "Zolpidem 10 mg tablet", "actions": ["stop"], "dose": null });
    with_zolpidem["order_set"]["drugs"].as_array_mut().unwrap().push(zolpidem);
    let mut paper = Paper::drafted(with_zolpidem, "2026-01-10").unwrap();
    let refused = paper.act(&pcp(), Act::Sign);
    let gaps = vec![clinical::cdtm::template::Gap::Controlled];
    assert_eq!(refused, Err(Refusal::NotComplete { gaps }));
}

#[test]
fn the_patients_side_is_told_of_what_was_done_when_it_was_done_and_not_of_the_reasons_why_not() {
    let mut visit = Visit::new(Paper::active());
    let share = clinical::command::Command::Share;
    visit.plan.command(&pharmacist(), &share, 0).unwrap();
    visit.wants_20_mg_of(1);
    let mut received = visit.plan.doc.snapshot(View::PatientSide);
    assert!(!received.lists.iter().any(|list| list.list == ListName::Recommendations));

    let change = visit.does_it_on("2026-03-01").unwrap();

    let told = visit.plan.doc.project_change(&change, View::PatientSide).expect("something to see");
    received.fold(&told).unwrap();
    assert_eq!(received, visit.plan.doc.snapshot(View::PatientSide));
    let text = serde_json::to_string(&received).unwrap();
    assert!(text.contains("under_cdtm") && text.contains("implemented"), "{text}");

    let mut visit = Visit::new(Paper::active());
    visit.plan.command(&pharmacist(), &share, 0).unwrap();
    visit.wants_20_mg_of(1);
    let mut received = visit.plan.doc.snapshot(View::PatientSide);
    let change = visit.does_it_on("2027-01-15").unwrap();
    let told = visit.plan.doc.project_change(&change, View::PatientSide).expect("something to see");
    received.fold(&told).unwrap();
    assert_eq!(received, visit.plan.doc.snapshot(View::PatientSide));
    let text = serde_json::to_string(&received).unwrap();
    assert!(!text.contains("ended") && text.contains("\"sent\""), "{text}");
}

#[test]
fn somebody_else_and_who_looked_at_an_older_plan_are_refused() {
    let mut visit = Visit::new(Paper::active());
    visit.wants_20_mg_of(1);
    let seen = visit.plan.doc.seq();
    // A colleague: it is sent, with the reason.
    let colleague = actor(21, Role::Pharmacist);
    visit.does_it("2026-03-01", &colleague, seen).unwrap();
    assert_eq!(visit.reasons(), [ReasonCode::NotThisPharmacist]);

    // Dr. Raman changed how it is taken after Ana had looked.
    let mut visit = Visit::new(Paper::active());
    visit.wants_20_mg_of(1);
    let seen = visit.plan.doc.seq();
    let sig_at = at(row(1), FieldName::MedsSig);
    let base = visit.plan.doc.rev_of(&sig_at);
    visit.plan.apply(&pcp(), set(sig_at, base, sig("5 mg daily"))).unwrap();
    let stale = visit.does_it("2026-03-01", &pharmacist(), seen);
    assert_eq!(stale.unwrap_err(), CommandError::ChangedSince);
    assert_eq!(visit.stands(), Stands::Draft, "nothing was written");

    // Without the word "under the agreement" the command is none.
    let mut visit = Visit::new(Paper::active());
    let content = json!({ "action": "stop", "med": row(1), "summary": "Stop it." });
    let values = [(FieldName::RecommendationsContent, content)];
    visit.plan.apply(&pharmacist(), add(ListName::Recommendations, row(7), &values)).unwrap();
    assert_eq!(visit.does_it_on("2026-03-01").unwrap_err(), CommandError::NotComplete);
}

#[test]
fn a_drug_may_be_replaced_only_with_the_patients_explicit_consent() {
    for (substitution, expected) in
        [(false, vec![ReasonCode::SubstitutionWithoutConsent]), (true, Vec::new())]
    {
        let mut visit = Visit::new(Paper::signed(terms(), substitution));
        let content = json!({
            "action": "change_drug", "med": row(1), "summary": "Losartan for lisinopril: cough",
            "regimen": {
                "text": "50 mg once daily", "dose": { "value": "50", "unit": "mg" },
                "freq": { "count": 1, "period": 1, "unit": "d" },
            },
        });
        visit.wants(7, content);
        let agreements = [visit.paper.agreement.clone()];
        let facts = AgreementFacts {
            agreements: &agreements,
            patient: patient_id(),
            today: day("2026-03-01"),
            templates: &visit.paper.templates,
            withdrawn_in_record: None,
        };
        let update = json!({
            "day": "2026-03-01", "row": row(50),
            "product": { "name": "Losartan", "strength_form": "50 mg tablet" },
        });
        let update: ListUpdate = serde_json::from_value(update).unwrap();
        let (id, seen) = (visit.plan.id(), visit.plan.doc.seq());
        let at_ms = Millis(visit.plan.now);
        let doc = &mut visit.plan.doc;
        doc.act_under_agreement(
            at_ms,
            &pharmacist(),
            None,
            id,
            row(7),
            "",
            Some(&update),
            seen,
            &facts,
        )
        .unwrap();

        assert_eq!(visit.reasons(), expected);
        if expected.is_empty() {
            assert_eq!(visit.read::<Json>(1, FieldName::MedsStatus).unwrap()["state"], "stopped");
            assert_eq!(
                visit.read::<Json>(50, FieldName::MedsPrescriber),
                Some(json!("Dr. Priya Raman"))
            );
        }
    }
}

#[test]
fn what_is_written_by_whom_and_in_which_order() {
    let mut paper = Paper::drafted(terms(), "2026-01-10").unwrap();
    assert_eq!(paper.on("2026-01-10"), Standing::Draft);
    let unsigned = paper.act(&pharmacist(), Act::Sign);
    assert_eq!(unsigned, Err(Refusal::NotNow), "the physician makes the order set and signs first");
    paper.act(&pcp(), Act::Sign).unwrap();
    assert_eq!(paper.on("2026-01-10"), Standing::SignedPhysician);
    let gaps = vec![clinical::cdtm::template::Gap::Registration];
    assert_eq!(paper.act(&pharmacist(), Act::Sign), Err(Refusal::NotComplete { gaps }));
    paper.act(&pharmacist(), register()).unwrap();
    paper.act(&pharmacist(), Act::Sign).unwrap();
    assert_eq!(paper.on("2026-01-20"), Standing::SignedPharmacist, "waits for the consent");
    let aloud = Act::Consent {
        answer: ConsentAnswer::Given,
        method: ConsentMethod::Spoken,
        name: Phi::new("Ana Reyes".to_owned()),
        substitution: false,
        language: "en".to_owned(),
    };
    assert_eq!(paper.act(&pharmacist(), aloud), Err(Refusal::NotInWriting));
    paper.act(&patient(), consent(ConsentAnswer::Given, false)).unwrap();
    assert_eq!(paper.on("2026-01-14"), Standing::SignedPharmacist, "its first day is tomorrow");
    assert_eq!(paper.on("2026-01-15"), Standing::Active);
    assert_eq!(paper.on("2026-11-14"), Standing::Active);
    assert_eq!(paper.on("2026-11-15"), Standing::Expiring, "60 days before");
    for (today, notice) in [
        ("2026-11-14", None),
        ("2026-11-15", Some(60)),
        ("2026-12-15", Some(30)),
        ("2027-01-07", Some(7)),
    ] {
        assert_eq!(paper.agreement.notice(day(today)), notice, "{today}");
    }
    paper.today = day("2026-06-01");
    let no_more = Act::Review { goes_on: false, note: Phi::new("Moves away.".to_owned()) };
    paper.act(&pcp(), no_more).unwrap();
    assert_eq!(paper.on("2026-06-01"), Standing::Revoked);
}
