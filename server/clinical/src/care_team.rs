//! Values of a row in the care team: who looks after the patient, here and elsewhere.

use serde::{Deserialize, Serialize};

use crate::value::{Check, ValueError, short};

/// A person of the care team (FHIR `CareTeam.participant`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct CareTeamMember {
    /// "Dr. Amy Chen".
    pub name: String,
    /// "cardiologist", "daughter, sorts the pills".
    pub role: String,
    /// Where they can be called.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub phone: String,
    /// Where a one-page sheet reaches them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<String>"))]
    pub fax: String,
    /// National provider identifier, ten digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub npi: Option<Npi>,
}

impl Check for CareTeamMember {
    fn check(&self) -> Result<(), ValueError> {
        short("name", &self.name, 1, 100)?;
        short("role", &self.role, 0, 100)?;
        short("phone", &self.phone, 0, 40)?;
        short("fax", &self.fax, 0, 40)
    }
}

/// A national provider identifier: ten digits, the last a check digit over "80840" and the nine before it (45 CFR
/// 162.406; ISO/IEC 7812 Luhn formula).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct Npi(String);

impl Npi {
    /// Parses one; `None` if it has not ten digits or its check digit is wrong: a digit was mistyped.
    pub fn parse(text: &str) -> Option<Self> {
        let ten = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit());
        let sum: u32 = text
            .chars()
            .rev()
            .filter_map(|digit| digit.to_digit(10))
            .enumerate()
            .map(
                |(place, digit)| {
                    if place % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
                },
            )
            // What the five digits "80840" before it add.
            .fold(24, |sum, digit| sum + digit);
        (ten && sum.is_multiple_of(10)).then(|| Self(text.to_owned()))
    }

    /// The ten digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Npi {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an NPI"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1234567893 is the example of the check-digit calculation CMS publishes.
    #[test]
    fn a_mistyped_npi_is_found_by_its_check_digit() {
        assert!(Npi::parse("1234567893").is_some());
        for bad in ["1234567890", "1234576893", "123456789", "12345678930", "123456789X", ""] {
            assert!(Npi::parse(bad).is_none(), "{bad}");
        }
    }
}
