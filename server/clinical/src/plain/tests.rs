//! Pages of plans made here.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::actor::{Author, Millis, Role};
use crate::bytes::Base64;
use crate::field::{Address, FieldName, ListName, Presence};
use crate::format::tests::{any_product, any_sig};
use crate::medication::{
    Dose, Frequency, MedicationStatus, PeriodUnit, Prn, Product, Route, Sig, TimeOfDay,
};
use crate::register::Register;
use crate::todo::Instruction;
use crate::touchpoint::{Touchpoint, TouchpointFormat};
use crate::value::{Check, Code, Decimal, Line, PartialDate, Value};
use crate::view::{ListRows, RegisterAt, Snapshot, TextAt};

fn row(number: u128) -> RowId {
    RowId(Uuid::from_u128(number))
}

fn value<T>(value: T) -> Shown<T> {
    Shown::Value { value }
}

fn med(number: u128, name: &str, sig: Shown<Sig>) -> PlainMed {
    PlainMed {
        row: row(number),
        product: value(Product {
            name: name.to_owned(),
            code: None,
            strength_form: String::new(),
            ingredients: Vec::new(),
        }),
        sig,
        indication: Shown::Empty,
        prescriber: Shown::Empty,
        status: value(MedicationStatus::Active),
    }
}

fn twice() -> Sig {
    Sig {
        text: "1 tab PO BID".to_owned(),
        dose: Some(Dose { value: Decimal::parse("1").unwrap(), unit: "tablet".to_owned() }),
        route: Some(Route::Oral),
        freq: Some(Frequency { count: 2, period: 1, unit: PeriodUnit::D, meal: None }),
        times: vec![TimeOfDay::Morning, TimeOfDay::Evening],
        ..Sig::default()
    }
}

fn page_of(meds: Vec<PlainMed>, language: Language) -> PlainPage {
    page(&PlainInput { meds, ..PlainInput::default() }, None, language)
}

fn told(page: &PlainPage) -> Vec<(PlainSlot, Vec<&str>)> {
    page.medicines
        .groups
        .iter()
        .flat_map(|group| {
            group
                .cards
                .iter()
                .map(|card| (group.slot, card.how.iter().map(|how| how.text.as_str()).collect()))
        })
        .collect()
}

#[test]
fn a_medicine_stands_in_every_part_of_the_day_it_is_taken_in() {
    let page = page_of(vec![med(1, "Metformin 500 MG Oral Tablet", value(twice()))], Language::Es);

    let how = vec![
        "Tome 1 tableta (500 mg) por la boca, 2 veces al día.",
        "Tómela por la mañana y por la noche.",
    ];
    assert_eq!(told(&page), [(PlainSlot::Morning, how.clone()), (PlainSlot::Evening, how)]);
    assert_eq!(page.cards().next().unwrap().name, "Metformin 500 mg Oral Tablet");
    assert_eq!(page.medicines.groups[0].title, "Mañana");
}

#[test]
fn a_field_in_conflict_is_not_decided_yet() {
    let page = page_of(vec![med(1, "Warfarin", Shown::NotDecided)], Language::En);

    assert_eq!(
        told(&page),
        [(PlainSlot::Ask, vec!["Not decided yet.", "Ask your team before your next dose."])]
    );
}

#[test]
fn a_medicine_without_a_sig_says_so() {
    let page = page_of(vec![med(1, "Warfarin", Shown::Empty)], Language::En);

    assert_eq!(
        told(&page),
        [(PlainSlot::Ask, vec!["How to take it is not written down yet.", "Ask your team."])]
    );
}

#[test]
fn text_is_shown_where_structure_does_not_say_it_all() {
    let with = |text: &str, mut sig: Sig| {
        sig.text = text.to_owned();
        let page = page_of(vec![med(1, "x", value(sig))], Language::En);
        let card = page.cards().next().unwrap().clone();
        card.how.into_iter().map(|how| (how.text, how.from)).collect::<Vec<_>>()
    };
    let only_text = with("On Monday half a tablet", Sig::default());
    assert_eq!(only_text, [("On Monday half a tablet".to_owned(), SentenceFrom::Person)]);
    let more = with("1 tab BID with a full glass of water", twice());
    assert_eq!(more.len(), 3);
    assert_eq!(more.last().unwrap().1, SentenceFrom::Person);
    let other = with("2 tablets 3 times a day", twice());
    assert_eq!(other, [("2 tablets 3 times a day".to_owned(), SentenceFrom::Person)]);
}

