//! A place in a resource: looks elements up, says where it stands, and writes down what it finds wrong.

use std::cell::RefCell;

use unicode_normalization::UnicodeNormalization;

use super::chart::ResourceRef;
use super::issue::{Issue, IssueCode};
use super::json::{Json, write_text};
use crate::value::PartialDate;

/// Issues kept of one file. More than anybody reads; enough that a chart of 400 medicines without dosage is told whole.
pub const ISSUES: usize = 2_000;

/// Where issues are written down.
#[derive(Debug, Default)]
pub(crate) struct Log {
    issues: RefCell<Vec<Issue>>,
    left_out: RefCell<u32>,
}

impl Log {
    pub(crate) fn write(&self, resource: &ResourceRef, path: impl Into<String>, code: IssueCode) {
        let mut issues = self.issues.borrow_mut();
        if issues.len() < ISSUES {
            let severity = code.severity();
            issues.push(Issue { resource: resource.clone(), path: path.into(), code, severity });
        } else {
            let mut left_out = self.left_out.borrow_mut();
            *left_out = left_out.saturating_add(1);
        }
    }

    pub(crate) fn into_parts(self) -> (Vec<Issue>, u32) {
        (self.issues.into_inner(), self.left_out.into_inner())
    }
}

/// An element and its path.
#[derive(Clone)]
pub(crate) struct Node<'j> {
    json: &'j Json<'j>,
    path: String,
    source: &'j ResourceRef,
    log: &'j Log,
}

impl<'j> Node<'j> {
    pub(crate) const fn new(json: &'j Json<'j>, source: &'j ResourceRef, log: &'j Log) -> Self {
        Self { json, path: String::new(), source, log }
    }

    pub(crate) const fn source(&self) -> &'j ResourceRef {
        self.source
    }

    fn step(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Remarks on this element.
    pub(crate) fn remark(&self, code: IssueCode) {
        self.log.write(self.source, self.path.clone(), code);
    }

    /// Remarks on an element inside, there or not.
    pub(crate) fn remark_at(&self, name: &str, code: IssueCode) {
        self.log.write(self.source, self.step(name), code);
    }

    /// Whether the element has a member of this name. Asks without remarking.
    pub(crate) fn has(&self, name: &str) -> bool {
        matches!(self.json, Json::Map(map) if map.contains_key(name))
    }

    /// The names of its members.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let map = if let Json::Map(map) = self.json { Some(map) } else { None };
        map.into_iter().flat_map(|map| map.keys().map(AsRef::as_ref))
    }

    fn raw(&self, name: &str) -> Option<&'j Json<'j>> {
        match self.json {
            Json::Map(map) => map.get(name),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) => None,
        }
    }

    fn inside(&self, json: &'j Json<'j>, path: String) -> Self {
        Self { json, path, source: self.source, log: self.log }
    }

    /// An object inside.
    pub(crate) fn object(&self, name: &str) -> Option<Self> {
        match self.raw(name)? {
            json @ Json::Map(_) => Some(self.inside(json, self.step(name))),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) => {
                self.remark_at(name, IssueCode::WrongShape);
                None
            }
        }
    }

    /// An object inside, without remarking.
    pub(crate) fn object_quiet(&self, name: &str) -> Option<Self> {
        if self.is_object(name) { self.object(name) } else { None }
    }

    /// The objects of a list inside. Items that are no objects are remarked and left out.
    pub(crate) fn list(&self, name: &str) -> Vec<Self> {
        match self.raw(name) {
            None => Vec::new(),
            Some(Json::List(items)) => items
                .iter()
                .enumerate()
                .filter_map(|(index, item)| {
                    let path = format!("{}[{index}]", self.step(name));
                    let node = self.inside(item, path);
                    if matches!(item, Json::Map(_)) {
                        Some(node)
                    } else {
                        node.remark(IssueCode::WrongShape);
                        None
                    }
                })
                .collect(),
            Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Map(_)) => {
                self.remark_at(name, IssueCode::WrongShape);
                Vec::new()
            }
        }
    }

    /// A string inside, as written.
    pub(crate) fn string(&self, name: &str) -> Option<&'j str> {
        match self.raw(name)? {
            Json::Text(text) => Some(text.as_ref()),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::List(_) | Json::Map(_) => {
                self.remark_at(name, IssueCode::WrongShape);
                None
            }
        }
    }

    /// A string inside for people to read, see [`clean`]; `None` if nothing is left of it.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.string(name).map(clean).filter(|text| !text.is_empty())
    }

    /// The contained resource of an id.
    pub(crate) fn contained(&self, id: &str) -> Option<Self> {
        let Some(Json::List(items)) = self.raw("contained") else { return None };
        items.iter().enumerate().find_map(|(index, item)| match item {
            Json::Map(map) if matches!(map.get("id"), Some(Json::Text(found)) if found == id) => {
                Some(self.inside(item, format!("{}[{index}]", self.step("contained"))))
            }
            Json::Null
            | Json::Bool(_)
            | Json::Number(_)
            | Json::Text(_)
            | Json::List(_)
            | Json::Map(_) => None,
        })
    }

    /// The strings of a list inside.
    pub(crate) fn strings(&self, name: &str) -> Vec<&'j str> {
        match self.raw(name) {
            None => Vec::new(),
            Some(Json::List(items)) => items
                .iter()
                .filter_map(|item| match item {
                    Json::Text(text) => Some(text.as_ref()),
                    Json::Null | Json::Bool(_) | Json::Number(_) | Json::List(_) | Json::Map(_) => {
                        self.remark_at(name, IssueCode::WrongShape);
                        None
                    }
                })
                .collect(),
            Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Map(_)) => {
                self.remark_at(name, IssueCode::WrongShape);
                Vec::new()
            }
        }
    }

    /// A number inside, in the digits of its source.
    pub(crate) fn number(&self, name: &str) -> Option<&'j str> {
        match self.raw(name)? {
            Json::Number(text) => Some(text),
            Json::Null | Json::Bool(_) | Json::Text(_) | Json::List(_) | Json::Map(_) => {
                self.remark_at(name, IssueCode::WrongShape);
                None
            }
        }
    }

    /// A truth value inside.
    pub(crate) fn truth(&self, name: &str) -> Option<bool> {
        match self.raw(name)? {
            Json::Bool(truth) => Some(*truth),
            Json::Null | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Map(_) => {
                self.remark_at(name, IssueCode::WrongShape);
                None
            }
        }
    }

    /// The day of a `date`, `dateTime` or `instant` inside.
    pub(crate) fn day(&self, name: &str) -> Option<PartialDate> {
        let text = self.string(name)?;
        let day = day_of(text);
        if day.is_none() {
            self.remark_at(name, IssueCode::BadDate);
        }
        day
    }

    /// The string of a JSON value that is one, without remarking.
    pub(crate) fn quiet_string(&self, name: &str) -> Option<&'j str> {
        match self.raw(name)? {
            Json::Text(text) => Some(text.as_ref()),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::List(_) | Json::Map(_) => None,
        }
    }

    /// The element as one text, without its id, meta and narrative, and without the extension `url`.
    pub(crate) fn canonical_without(&self, url: &str) -> String {
        let mut out = String::new();
        let Json::Map(members) = self.json else { return out };
        let is_own = |item: &Json<'_>| matches!(item, Json::Map(map) if matches!(map.get("url"), Some(Json::Text(found)) if found == url));
        let mut put = |name: &str, value: &str| {
            out.push(if out.is_empty() { '{' } else { ',' });
            write_text(name, &mut out);
            out.push(':');
            out.push_str(value);
        };
        for (name, value) in members {
            let mut text = String::new();
            match (name.as_ref(), value) {
                ("id" | "meta" | "text", _) => continue,
                ("extension", Json::List(items)) => {
                    let others = items.iter().filter(|item| !is_own(item)).map(|item| {
                        let mut text = String::new();
                        item.canonical(&mut text);
                        text
                    });
                    let others: Vec<String> = others.collect();
                    if others.is_empty() {
                        continue;
                    }
                    text = format!("[{}]", others.join(","));
                }
                (_, value) => value.canonical(&mut text),
            }
            put(name, &text);
        }
        out.push('}');
        out
    }

    /// SHA-256, in hex, of the whole resource in its canonical text.
    pub(crate) fn sha256(&self) -> String {
        let mut text = String::new();
        self.json.canonical(&mut text);
        super::export::row::digest(&text)
    }

    /// Whether a member is an object or a list, without remarking.
    pub(crate) fn is_object(&self, name: &str) -> bool {
        matches!(self.raw(name), Some(Json::Map(_)))
    }

    /// Whether a member is a list, without remarking.
    pub(crate) fn is_list(&self, name: &str) -> bool {
        matches!(self.raw(name), Some(Json::List(_)))
    }
}

