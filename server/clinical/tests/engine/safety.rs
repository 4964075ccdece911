//! The safety prompts: what they point at, what they must not, and how they are laid aside.

use clinical::actor::{Millis, Role};
use clinical::doc::Doc;
use clinical::field::{Address, DocKind, FieldName, ListName};
use clinical::safety::{Agreement, PROMPTS, Prompt, PromptCode, prompts};
use serde_json::{Value as Json, json};

use crate::common::*;

fn look(bench: &Bench) -> Vec<Prompt> {
    prompts(&bench.doc, None, Agreement::None, Millis(bench.now))
}

fn of(bench: &Bench, code: PromptCode) -> Vec<Prompt> {
    look(bench).into_iter().filter(|prompt| prompt.code == code).collect()
}

fn med(bench: &mut Bench, n: u128, product: Json) {
    let values = [
        (FieldName::MedsProduct, product),
        (FieldName::MedsIndication, json!("said")),
        (FieldName::MedsStatus, json!({ "state": "active" })),
    ];
    bench.apply(&pharmacist(), add(ListName::Meds, row(n), &values)).unwrap();
}

fn named(name: &str) -> Json {
    json!({ "name": name })
}

fn status(bench: &mut Bench, n: u128, status: Json) {
    let at = at(row(n), FieldName::MedsStatus);
    let rev = bench.doc.register(&at).rev();
    bench.apply(&pharmacist(), set(at, rev, status)).unwrap();
}

#[test]
fn pairs_that_hold_the_same_ingredient_and_pairs_that_do_not() {
    for (one, other, same) in [
        ("metformin 500 mg", "Metformin ER 750 mg tablet", true),
        ("Lisinopril 10 MG Oral Tablet", "lisinopril 20 mg", true),
        ("aspirin 81 mg", "ASA EC", true),
        ("Lisinopril/HCTZ 10/12.5", "hydrochlorothiazide 25 mg", true),
        ("acetaminophen 500 mg", "Acetaminophen-Codeine 300-30 mg", true),
        ("Glucophage (metformin)", "metformin 500 mg", true),
        ("atorvastatin calcium 40 mg", "atorvastatin", true),
        ("metformin", "metoprolol", false),
        ("vitamin D", "vitamin B12", false),
        ("vitamin D 1000 units", "vitamin C 500 mg", false),
        ("metoprolol tartrate 25 mg", "metoprolol succinate ER 50 mg", true),
        ("potassium chloride 20 mEq", "penicillin V potassium 500 mg", false),
        ("calcium carbonate", "atorvastatin calcium", false),
        ("losartan potassium", "potassium chloride", false),
        ("insulin glargine", "insulin lispro", false),
        ("iron (morning)", "zinc (morning)", false),
        ("omega-3", "omeprazole", false),
        ("hydroxyzine", "hydralazine", false),
        ("Ginkgo", "Ginseng", false),
    ] {
        let mut bench = Bench::new(DocKind::Plan);
        med(&mut bench, 1, named(one));
        med(&mut bench, 2, named(other));

        let found = of(&bench, PromptCode::SameIngredient);

        assert_eq!(found.len(), usize::from(same), "{one} and {other}");
        if let Some(prompt) = found.first() {
            let rows: Vec<_> = prompt.at.iter().filter_map(|at| at.row).collect();
            assert_eq!(rows.len(), 2);
            assert!(rows.contains(&row(1)) && rows.contains(&row(2)));
        }
    }
}

#[test]
fn a_coded_ingredient_says_it_whatever_the_names_are() {
    let rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm";
    let warfarin = json!([{ "system": rxnorm, "code": "11289" }]);
    let mut bench = Bench::new(DocKind::Plan);
    med(&mut bench, 1, json!({ "name": "Coumadin", "ingredients": warfarin }));
    med(&mut bench, 2, json!({ "name": "Jantoven", "ingredients": warfarin }));

    assert_eq!(of(&bench, PromptCode::SameIngredient).len(), 1);
}

#[test]
fn a_paused_or_stopped_medicine_is_not_taken_twice() {
    for state in [json!({ "state": "on_hold" }), json!({ "state": "stopped", "reason": "" })] {
        let mut bench = Bench::new(DocKind::Plan);
        med(&mut bench, 1, named("metformin"));
        med(&mut bench, 2, named("metformin"));
        assert_eq!(of(&bench, PromptCode::SameIngredient).len(), 1);

        status(&mut bench, 2, state);

        assert_eq!(of(&bench, PromptCode::SameIngredient), []);
    }
}

