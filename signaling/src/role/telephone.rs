//! Who telephones, and who learns under which number.

use super::{Role, Roles};

/// How much of a telephone number somebody sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberView {
    /// All of it.
    Whole,
    /// Its last digits.
    Ending,
}

/// Whether a role says that a visit goes on by telephone, and calls the patient: it is the pharmacist's time that counts.
pub const fn may_telephone(role: Role) -> bool {
    Roles::of(&[Role::Pharmacist]).holds(role)
}

/// How a role sees the number under which the patient is called; `None`: not at all.
pub const fn telephone_number(role: Role) -> Option<NumberView> {
    if may_telephone(role) {
        Some(NumberView::Whole)
    } else if matches!(role, Role::Patient) {
        Some(NumberView::Ending)
    } else {
        None
    }
}
