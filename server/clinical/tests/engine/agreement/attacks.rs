//! What people get wrong, and what somebody might try.

use clinical::cdtm::entry::{Act, ActName, ConsentAnswer};
use clinical::cdtm::template::{Gap, TemplateError};
use serde_json::json;

use super::*;

#[test]
fn terms_are_refused_with_the_field_that_cannot_be_so() {
    let long = "x".repeat(1024 * 1024);
    for (pointer, bad, field) in [
        ("/condition", json!(long), "condition"),
        ("/disclosure", json!(long), "disclosure"),
        ("/order_set/patient/name", json!("a\u{0}b"), "order_set.patient.name"),
        ("/order_set/provider_phone", json!("call me"), "order_set.provider_phone"),
        ("/order_set/drugs/0/dose/least", json!("41"), "order_set.drugs.dose"),
        ("/order_set/drugs/0/dose/most", json!("0"), "order_set.drugs.dose"),
        ("/order_set/drugs/0/dose/unit", json!(""), "order_set.drugs.dose"),
        ("/order_set/drugs/0/dose/most_per_day", json!("39"), "order_set.drugs.dose"),
        ("/order_set/drugs/0/actions", json!(["educate"]), "order_set.drugs.actions"),
        ("/order_set/drugs/0/actions", json!(["stop", "stop"]), "order_set.drugs.actions"),
        ("/order_set/tests", json!(vec!["a"; 21]), "order_set.tests"),
        ("/outcomes", json!([""]), "outcomes"),
    ] {
        let mut terms = terms();
        *terms.pointer_mut(pointer).unwrap() = bad;
        let refused = Paper::drafted(terms, "2026-01-10").err();
        assert_eq!(refused, Some(Refusal::BadValue { field: field.to_owned() }), "{pointer}");
    }
}

#[test]
fn doses_that_could_be_misread_and_days_of_no_calendar_are_no_values_at_all() {
    for (pointer, bad) in [
        ("/order_set/drugs/0/dose/most", json!("5.0")),
        ("/order_set/drugs/0/dose/most", json!("5,0")),
        ("/order_set/drugs/0/dose/most", json!(".5")),
        ("/order_set/drugs/0/dose/most", json!("NaN")),
        ("/order_set/drugs/0/dose/most", json!("Infinity")),
        ("/order_set/drugs/0/dose/most", json!("-5")),
        ("/order_set/drugs/0/dose/most", json!(5)),
        ("/order_set/drugs/0/dose/most", json!("1e3")),
        ("/start", json!("2026-02-29")),
        ("/start", json!("2026-02")),
        ("/end", json!("tomorrow")),
        ("/pharmacist", json!("somebody")),
    ] {
        let mut terms = terms();
        *terms.pointer_mut(pointer).unwrap() = bad.clone();
        assert!(serde_json::from_value::<Terms>(terms).is_err(), "{pointer} {bad}");
    }
    let mut extra = terms();
    extra["signed"] = json!(true);
    assert!(serde_json::from_value::<Terms>(extra).is_err(), "a field that is none");
}

#[test]
fn a_term_that_cannot_be_is_not_signed() {
    for (start, end, gap) in [
        ("2026-01-15", "2026-01-14", Some(Gap::EndBeforeStart)),
        ("2026-01-15", "2026-01-15", Some(Gap::EndBeforeStart)),
        ("2026-01-15", "2027-01-15", None),
        ("2026-01-15", "2027-01-16", Some(Gap::TooLong)),
        ("2024-02-29", "2025-02-28", Some(Gap::Over)),
        ("2027-02-28", "2028-02-28", None),
        ("2027-02-28", "2028-02-29", Some(Gap::TooLong)),
        ("2028-02-29", "2029-02-28", None),
        ("2028-02-29", "2029-03-01", Some(Gap::TooLong)),
        ("2025-06-01", "2025-12-31", Some(Gap::Over)),
    ] {
        let mut terms = terms();
        terms["start"] = json!(start);
        terms["end"] = json!(end);
        let mut paper = Paper::drafted(terms, "2026-01-10").unwrap();
        let expected = gap.map_or(Ok(()), |gap| Err(Refusal::NotComplete { gaps: vec![gap] }));
        assert_eq!(paper.act(&pcp(), Act::Sign), expected, "{start} to {end}");
    }
    let mut terms = terms();
    terms["f2f_visit"] = json!("2026-01-11");
    let mut paper = Paper::drafted(terms, "2026-01-10").unwrap();
    let gaps = vec![Gap::VisitInFuture];
    assert_eq!(paper.act(&pcp(), Act::Sign), Err(Refusal::NotComplete { gaps }));
}

