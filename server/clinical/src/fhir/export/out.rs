//! JSON to be written: members in the order they were put, numbers in the digits of their source, nothing empty.
//!
//! FHIR has no empty string, list or object (R4 §2.6.2.2), so what is empty is left out where it would be put. The
//! twin of [`crate::fhir::json`], which reads.

use std::fmt;

use crate::fhir::json::write_text;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Out {
    /// Left out.
    Nothing,
    Bool(bool),
    /// As written.
    Number(String),
    Text(String),
    List(Vec<Self>),
    Map(Obj),
}

impl Out {
    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Bool(_) | Self::Number(_) => false,
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Map(Obj(members)) => members.is_empty(),
        }
    }

    /// A number that FHIR's `decimal` allows, in its own digits.
    pub(super) fn decimal(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = match bare.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (bare, None),
        };
        let digits = |part: &str| {
            (1..=18).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let fits = digits(whole)
            && (whole == "0" || !whole.starts_with('0'))
            && fraction.is_none_or(digits);
        fits.then(|| Self::Number(text.to_owned()))
    }
}

/// An object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Obj(Vec<(&'static str, Out)>);

impl Obj {
    /// An empty one.
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// A resource of a type.
    pub(super) fn resource(kind: &'static str) -> Self {
        Self::new().with("resourceType", kind)
    }

    /// With one more member, unless it is empty.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Out>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            self.0.push((name, value));
        }
        self
    }

    /// The members.
    pub(super) fn members(&self) -> &[(&'static str, Out)] {
        &self.0
    }
}

/// A text as FHIR's `string` and XML 1.0 both allow it: without control characters, and not of white space alone.
fn writable(text: &str) -> String {
    let kept: String = text
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}'))
        .collect();
    if kept.trim().is_empty() { String::new() } else { kept }
}

impl From<&str> for Out {
    fn from(text: &str) -> Self {
        Self::Text(writable(text))
    }
}

impl From<String> for Out {
    fn from(text: String) -> Self {
        Self::Text(writable(&text))
    }
}

impl From<bool> for Out {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<u16> for Out {
    fn from(number: u16) -> Self {
        Self::Number(number.to_string())
    }
}

impl From<Obj> for Out {
    fn from(object: Obj) -> Self {
        Self::Map(object)
    }
}

impl<T: Into<Self>> From<Option<T>> for Out {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Out {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).filter(|item| !item.is_empty()).collect())
    }
}

impl<T: Into<Self>, const N: usize> From<[T; N]> for Out {
    fn from(items: [T; N]) -> Self {
        Self::from(Vec::from(items))
    }
}

impl fmt::Display for Out {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Number(digits) => f.write_str(digits),
            Self::Text(text) => {
                let mut out = String::with_capacity(text.len() + 2);
                write_text(text, &mut out);
                f.write_str(&out)
            }
            Self::List(items) => {
                f.write_str("[")?;
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        f.write_str(",")?;
                    }
                    item.fmt(f)?;
                }
                f.write_str("]")
            }
            Self::Map(object) => object.fmt(f),
        }
    }
}

impl fmt::Display for Obj {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (place, (name, value)) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(",")?;
            }
            write!(f, "\"{name}\":{value}")?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_empty_is_not_written() {
        let object = Obj::new()
            .with("a", "")
            .with("b", " \n")
            .with("c", Obj::new())
            .with("d", [Obj::new(), Obj::new().with("e", Option::<&str>::None)])
            .with("f", false);

        assert_eq!(object.to_string(), r#"{"f":false}"#);
    }

    #[test]
    fn a_number_keeps_its_digits_or_is_none() {
        for good in ["7.10", "137.39980562052983", "0", "-0.5", "100"] {
            assert_eq!(Out::decimal(good), Some(Out::Number(good.to_owned())));
        }
        for bad in ["", "<5", "05", "1.", ".5", "1e3", "132/84", "٥", "NaN"] {
            assert_eq!(Out::decimal(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_text_reads_back_as_it_was() {
        let text = "5 mg \"each\" \\ day\nñ 😀\u{2028}";
        let read: String = serde_json::from_str(&Out::from(text).to_string()).unwrap();

        assert_eq!(read, text);
        assert_eq!(Out::from("a\u{0}b\u{1b}\u{fffe}c"), Out::Text("abc".to_owned()));
    }
}