#[test]
fn stopped_and_paused_medicines_are_not_among_those_to_take() {
    let mut stopped = med(1, "Ibuprofen 200 MG Oral Tablet", value(twice()));
    stopped.status = value(MedicationStatus::Stopped {
        date: PartialDate::parse("2026-11-24"),
        reason: "It can hurt your kidneys".to_owned(),
    });
    let mut paused = med(2, "Metformin", value(twice()));
    paused.status = value(MedicationStatus::OnHold);
    let mut wrong = med(3, "Wrong", value(twice()));
    wrong.status = value(MedicationStatus::EnteredInError);
    let page = page_of(vec![stopped, paused, wrong], Language::En);

    assert_eq!(
        told(&page),
        [
            (
                PlainSlot::OnHold,
                vec!["Do not take this for now.", "Your team will tell you when to start again."]
            ),
            (
                PlainSlot::Stopped,
                vec![
                    "Do not take this any more.",
                    "Stopped: November 24, 2026.",
                    "Why: It can hurt your kidneys"
                ]
            ),
        ]
    );
}

#[test]
fn badges_tell_what_is_different_in_whatever_language_the_last_page_was() {
    let before = PlainInput {
        meds: vec![
            med(1, "Same", value(twice())),
            med(2, "Other dose", value(twice())),
            med(3, "Ended", value(twice())),
            med(5, "Long ended", Shown::Empty),
        ],
        ..PlainInput::default()
    };
    let mut now = before.clone();
    let Shown::Value { value: sig } = &mut now.meds[1].sig else { panic!("it has one") };
    sig.dose.as_mut().unwrap().value = Decimal::parse("2").unwrap();
    let stopped = || value(MedicationStatus::Stopped { date: None, reason: String::new() });
    now.meds[2].status = stopped();
    now.meds[0].prescriber = value(Line("Dr. Raman".to_owned()));
    now.meds.push(med(4, "Added", value(twice())));
    let mut before = before;
    before.meds[3].status = stopped();
    now.meds[3].status = stopped();

    let page = page(&now, Some(&before), Language::Es);
    let badges: std::collections::BTreeMap<&str, &str> =
        page.cards().map(|card| (card.name.as_str(), card.badge_text.as_str())).collect();
    assert_eq!(
        badges.into_iter().collect::<Vec<_>>(),
        [
            ("Added", "Nueva"),
            ("Ended", "Suspendida"),
            ("Long ended", ""),
            ("Other dose", "Cambió"),
            ("Same", "")
        ]
    );
}

#[test]
fn an_empty_allergy_list_is_no_statement() {
    let page = page_of(Vec::new(), Language::En);

    assert_eq!(page.allergies.items[0][0].text, "No allergy is on this list.");
    assert!(!format!("{page:?}").contains("allergy"));
}