#[test]
fn what_is_missing_is_listed_all_at_once() {
    let mut empty = terms();
    for pointer in ["/condition", "/disclosure", "/order_set/extent", "/order_set/patient/phone"] {
        *empty.pointer_mut(pointer).unwrap() = json!("");
    }
    empty["pharmacist"] = json!(null);
    empty["backup"]["phone"] = json!("  ");
    empty["order_set"]["drugs"][0]["dose"] = json!(null);
    empty["order_set"]["tests"] = json!([]);
    let mut paper = Paper::drafted(empty, "2026-01-10").unwrap();

    let Err(Refusal::NotComplete { gaps }) = paper.act(&pcp(), Act::Sign) else {
        panic!("it was signed")
    };

    let expected = [
        Gap::Pharmacist,
        Gap::Backup,
        Gap::Condition,
        Gap::Disclosure,
        Gap::Patient,
        Gap::DrugRules,
        Gap::Extent,
        Gap::Tests,
    ];
    assert_eq!(gaps, expected);
}

#[test]
fn what_is_signed_is_not_written_again_and_nobody_signs_what_they_have_not_seen() {
    let mut paper = Paper::drafted(terms(), "2026-01-10").unwrap();
    let seen = paper.agreement.seen();
    let mut other = terms();
    other["order_set"]["drugs"][0]["dose"]["most"] = json!("40");
    other["order_set"]["drugs"][0]["dose"]["most_per_day"] = json!("80");
    paper.act(&pcp(), draft(other.clone())).unwrap();
    // The window that still shows the first draft.
    assert_eq!(paper.act_as(&pcp(), Act::Sign, seen), Err(Refusal::ChangedSince));
    paper.act(&pcp(), Act::Sign).unwrap();
    assert_eq!(paper.act(&pcp(), draft(other)), Err(Refusal::NotNow));
    assert_eq!(paper.act(&pcp(), Act::Sign), Err(Refusal::NotNow));
}

#[test]
fn another_physician_or_pharmacist_has_no_hand_in_it() {
    let mut paper = Paper::active();
    for by in [actor(31, Role::Pcp), actor(32, Role::Pharmacist), actor(33, Role::Nurse)] {
        for act in [Act::Sign, report(), draft(terms()), register()] {
            assert_eq!(paper.act(&by, act), Err(Refusal::NotYours), "{by:?}");
        }
    }
}

#[test]
fn who_ends_it_need_not_have_seen_the_last_entry() {
    let mut paper = Paper::active();
    paper.act(&pharmacist(), report()).unwrap();
    assert_eq!(paper.act_as(&pharmacist(), report(), 1), Err(Refusal::ChangedSince));
    paper.act_as(&patient(), consent(ConsentAnswer::Withdrawn, false), 1).unwrap();
    assert_eq!(paper.on("2026-02-01"), Standing::Withdrawn);
    let mut paper = Paper::active();
    let revoke = Act::Revoke { reason: Phi::new("Moves away.".to_owned()) };
    paper.act_as(&pcp(), revoke, 0).unwrap();
    assert_eq!(paper.on("2026-02-01"), Standing::Revoked);
}

