//! Values in words for narratives and notes: what a person reads who has no use for our extensions.

use serde::Serialize;
use serde_json::Value as Json;
use uuid::Uuid;

/// Any value in words: codes with spaces, members with their names, references left out.
pub(super) fn value<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).map(|json| json_words(&json)).unwrap_or_default()
}

fn json_words(json: &Json) -> String {
    match json {
        Json::Null => String::new(),
        Json::Bool(true) => "yes".to_owned(),
        Json::Bool(false) => "no".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => code_words(text),
        Json::Array(items) => items
            .iter()
            .map(json_words)
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(", "),
        Json::Object(members) => members
            .iter()
            .map(|(name, value)| (name.replace('_', " "), json_words(value)))
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}: {value}"))
            .collect::<Vec<_>>()
            .join("; "),
    }
}

/// A code of ours as words; a person's text as it stands.
fn code_words(text: &str) -> String {
    if text == "n_a" {
        return "does not apply".to_owned();
    }
    if Uuid::parse_str(text).is_ok() {
        return String::new();
    }
    let code =
        text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit());
    if code { text.replace('_', " ") } else { text.to_owned() }
}

/// Text inside XHTML. Line breaks are kept as such.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("<br/>"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::medication::{Answer, Assessment};

    #[test]
    fn a_value_reads_as_words() {
        let assessment = Assessment { answer: Answer::NA, note: "no_kidney <data>".to_owned() };
        assert_eq!(value(&assessment), "answer: does not apply; note: no_kidney <data>");
        assert_eq!(value(&vec![Uuid::nil()]), "");
    }

    #[test]
    fn nothing_in_a_text_becomes_markup() {
        assert_eq!(escape("<b>&\"x\"\n</div>"), "&lt;b&gt;&amp;&quot;x&quot;<br/>&lt;/div&gt;");
    }
}