#[test]
fn an_allergy_is_matched_by_whole_words_or_code() {
    for (substance, medicine, matches) in [
        ("penicillin", "Penicillin V Potassium 500 MG Oral Tablet", true),
        ("Penicillins", "penicillin V", true),
        ("codeine", "acetaminophen-codeine 300-30 mg", true),
        ("aspirin", "ASA 81 mg", true),
        ("penicillin", "metformin", false),
        ("vitamin", "vitamin D", false),
        ("met", "metformin", false),
        ("peanut", "penicillin", false),
        ("sulfamethoxazole", "sulfasalazine", false),
    ] {
        let mut bench = Bench::new(DocKind::Plan);
        med(&mut bench, 1, named(medicine));
        let allergy = [(FieldName::AllergiesContent, json!({ "substance": substance }))];
        bench.apply(&nurse(), add(ListName::Allergies, row(30), &allergy)).unwrap();

        let found = of(&bench, PromptCode::Allergy);

        assert_eq!(found.len(), usize::from(matches), "{substance} and {medicine}");
        if let Some(prompt) = found.first() {
            let expected =
                [at(row(1), FieldName::MedsProduct), at(row(30), FieldName::AllergiesContent)];
            assert_eq!(prompt.at, expected);
        }
    }
}

#[test]
fn a_medicine_that_two_people_name_differently_may_be_either() {
    let mut bench = Bench::new(DocKind::Plan);
    med(&mut bench, 1, named("metformin"));
    med(&mut bench, 2, named("lisinopril"));
    let allergy = [(FieldName::AllergiesContent, json!({ "substance": "penicillin" }))];
    bench.apply(&nurse(), add(ListName::Allergies, row(30), &allergy)).unwrap();
    let product = at(row(2), FieldName::MedsProduct);
    let rev = bench.doc.register(&product).rev();

    bench.apply(&nurse(), set(product, rev, named("Metformin ER"))).unwrap();
    bench.apply(&pharmacist(), set(product, rev, named("penicillin V"))).unwrap();

    assert!(bench.doc.register(&product).is_conflict());
    assert_eq!(of(&bench, PromptCode::SameIngredient).len(), 1);
    assert_eq!(of(&bench, PromptCode::Allergy).len(), 1);
}

#[test]
fn no_indication_is_asked_until_somebody_says_it() {
    let mut bench = Bench::new(DocKind::Plan);
    bench.medicine(1);
    let asked = of(&bench, PromptCode::NoIndication);
    assert_eq!(asked[0].at, [at(row(1), FieldName::MedsIndication)]);

    let indication = at(row(1), FieldName::MedsIndication);
    bench.apply(&nurse(), set(indication, 0, json!("blood pressure"))).unwrap();

    assert_eq!(of(&bench, PromptCode::NoIndication), []);
    let device = [(FieldName::MedsKind, json!("device"))];
    bench.apply(&nurse(), add(ListName::Meds, row(2), &device)).unwrap();
    assert_eq!(of(&bench, PromptCode::NoIndication), [], "nobody takes a glucose meter");
}

#[test]
fn a_stopped_medicine_that_is_still_taken() {
    let adherence = at(row(1), FieldName::MedsAdherence);
    let mut bench = Bench::new(DocKind::Plan);
    med(&mut bench, 1, named("verapamil"));
    bench.apply(&nurse(), set(adherence, 0, json!({ "taking": "as_prescribed" }))).unwrap();
    status(&mut bench, 1, json!({ "state": "stopped", "reason": "" }));
    assert_eq!(of(&bench, PromptCode::StoppedTaken), [], "said before it was stopped");

    let rev = bench.doc.register(&adherence).rev();
    bench.apply(&nurse(), set(adherence, rev, json!({ "taking": "differently" }))).unwrap();
    assert_eq!(of(&bench, PromptCode::StoppedTaken).len(), 1);
    let rev = bench.doc.register(&adherence).rev();
    bench.apply(&nurse(), set(adherence, rev, json!({ "taking": "not_taking" }))).unwrap();
    assert_eq!(of(&bench, PromptCode::StoppedTaken), []);

    let mut voice = Bench::new(DocKind::Voice);
    let as_taken = at(row(1), FieldName::MedsAsTaken);
    let patient = actor(9, Role::Patient);
    let told = |voice: &Doc| {
        let all = prompts(&bench.doc, Some(voice), Agreement::None, Millis(bench.now));
        all.iter().filter(|prompt| prompt.code == PromptCode::StoppedTaken).count()
    };
    voice.now = T0 - 1_000;
    voice.apply(&patient, set(as_taken, 0, json!("one each morning"))).unwrap();
    assert_eq!(told(&voice.doc), 0, "told before it was stopped");
    voice.now = bench.now + 1_000;
    voice.apply(&patient, set(as_taken, 1, json!("still one each morning"))).unwrap();
    assert_eq!(told(&voice.doc), 1);
}

#[test]
fn a_sig_that_two_people_wrote() {
    let mut bench = Bench::new(DocKind::Plan);
    let (place, rev) = bench.medicine(1);
    bench.apply(&pharmacist(), set(place, rev, sig("5 mg daily"))).unwrap();
    bench.apply(&nurse(), set(place, rev, sig("20 mg daily"))).unwrap();

    assert_eq!(of(&bench, PromptCode::SigInConflict)[0].at, [place]);
}

