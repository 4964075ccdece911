//! What somebody may do in a record, by their role and by what the patient wishes.

use clinical::access;
use clinical::actor::Role;
use clinical::doc::Doc;
use clinical::field::DocKind;
use clinical::id::PersonId;
use signaling::role::Hand;

use super::Loaded;

/// What somebody may do in a record that was read outside its session: what the patient wants holds here too.
pub(crate) fn hand(docs: &[Loaded], role: Role, person: PersonId) -> Hand {
    let voice = docs.iter().find(|held| held.doc.kind() == DocKind::Voice);
    hand_by(voice.filter(|held| held.poison.is_none()).map(|held| &held.doc), role, person)
}

/// The same by the patient's part; `None`: it does not read to its end, and nobody knows whom they shut out.
pub(crate) fn hand_by(voice: Option<&Doc>, role: Role, person: PersonId) -> Hand {
    match voice {
        Some(voice) => Hand::of(role, person, &access::wishes(voice)),
        None => Hand::without_wishes(role),
    }
}
