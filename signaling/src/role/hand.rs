//! A seat's hand in one record: the table, narrowed by what the patient wants.

use clinical::access::{AccessLevel, AccessWish, Subject};
use clinical::actor::Role;
use clinical::edit::Op;
use clinical::field::{DocKind, FieldName, ListName};
use clinical::id::{PersonId, RowId};
use clinical::view::View;

use super::{
    MINIMUM, Shared, commands, may_command, may_edit, may_read_agreements, view, writable,
    writable_lists,
};
use crate::message::CommandName;

/// Whether a wish would shut out whom the plan cannot do without. `role_of` tells what is known of a person.
pub fn shuts_out_minimum(
    wish: &AccessWish,
    role_of: impl FnOnce(PersonId) -> Option<Role>,
) -> bool {
    let role = match wish.subject {
        Subject::Person { person, name: _ } => role_of(person),
        Subject::Role { role } => Some(role),
    };
    wish.level != AccessLevel::AsRole && role.is_some_and(|role| MINIMUM.holds(role))
}

/// A seat's hand in one record: its role, narrowed by what the patient wants of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hand {
    role: Role,
    level: AccessLevel,
}

impl Hand {
    /// What a person of a role may do under these wishes. Wishes of the person go before those of the role; of several
    /// the narrowest holds. Whoever speaks for the patient listens until the patient wants more of them.
    pub fn of(role: Role, person: PersonId, wishes: &[AccessWish]) -> Self {
        let level = |of: &dyn Fn(&Subject) -> bool| {
            wishes.iter().filter(|wish| of(&wish.subject)).map(|wish| wish.level).min()
        };
        let wished = level(
            &|subject| matches!(subject, Subject::Person { person: whom, .. } if *whom == person),
        )
        .or_else(|| {
            level(&|subject| matches!(subject, Subject::Role { role: whose } if *whose == role))
        });
        let level = match role {
            Role::Patient | Role::Pharmacist | Role::Pcp => AccessLevel::AsRole,
            Role::Caregiver => match wished {
                None => AccessLevel::Listen,
                // "May see it", and no more: to write for the patient is a wish of its own.
                Some(AccessLevel::AsRole) => AccessLevel::Listen,
                Some(level) => level,
            },
            // A wish that is narrower than "nothing" is meant for who speaks for the patient.
            Role::Interpreter
            | Role::Nurse
            | Role::Chw
            | Role::Specialist
            | Role::Facilitator
            | Role::Learner
            | Role::Observer => match wished {
                Some(AccessLevel::None) => AccessLevel::None,
                None
                | Some(
                    AccessLevel::Listen
                    | AccessLevel::EditVoice
                    | AccessLevel::Legal
                    | AccessLevel::AsRole,
                ) => AccessLevel::AsRole,
            },
        };
        Self { role, level }
    }

    /// Whose row of the table holds for what is written: who acts for the patient by law writes as the patient.
    const fn writes_as(self) -> Option<Role> {
        match self.level {
            AccessLevel::None | AccessLevel::Listen => None,
            AccessLevel::EditVoice | AccessLevel::AsRole => Some(self.role),
            AccessLevel::Legal => Some(Role::Patient),
        }
    }

    /// What a role may do where the wishes do not read: nobody but whom no wish could shut out.
    pub fn without_wishes(role: Role) -> Self {
        let level = match role {
            Role::Patient | Role::Pharmacist | Role::Pcp => AccessLevel::AsRole,
            Role::Caregiver
            | Role::Interpreter
            | Role::Nurse
            | Role::Chw
            | Role::Specialist
            | Role::Facilitator
            | Role::Learner
            | Role::Observer => AccessLevel::None,
        };
        Self { role, level }
    }

    /// Whether the patient wants them to see nothing.
    pub const fn is_shut_out(self) -> bool {
        matches!(self.level, AccessLevel::None)
    }

    /// Whether of the patient's wishes about people they read those about themselves alone: what the patient says of
    /// others, and why, is not for who merely sits beside them. Who acts for the patient by law reads as the patient.
    pub const fn reads_own_wishes_only(self) -> bool {
        matches!(self.role, Role::Caregiver) && !matches!(self.level, AccessLevel::Legal)
    }

    /// Whether they read the collaborative agreements of the patient: [`may_read_agreements`]. Who acts for the patient
    /// by law does, as the patient.
    pub fn may_read_agreements(self) -> bool {
        self.writes_as().is_some_and(may_read_agreements)
    }

    /// Through which eyes a document is read: [`view`].
    pub const fn view(self, doc: DocKind, shared: Shared) -> Option<View> {
        if self.is_shut_out() { None } else { view(self.role, doc, shared) }
    }

    /// Whether this edit may be made: [`may_edit`].
    pub fn may_edit(
        self,
        doc: DocKind,
        op: &Op,
        list_of: impl Fn(RowId) -> Option<ListName>,
    ) -> bool {
        self.writes_as().is_some_and(|role| may_edit(role, doc, op, list_of))
    }

    /// The fields that may be written, for a screen: [`writable`].
    pub fn writable(self, doc: DocKind) -> Vec<FieldName> {
        self.writes_as().map_or_else(Vec::new, |role| writable(role, doc))
    }

    /// The lists that rows may be added to, for a screen: [`writable_lists`].
    pub fn writable_lists(self, doc: DocKind) -> Vec<ListName> {
        self.writes_as().map_or_else(Vec::new, |role| writable_lists(role, doc))
    }

    /// The commands that may be given, for a screen: [`commands`].
    pub fn commands(self, doc: DocKind) -> Vec<CommandName> {
        self.writes_as().map_or_else(Vec::new, |role| commands(role, doc))
    }

    /// Whether this command may be given: [`may_command`].
    pub fn may_command(self, command: CommandName) -> bool {
        self.writes_as().is_some_and(|role| may_command(role, command))
    }
}