#[test]
fn a_dose_in_prose_leads_to_the_medicine_it_names() {
    let mut bench = Bench::new(DocKind::Plan);
    med(&mut bench, 1, named("Simvastatin 20 MG Oral Tablet"));
    let summary = whole(FieldName::OutlineSummary);
    let words = "Lower simvastatin to 10 mg at night.";
    bench.apply(&pharmacist(), typed(summary, 0, Pen::new(1).write(0, words))).unwrap();

    let found = of(&bench, PromptCode::ProseDose);

    assert_eq!(found.len(), 1);
    assert_eq!((found[0].at.as_slice(), found[0].med), ([summary].as_slice(), Some(row(1))));
}

#[test]
fn a_controlled_substance_is_pointed_at_only_under_an_agreement() {
    let mut bench = Bench::new(DocKind::Plan);
    med(&mut bench, 1, named("tramadol"));
    let controlled = at(row(1), FieldName::MedsControlled);
    bench.apply(&pharmacist(), set(controlled, 0, json!(true))).unwrap();
    let content = json!({ "action": "stop", "med": row(1), "summary": "Stop it." });
    let values = [(FieldName::RecommendationsContent, content)];
    bench.apply(&pharmacist(), add(ListName::Recommendations, row(7), &values)).unwrap();
    let count = |agreement| {
        let all = prompts(&bench.doc, None, agreement, Millis(bench.now));
        all.iter().filter(|p| p.code == PromptCode::ControlledUnderAgreement).count()
    };

    assert_eq!((count(Agreement::None), count(Agreement::Active)), (0, 1));
}

#[test]
fn a_prompt_laid_aside_comes_back_when_what_it_is_about_is_written_again() {
    let mut bench = Bench::new(DocKind::Plan);
    med(&mut bench, 1, named("metformin 500 mg"));
    med(&mut bench, 2, named("metformin ER 750 mg"));
    // Whoever lays it aside may name the two in any order.
    let mut about: Vec<Address> = of(&bench, PromptCode::SameIngredient)[0].at.clone();
    about.reverse();
    let reason = json!({ "code": "same_ingredient", "at": about, "reason": "Both, by design." });
    let values = [(FieldName::DismissalsContent, reason.clone())];
    bench.apply(&pharmacist(), add(ListName::Dismissals, row(60), &values)).unwrap();
    assert_eq!(of(&bench, PromptCode::SameIngredient)[0].dismissed, Some(row(60)));

    let product = at(row(2), FieldName::MedsProduct);
    let rev = bench.doc.register(&product).rev();
    bench.apply(&nurse(), set(product, rev, named("metformin 850 mg"))).unwrap();
    assert_eq!(of(&bench, PromptCode::SameIngredient)[0].dismissed, None);

    let values = [(FieldName::DismissalsContent, reason)];
    bench.apply(&pharmacist(), add(ListName::Dismissals, row(61), &values)).unwrap();
    assert_eq!(of(&bench, PromptCode::SameIngredient)[0].dismissed, Some(row(61)));
    let seen = bench.doc.seq();
    bench.apply(&pharmacist(), tombstone(row(61), seen, "not so")).unwrap();
    assert_eq!(of(&bench, PromptCode::SameIngredient)[0].dismissed, None);
}

#[test]
fn a_card_of_a_decision_support_is_laid_aside_beside_our_prompts_and_hides_none_of_them() {
    let mut bench = Bench::new(DocKind::Plan);
    for n in [1, 2] {
        bench.medicine(n);
        let product = at(row(n), FieldName::MedsProduct);
        bench.apply(&nurse(), set(product, 0, named("metformin"))).unwrap();
    }
    let aside = |n: u128, json: serde_json::Value| {
        add(ListName::Dismissals, row(n), &[(FieldName::DismissalsContent, json)])
    };
    let card =
        json!({ "service": "Interactions", "summary": "Check potassium", "reason": "Done." });
    bench.apply(&pharmacist(), aside(60, card.clone())).unwrap();

    assert_eq!(of(&bench, PromptCode::SameIngredient)[0].dismissed, None);
    let at = at(row(60), FieldName::DismissalsContent);
    let held = bench.doc.register(&at).value().unwrap().read::<serde_json::Value>();
    assert_eq!(held, Some(card));
    for wrong in [
        json!({ "service": "Interactions", "summary": "Check potassium", "reason": "" }),
        json!({ "service": "", "summary": "Check potassium", "reason": "Done." }),
        json!({ "service": "Interactions", "summary": "x".repeat(283), "reason": "Done." }),
        json!({ "service": "Interactions", "reason": "Done." }),
        json!({ "service": "I", "summary": "s", "reason": "Done.", "code": "no_indication" }),
    ] {
        assert!(bench.apply(&pharmacist(), aside(61, wrong.clone())).is_err(), "{wrong}");
    }
}

#[test]
fn a_chart_of_four_hundred_makes_a_bounded_list_and_each_group_once() {
    let mut bench = Bench::new(DocKind::Plan);
    for n in 0..400 {
        bench.medicine(n + 100);
        let product = at(row(n + 100), FieldName::MedsProduct);
        bench.apply(&nurse(), set(product, 0, named("metformin"))).unwrap();
    }

    assert_eq!(of(&bench, PromptCode::SameIngredient).len(), 1);
    assert_eq!(look(&bench).len(), PROMPTS);
}
