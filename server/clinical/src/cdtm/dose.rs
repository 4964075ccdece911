//! Doses that can be compared: exact, and only where their units say the same thing.

use std::cmp::Ordering;

use crate::format::unit_word;
use crate::value::Decimal;

/// An amount of something, exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Amount {
    /// Millionths of the unit.
    millionths: u128,
    unit: String,
}

/// Units of mass in micrograms. Nothing else is converted: "units" of insulin are not milligrams of it.
const MASSES: [(&str, u128); 3] = [("mcg", 1), ("mg", 1_000), ("g", 1_000_000)];

impl Amount {
    pub(super) fn of(value: &Decimal, unit: &str) -> Self {
        let lower = unit.trim().to_lowercase();
        let word = unit_word(&lower);
        let of_mass = MASSES.iter().find(|(name, _)| *name == word);
        let (unit, factor) = of_mass.map_or((word, 1), |(_, factor)| ("mcg", *factor));
        Self { millionths: millionths(value).saturating_mul(factor), unit: unit.to_owned() }
    }

    pub(super) fn of_zero(unit: &str) -> Self {
        Self { millionths: 0, ..Self::of(&Decimal::zero(), unit) }
    }

    /// So many times as much.
    pub(super) fn times(&self, times: u64) -> Self {
        let millionths = self.millionths.saturating_mul(u128::from(times));
        Self { millionths, unit: self.unit.clone() }
    }

    /// Times a decimal, rounded up to a millionth of a millionth: never less than it is.
    pub(super) fn times_decimal(&self, times: &Decimal) -> Self {
        let product = self.millionths.saturating_mul(millionths(times));
        Self { millionths: product.div_ceil(1_000_000), unit: self.unit.clone() }
    }

    pub(super) fn same_unit(&self, other: &Self) -> bool {
        self.unit == other.unit
    }
}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.same_unit(other).then(|| self.millionths.cmp(&other.millionths))
    }
}

/// A decimal has at most nine digits and six places.
fn millionths(value: &Decimal) -> u128 {
    let text = value.as_str();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let number = |digits: &str| digits.parse::<u128>().unwrap_or(0);
    let places = format!("{fraction:0<6}");
    number(whole).saturating_mul(1_000_000).saturating_add(number(&places))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amount(value: &str, unit: &str) -> Amount {
        Amount::of(&Decimal::parse(value).unwrap(), unit)
    }

    #[test]
    fn masses_compare_exactly_and_other_units_only_with_themselves() {
        assert_eq!(amount("0.1", "mg"), amount("100", "mcg"));
        assert_eq!(amount("1", "g"), amount("1000", "mg"));
        assert!(amount("0.3", "mg") > amount("0.299999", "mg"));
        assert_eq!(amount("1", "tablet").partial_cmp(&amount("1", "mg")), None);
        assert_eq!(amount("10", "units").partial_cmp(&amount("10", "mg")), None);
        assert_eq!(amount("2", "Tablets"), amount("2", "tablet"));
        assert_eq!(amount("0.1", "mg").times(3), amount("0.3", "mg"));
        assert_eq!(
            amount("0.1", "mg").times_decimal(&Decimal::parse("2.5").unwrap()),
            amount("0.25", "mg")
        );
    }

    proptest! {
        #[test]
        fn amounts_order_like_their_numbers(a in 0_u32..1_000_000_000, b in 0_u32..1_000_000_000) {
            let [x, y] = [a, b].map(|n| amount(&n.to_string(), "mg"));
            prop_assert_eq!(x.partial_cmp(&y), Some(a.cmp(&b)));
        }
    }
}
