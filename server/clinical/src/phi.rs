//! Protected health information in the type system.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Protected health information: it serializes into an authorised reply or an encrypted column, and never prints.
///
/// There is no `Display` and no `Deref`; [`Phi::expose`] is the only way in, and the files that may call it are
/// listed in `tests/tests/boundaries.rs`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", bound = "T: ts_rs::TS", type = "T"))]
#[serde(transparent)]
pub struct Phi<T>(T);

impl<T> Phi<T> {
    /// Marks a value as protected.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Each call is a place to review.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The value itself, taken out.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Phi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phi(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protected_value_never_prints() {
        let name = Phi::new("Ada Canary");

        let printed = format!("{name:?} {:#?}", Some(&name));

        assert!(!printed.contains("Canary"), "{printed}");
    }
}