#[test]
fn terms_that_are_not_those_that_were_signed_do_not_load() {
    let paper = Paper::active();
    let mut entries = serde_json::to_value(paper.agreement.entries()).unwrap();
    entries[0]["deed"]["terms"]["order_set"]["drugs"][0]["dose"]["most"] = json!("400");
    let entries = serde_json::from_value(entries).unwrap();

    let loaded = Agreement::load(agreement_id(), patient_id(), entries);

    assert_eq!(loaded, Err(clinical::cdtm::agreement::Damaged::OtherTerms));
}

#[test]
fn a_no_is_no_withdrawal_and_a_yes_may_follow_it() {
    let mut paper = Paper::drafted(terms(), "2026-01-10").unwrap();
    let early = paper.act(&patient(), consent(ConsentAnswer::Given, false));
    assert_eq!(early, Err(Refusal::NotNow), "nobody consents to a draft");
    paper.act(&pcp(), Act::Sign).unwrap();
    paper.act(&patient(), consent(ConsentAnswer::Withdrawn, false)).unwrap();
    assert!(!paper.agreement.consents());
    paper.act(&patient(), consent(ConsentAnswer::Given, true)).unwrap();
    assert!(paper.agreement.consents() && paper.agreement.may_substitute());
}

#[test]
fn a_file_of_templates_that_cannot_be_right_stops_the_start() {
    let louisiana: serde_json::Value = serde_json::from_str(FILE).unwrap();
    let with = |pointer: &str, value: serde_json::Value| {
        let mut file = louisiana.clone();
        *file.pointer_mut(pointer).unwrap() = value;
        Templates::parse(&file.to_string())
    };
    let wrong = |field| Err(TemplateError::Template { name: "Louisiana".to_owned(), field });
    assert_eq!(with("/templates/0/longest_months", json!(0)), wrong("longest_months"));
    assert_eq!(with("/templates/0/report_every_days", json!(0)), wrong("report_every_days"));
    assert_eq!(with("/templates/0/notice_days", json!([7, 30])), wrong("notice_days"));
    assert_eq!(with("/templates", json!([])), Err(TemplateError::Empty));
    let twice = json!([louisiana["templates"][0], louisiana["templates"][0]]);
    let overlap = TemplateError::Overlap { name: "Louisiana".to_owned() };
    assert_eq!(with("/templates", twice), Err(overlap));
    let shape = with("/templates/0/required", json!(["a birthday cake"]));
    assert!(matches!(shape, Err(TemplateError::Shape { .. })), "{shape:?}");
}

#[test]
fn a_screen_offers_what_is_not_refused_for_its_moment() {
    let of = |name| match name {
        ActName::Draft => draft(terms()),
        ActName::Sign => Act::Sign,
        ActName::Consent => consent(ConsentAnswer::Declined, false),
        ActName::Register => register(),
        ActName::Report => report(),
        ActName::Review => Act::Review { goes_on: true, note: Phi::new(String::new()) },
        ActName::Revoke => Act::Revoke { reason: Phi::new("Moves away.".to_owned()) },
    };
    let stages = || {
        let drafted = Paper::drafted(terms(), "2026-01-10").unwrap();
        let mut signed = Paper::drafted(terms(), "2026-01-10").unwrap();
        signed.act(&pcp(), Act::Sign).unwrap();
        let mut over = Paper::active();
        over.today = day("2027-02-01");
        let mut ended = Paper::active();
        ended.act(&patient(), consent(ConsentAnswer::Withdrawn, false)).unwrap();
        [drafted, signed, Paper::active(), over, ended]
    };
    for (stage, _) in stages().iter().enumerate() {
        for by in [pcp(), pharmacist(), actor(32, Role::Pharmacist)] {
            for name in ActName::ALL {
                let mut paper = stages().into_iter().nth(stage).unwrap();
                let offered = paper.offers(&by).contains(&name);
                let done = paper.act(&by, of(name));
                let for_its_moment =
                    matches!(done, Err(Refusal::NotNow | Refusal::Over | Refusal::NotYours));
                // A paper consent is the staff's way: the screen's is refused for its method.
                assert_eq!(offered, !for_its_moment, "{stage} {by:?} {name:?}: {done:?}");
            }
        }
    }
}
