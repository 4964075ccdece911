//! Random stories: refusals leave no trace, the fold is one, projections obey their law, documents survive storage.

use clinical::change::Change;
use clinical::doc::Doc;
use clinical::field::DocKind;
use clinical::view::{Snapshot, View};
use proptest::prelude::*;

use crate::world::{World, plain};

/// Folds a story into copies on the side and compares them with the document after every step.
fn check(words: &[u64]) {
    let mut world = World::new();
    let mut full = Snapshot::default();
    let mut patient = Snapshot::default();
    for word in words {
        let Some(change) = world.step(*word) else { continue };
        full.fold(&change).unwrap();
        assert_eq!(plain(&full), plain(&world.doc.snapshot(View::Full)), "the fold is not one");
        fold_projected(&world.doc, &change, &mut patient);
    }
    let stored = serde_json::to_string(&world.doc.stored()).unwrap();
    let doc = Doc::load(world.doc.id(), DocKind::Plan, serde_json::from_str(&stored).unwrap());
    let doc = doc.unwrap();
    assert_eq!(doc.snapshot(View::Full), world.doc.snapshot(View::Full));
    assert_eq!(serde_json::to_string(&doc.stored()).unwrap(), stored);
}

/// The law: folding the projected change into the projected document gives the projection of the folded document.
fn fold_projected(doc: &Doc, change: &Change, patient: &mut Snapshot) {
    if let Some(change) = doc.project_change(change, View::PatientSide) {
        patient.fold(&change).unwrap();
    }
    let expected = doc.snapshot(View::PatientSide);
    assert_eq!(plain(patient), plain(&expected), "the projection breaks its law at {change:?}");
}

// `PROPTEST_CASES` sets how many; the default is 256.
proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_story_keeps_every_promise(words in prop::collection::vec(any::<u64>(), 1..120)) {
        check(&words);
    }
}

#[test]
fn a_stored_document_goes_on_like_the_one_it_was() {
    let mut dice = crate::world::Dice(7);
    let mut world = World::new();
    for _ in 0..200 {
        world.step(dice.roll());
    }
    let stored = serde_json::to_string(&world.doc.stored()).unwrap();
    let before = world.log.len();
    for _ in 0..200 {
        world.step(dice.roll());
    }

    let mut again =
        Doc::load(world.doc.id(), DocKind::Plan, serde_json::from_str(&stored).unwrap()).unwrap();
    for change in &world.log[before..] {
        again.fold(change).unwrap();
    }

    assert_eq!(plain(&again.snapshot(View::Full)), plain(&world.doc.snapshot(View::Full)));
}