/// The day of a FHIR `date`, `dateTime` or `instant`, as exact as it is.
pub(crate) fn day_of(text: &str) -> Option<PartialDate> {
    // FHIR has no year 0; what says so means "not known".
    if text.starts_with("0000") {
        return None;
    }
    match text.split_once('T') {
        None => PartialDate::parse(text),
        Some((day, time)) => {
            let shaped = time.len() >= 5
                && time.len() <= 24
                && time.bytes().all(|byte| {
                    byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'+' | b'-' | b'Z')
                });
            (shaped && day.len() == 10).then(|| PartialDate::parse(day))?
        }
    }
}

/// Text for people: NFC, one space where any white space was, without control characters and without the marks that
/// turn the direction of reading (they can make "10 mg" read "01 mg").
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for letter in text.nfc() {
        let turns = matches!(letter,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}');
        if letter.is_whitespace() {
            gap = true;
        } else if !letter.is_control() && !turns {
            if gap && !out.is_empty() {
                out.push(' ');
            }
            gap = false;
            out.push(letter);
        }
    }
    out
}

/// Cuts a text to a number of UTF-16 code units, with "…" at its end. Says whether it had to.
pub(crate) fn fit(text: String, limit: usize) -> (String, bool) {
    if text.encode_utf16().count() <= limit {
        return (text, false);
    }
    let mut out = String::new();
    let mut length = 1;
    for letter in text.chars() {
        length += letter.len_utf16();
        if length > limit {
            break;
        }
        out.push(letter);
    }
    out.truncate(out.trim_end().len());
    out.push('…');
    (out, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_for_people_has_no_hidden_marks() {
        assert_eq!(clean(" 10\t mg\n\u{202e}daily\u{0} "), "10 mg daily");
        assert_eq!(clean("Jose\u{301}"), "José");
    }

    #[test]
    fn a_text_is_cut_between_letters() {
        assert_eq!(fit("aé😀b".to_owned(), 5), ("aé😀b".to_owned(), false));
        assert_eq!(fit("aé😀bc".to_owned(), 5), ("aé😀…".to_owned(), true));
    }

    #[test]
    fn the_day_of_an_instant_is_read() {
        assert_eq!(day_of("2019-04-30T10:00:00.000+02:00"), PartialDate::parse("2019-04-30"));
        assert_eq!(day_of("2019-04"), PartialDate::parse("2019-04"));
        assert_eq!(day_of("2019-04T10:00"), None);
        assert_eq!(day_of("yesterday"), None);
        assert_eq!(day_of("0000-01-01"), None);
    }
}
