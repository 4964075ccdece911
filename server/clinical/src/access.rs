//! What the patient wants of somebody: who may see their plan, and how far whoever speaks for them may go. Whom a wish
//! binds, and whom it cannot shut out, stands in `signaling::role`, never here.

use serde::{Deserialize, Serialize};

use crate::actor::Role;
use crate::doc::Doc;
use crate::field::{Address, DocKind, FieldName, ListName, Presence};
use crate::id::{PersonId, RowId};
use crate::register::Register;
use crate::value::{Check, Value, ValueError, short};

/// One wish. It holds from the moment it is stored until its row is taken out or says something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct AccessWish {
    /// Of whom.
    pub subject: Subject,
    /// How far they may go.
    pub level: AccessLevel,
    /// Why, in the patient's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub reason: String,
}

impl Check for AccessWish {
    fn check(&self) -> Result<(), ValueError> {
        if let Subject::Person { person: _, name } = &self.subject {
            short("name", name, 1, 100)?;
        }
        short("reason", &self.reason, 0, 300)
    }
}

/// Of whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "AccessSubject"))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Subject {
    /// Of one person.
    Person {
        /// Who.
        person: PersonId,
        /// As they were called then.
        name: String,
    },
    /// Of everybody of a role. What is wished of a person goes before it.
    Role {
        /// Which.
        role: Role,
    },
}

/// How far somebody may go. In order: of two wishes the narrower one holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum AccessLevel {
    /// They see nothing of the plan.
    None,
    /// They may join visits and read the patient's page.
    Listen,
    /// They write the patient's own part too.
    EditVoice,
    /// They act for the patient, by law.
    Legal,
    /// What their role allows.
    AsRole,
}

/// Every wish that stands in the patient's part of the record. A row in doubt counts, and of two values of one wish both
/// do: the narrower one holds until somebody decides.
pub fn wishes(voice: &Doc) -> Vec<AccessWish> {
    debug_assert_eq!(voice.kind(), DocKind::Voice);
    voice
        .rows(ListName::Access)
        .iter()
        .filter(|row| !is_gone(voice, **row))
        .flat_map(|row| {
            let at = Address { row: Some(*row), field: FieldName::AccessContent };
            values(voice.register(&at))
        })
        .collect()
}

/// Whether a wish is about one person and nobody else: of values in doubt, every one.
pub fn is_only_of(voice: &Doc, row: RowId, person: PersonId) -> bool {
    let at = Address { row: Some(row), field: FieldName::AccessContent };
    let said = values(voice.register(&at));
    !said.is_empty()
        && said.iter().all(|wish| match &wish.subject {
            Subject::Person { person: whom, name: _ } => *whom == person,
            Subject::Role { role: _ } => false,
        })
}

fn is_gone(voice: &Doc, row: RowId) -> bool {
    let at = Address { row: Some(row), field: FieldName::Presence };
    let presence = voice.register(&at).value().and_then(Value::read::<Presence>);
    matches!(presence, Some(Presence::Removed { .. }))
}

fn values(register: &Register) -> Vec<AccessWish> {
    match register {
        Register::Empty => Vec::new(),
        Register::Value { value, .. } => value.iter().filter_map(Value::read).collect(),
        Register::Conflict { candidates, .. } => candidates
            .iter()
            .filter_map(|candidate| candidate.value.as_ref().and_then(Value::read))
            .collect(),
    }
}