#[test]
fn the_whole_page_is_made_of_a_snapshot_of_the_patients_side() {
    let at = |row: Option<RowId>, field| Address { row, field };
    let register = |row: Option<RowId>, field, value: Value| RegisterAt {
        at: at(row, field),
        register: Register::Value {
            value: Some(value),
            rev: 1,
            by: Author::Import,
            at_ms: Millis(0),
        },
    };
    fn json<T: Serialize + Check>(value: &T) -> Value {
        Value::of(value).unwrap()
    }
    let text = |row: Option<RowId>, field, words: &str| TextAt {
        at: at(row, field),
        rev: 1,
        state: Base64(words.as_bytes().to_vec()),
        merged: None,
    };
    let product = Product {
        name: "Warfarin".to_owned(),
        code: None,
        strength_form: String::new(),
        ingredients: Vec::new(),
    };
    let touchpoint = Touchpoint {
        purpose: "INR test".to_owned(),
        when: "Tuesday".to_owned(),
        due: None,
        frequency: String::new(),
        format: TouchpointFormat::InPerson,
        members: vec![Role::Patient, Role::Pharmacist],
    };
    let plan = Snapshot {
        lists: vec![
            ListRows { list: ListName::Meds, rows: vec![row(1), row(2)] },
            ListRows { list: ListName::Todos, rows: vec![row(3)] },
            ListRows { list: ListName::Touchpoints, rows: vec![row(4)] },
        ],
        registers: vec![
            register(Some(row(1)), FieldName::MedsProduct, json(&product)),
            RegisterAt {
                at: at(Some(row(1)), FieldName::MedsSig),
                register: Register::Conflict { rev: 2, candidates: vec![] },
            },
            register(Some(row(2)), FieldName::MedsProduct, json(&product)),
            register(
                Some(row(2)),
                FieldName::Presence,
                json(&Presence::Removed { reason: "twice".to_owned() }),
            ),
            register(
                Some(row(3)),
                FieldName::TodosShouldDo,
                json(&Instruction {
                    text: "Go for the test".to_owned(),
                    med_ids: vec![],
                    when: "Tuesday".to_owned(),
                }),
            ),
            register(Some(row(4)), FieldName::TouchpointsContent, json(&touchpoint)),
        ],
        texts: vec![
            text(Some(row(3)), FieldName::TodosTalkedAbout, "Your blood thinner"),
            text(None, FieldName::OutlineFollowUp, "We call you"),
        ],
    };
    let voice = Snapshot {
        lists: vec![ListRows { list: ListName::Questions, rows: vec![row(9)] }],
        registers: vec![register(Some(row(3)), FieldName::TodosTick, json(&true))],
        texts: vec![
            text(Some(row(9)), FieldName::QuestionsText, "May I eat grapefruit?"),
            text(None, FieldName::MyGoals, "Go fishing"),
        ],
    };
    let visit = PlainVisit {
        newer: true,
        date: PartialDate::parse("2026-11-24"),
        with: vec!["Ada Kern".to_owned()],
        phone: "555 0100".to_owned(),
        patient: "Ruth Delgado".to_owned(),
        born: PartialDate::parse("1948-04-12"),
        practice: "Harbor Street".to_owned(),
    };

    let input = input(Some(visit), &plan, Some(&voice), |text| {
        String::from_utf8(text.state.0.clone()).unwrap()
    });
    let page = page(&input, None, Language::En);

    assert_eq!(
        told(&page),
        [(PlainSlot::Ask, vec!["Not decided yet.", "Ask your team before your next dose."])]
    );
    let texts = |list: &PlainList| {
        list.items.iter().flatten().map(|one| one.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        page.about.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(),
        [
            "There is a newer plan.",
            "This page shows it.",
            "Throw out older copies.",
            "Date: November 24, 2026",
            "You talked with: Ada Kern",
            "If you have questions, call: 555 0100",
        ]
    );
    let letter = page.letter.as_ref().unwrap();
    let line = |sentences: &[PlainSentence]| {
        sentences.iter().map(|one| one.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(line(&letter.from), ["Harbor Street", "555 0100"]);
    assert_eq!(
        line(&letter.prepared_for),
        ["Prepared for: Ruth Delgado", "Date of birth: April 12, 1948"]
    );
    assert_eq!(
        letter.opening[0].text,
        "We talked about your health and medicines on November 24, 2026."
    );
    assert_eq!(letter.keep.len(), 4);
    assert_eq!(letter.due_by, PartialDate::parse("2026-12-08"), "14 days after the review");
    let task = &page.tasks.tasks[0];
    assert!(task.done);
    assert_eq!(task.should_do[0].text, "Go for the test");
    assert_eq!(task.talked_about[0].text, "Your blood thinner");
    assert_eq!(
        texts(&page.visits),
        ["Tuesday", "INR test", "At the clinic.", "With: your pharmacist."]
    );
    assert_eq!(texts(&page.questions), ["May I eat grapefruit?"]);
    assert_eq!(texts(&page.goals), ["Go fishing"]);
    assert_eq!(texts(&page.follow_up), ["We call you"]);
}

#[test]
fn a_follow_up_says_its_hour_or_that_we_did_not_meet_and_nothing_of_what_is_over() {
    use TouchpointStep::{Booked, Cancelled, Done, Missed, Planned};

    use crate::touchpoint::{BookedTime, Expected, LocalHour, TouchpointState, TouchpointStep};

    const HOUR: i64 = 3_600_000;
    let visit = crate::id::VisitId(Uuid::from_u128(7));
    // 2026-12-08 20:30 in New York.
    let starts_ms = Millis(1_796_779_800_000);
    let expected = |role, name: &str| Expected { role, name: name.to_owned() };
    let booked = BookedTime {
        visit,
        starts: LocalHour::parse("2026-12-08T20:30").unwrap(),
        zone: "America/New_York".to_owned(),
        starts_ms,
        minutes: 30,
        format: TouchpointFormat::Video,
        with: vec![
            expected(Role::Patient, "Ruth Delgado"),
            expected(Role::Pharmacist, "Ana Reyes"),
        ],
    };
    let touchpoint = |frequency: &str| Touchpoint {
        purpose: "Blood pressure".to_owned(),
        when: "in two weeks".to_owned(),
        due: PartialDate::parse("2026-12-10"),
        frequency: frequency.to_owned(),
        format: TouchpointFormat::Video,
        members: vec![Role::Patient, Role::Pharmacist],
    };
    let told =
        |step: Option<TouchpointStep>, frequency: &str, later_ms: i64, held: bool, language| {
            let state = step.map(|step| TouchpointState {
                step,
                booked: (step != Planned).then(|| booked.clone()),
                moved_from: None,
                on: None,
            });
            let follow_up = PlainFollowUp {
                content: Shown::Value { value: touchpoint(frequency) },
                state,
                standing: crate::touchpoint::Standing::Planned,
            };
            let input = PlainInput { touchpoints: vec![follow_up], ..PlainInput::default() };
            let now = Millis(starts_ms.0 + later_ms);
            let held = held.then_some((visit, starts_ms)).into_iter().collect();
            let input = input.at(now, &PartialDate::of(now), &held);
            let items = page(&input, None, language).visits.items;
            items.into_iter().flatten().map(|one| one.text).collect::<Vec<_>>()
        };
    assert_eq!(
        told(Some(Booked), "", -HOUR, false, Language::En),
        [
            "Tuesday, December 8, 2026, 8:30 PM, Eastern time.",
            "Blood pressure",
            "By video.",
            "With: Ana Reyes."
        ]
    );
    assert_eq!(
        told(Some(Booked), "", -HOUR, false, Language::Es)[0],
        "Martes, 8 de diciembre de 2026, 8:30 de la noche, hora del este."
    );
    for step in [Booked, Missed] {
        assert_eq!(
            told(Some(step), "", HOUR, false, Language::En),
            [
                "We did not meet on December 8, 2026.",
                "Blood pressure",
                "Call us to find a new time."
            ]
        );
    }
    let nothing: [&str; 0] = [];
    assert_eq!(told(Some(Booked), "", HOUR, true, Language::En), nothing, "we met");
    assert_eq!(told(Some(Done), "", HOUR, false, Language::En), nothing);
    assert_eq!(told(Some(Cancelled), "", HOUR, false, Language::En), nothing);
    let again = told(Some(Done), "every two weeks", HOUR, false, Language::En);
    assert_eq!(again[..2], ["every two weeks", "Blood pressure"]);
    for step in [None, Some(Planned)] {
        let planned = told(step, "", -HOUR, false, Language::En);
        assert_eq!(planned[0], "in two weeks");
        assert!(!planned.concat().contains("new time"), "{planned:?}");
        let overdue = told(step, "", 72 * HOUR, false, Language::Es);
        assert_eq!(overdue, ["Blood pressure", "Llámenos para buscar otra fecha."]);
    }
}

#[test]
fn the_pages_own_words_are_plain() {
    for language in Language::ALL {
        let words = Words::of(language);
        let sentences = [
            words.no_allergies,
            words.emergency_text,
            words.disposal_text,
            words.not_decided,
            words.no_sig,
            words.on_hold,
            words.stopped,
            words.find_a_time,
        ];
        let reading = reading::of(sentences.into_iter().flatten().copied(), &[], language);
        assert_eq!(reading.verdict, reading::ReadingVerdict::Good, "{reading:?}");
        for sentence in sentences.into_iter().flatten() {
            assert!(sentence.split(' ').count() <= 12, "{sentence}");
        }
    }
}

fn any_meds() -> impl Strategy<Value = Vec<PlainMed>> {
    // As people take medicines: nobody takes one 17 times every 23 weeks.
    let believable = any_sig().prop_map(|mut sig| {
        if let Some(freq) = &mut sig.freq {
            freq.count = freq.count % 4 + 1;
            freq.period = freq.period % 12 + 1;
        }
        if let Some(prn) = &mut sig.prn {
            *prn = Prn { reason: "pain".to_owned() };
        }
        sig.text = format::sig_text(&sig, Language::En);
        sig
    });
    prop::collection::vec((believable, any_product()), 1..8).prop_map(|meds| {
        meds.into_iter()
            .enumerate()
            .map(|(index, (sig, product))| {
                let mut med = med(
                    index as u128,
                    "",
                    if sig.text.is_empty() { Shown::Empty } else { value(sig) },
                );
                med.product = value(product);
                med
            })
            .collect()
    })
}

#[test]
fn ninety_nine_of_a_hundred_generated_pages_are_plain() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let strategy = any_meds();
    let mut hard = [0_u32; 2];
    for _ in 0..5_000 {
        let meds = strategy.new_tree(&mut runner).unwrap().current();
        for (index, language) in Language::ALL.into_iter().enumerate() {
            let page = page_of(meds.clone(), language);
            if page.reading.verdict != reading::ReadingVerdict::Good {
                hard[index] += 1;
            }
            for group in &page.medicines.groups {
                for card in &group.cards {
                    for sentence in &card.how {
                        assert!(format::misreadings(&sentence.text).is_empty(), "{sentence:?}");
                    }
                }
            }
        }
    }
    assert!(hard.iter().all(|pages| *pages <= 50), "{hard:?} of 5000 pages are hard to read");
}

/// Against what was signed last, the page says what is new, what changed and what was stopped.
#[test]
fn badges_compare_with_the_signed_version() {
    let signed = serde_json::json!({
        "format": 1, "doc": row(50), "version": 1, "seq": 9, "fields": {},
        "signer": { "person": row(51), "name": "Ana", "credentials": [], "statement": "", "at_ms": 1 },
        "lists": { "meds": [
            { "row": row(1), "fields": { "meds.product": { "name": "Lisinopril" }, "meds.sig": { "text": "10 mg daily" } } },
            { "row": row(2), "fields": { "meds.product": { "name": "Simvastatin" } } },
            { "row": row(4), "fields": { "meds.product": { "name": "Aspirin" } } },
            { "row": row(5), "fields": { "meds.product": { "name": "Glipizide" } } },
            { "row": row(6), "fields": {
                "meds.product": { "name": "Ibuprofen" },
                "meds.status": { "state": "stopped", "reason": "" },
            } },
        ] },
    });
    let previous = input_of(&serde_json::from_value(signed).unwrap());
    let med = |n, name: &str, sig: Option<&str>, status| PlainMed {
        row: row(n),
        product: Shown::Value {
            value: Product {
                name: name.to_owned(),
                code: None,
                strength_form: String::new(),
                ingredients: Vec::new(),
            },
        },
        sig: sig.map_or(Shown::Empty, |text| Shown::Value {
            value: Sig { text: text.to_owned(), ..Sig::default() },
        }),
        indication: Shown::Empty,
        prescriber: Shown::Empty,
        status,
    };
    let stopped =
        Shown::Value { value: MedicationStatus::Stopped { date: None, reason: "pain".to_owned() } };
    let now = PlainInput {
        meds: vec![
            med(1, "Lisinopril", Some("20 mg daily"), Shown::Empty),
            med(2, "Simvastatin", None, stopped),
            med(3, "Rosuvastatin", None, Shown::Empty),
            // The chart knows it by a code now, and that it is in use: nothing that changes taking it.
            PlainMed {
                product: Shown::Value {
                    value: Product {
                        name: "Aspirin".to_owned(),
                        code: Some(Code { system: "rxnorm".to_owned(), code: "1191".to_owned() }),
                        strength_form: String::new(),
                        ingredients: Vec::new(),
                    },
                },
                status: Shown::Value { value: MedicationStatus::Active },
                ..med(4, "Aspirin", None, Shown::Empty)
            },
        ],
        ..PlainInput::default()
    };

    let page = page(&now, Some(&previous), Language::En);

    let mut badges: Vec<_> = page.cards().map(|card| (card.name.as_str(), card.badge)).collect();
    badges.sort_by_key(|(name, _)| *name);
    assert_eq!(
        badges,
        [
            ("Aspirin", None),
            // Taken out of the list: it does not vanish without a word.
            ("Glipizide", Some(PlainBadge::Stopped)),
            ("Lisinopril", Some(PlainBadge::Changed)),
            ("Rosuvastatin", Some(PlainBadge::New)),
            ("Simvastatin", Some(PlainBadge::Stopped)),
        ]
    );
}
