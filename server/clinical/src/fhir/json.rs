//! JSON with the text of every number kept.
//!
//! `serde_json` reads `7.0` and `7.00` alike, but FHIR says that the digits of a decimal are part of it, and its switch
//! for exact numbers would change every other crate of the program. So this one small reader: it borrows from the
//! input, refuses a name that stands twice in one object (which of two doses was meant?), and bounds depth and count.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Objects and lists inside each other. FHIR resources stay under 20; the limit keeps the stack small.
const DEPTH: usize = 64;

/// Values in one text. A file of the largest size has about a third of it; more is an attack on memory.
const VALUES: usize = 1_000_000;

/// A JSON value that borrows from its text.
#[derive(Debug, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// As written.
    Number(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    Map(BTreeMap<Cow<'a, str>, Self>),
}

impl Json<'_> {
    /// The value as one text: no white space, members by name. What a digest is taken of.
    pub(crate) fn canonical(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Self::Number(digits) => out.push_str(digits),
            Self::Text(text) => write_text(text, out),
            Self::List(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    item.canonical(out);
                }
                out.push(']');
            }
            Self::Map(members) => {
                out.push('{');
                for (place, (name, value)) in members.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    write_text(name, out);
                    out.push(':');
                    value.canonical(out);
                }
                out.push('}');
            }
        }
    }
}

/// A JSON string, RFC 8259 §7.
pub(crate) fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let code = format!("\\u{:04x}", u32::from(c));
                out.push_str(&code);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Where and why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Byte offset.
    pub at: usize,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Syntax,
    TwoNames,
    TooDeep,
    TooMany,
}

/// Reads one value; `values` counts down over all texts of a file. Returns where it ended.
pub(crate) fn parse<'a>(
    text: &'a str,
    start: usize,
    values: &mut usize,
) -> Result<(Json<'a>, usize), Broken> {
    let mut reader = Reader { text, at: start, values };
    reader.space();
    let value = reader.value(0)?;
    reader.space();
    Ok((value, reader.at))
}

/// How many values [`parse`] may read in one file.
pub(crate) const fn budget() -> usize {
    VALUES
}

/// Line and column of a byte offset, both from 1, the column in characters.
pub(crate) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before.get(start..).map_or(0, |rest| rest.chars().count()) + 1)
}

struct Reader<'a, 'v> {
    text: &'a str,
    at: usize,
    values: &'v mut usize,
}

impl<'a> Reader<'a, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn broken<T>(&self, why: Why) -> Result<T, Broken> {
        Err(Broken { at: self.at.min(self.text.len()), why })
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), Broken> {
        if self.eat(byte) { Ok(()) } else { self.broken(Why::Syntax) }
    }

    fn value(&mut self, depth: usize) -> Result<Json<'a>, Broken> {
        let Some(left) = self.values.checked_sub(1) else {
            return self.broken(Why::TooMany);
        };
        *self.values = left;
        match self.peek() {
            Some(b'{' | b'[') if depth >= DEPTH => self.broken(Why::TooDeep),
            Some(b'{') => self.map(depth + 1),
            Some(b'[') => self.list(depth + 1),
            Some(b'"') => self.string().map(Json::Text),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => self.number(),
            None => self.broken(Why::Syntax),
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, Broken> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            Ok(value)
        } else {
            self.broken(Why::Syntax)
        }
    }

    fn map(&mut self, depth: usize) -> Result<Json<'a>, Broken> {
        self.expect(b'{')?;
        let mut map = BTreeMap::new();
        self.space();
        if self.eat(b'}') {
            return Ok(Json::Map(map));
        }
        loop {
            self.space();
            let name_at = self.at;
            let name = self.string()?;
            self.space();
            self.expect(b':')?;
            self.space();
            let value = self.value(depth)?;
            if map.insert(name, value).is_some() {
                return Err(Broken { at: name_at, why: Why::TwoNames });
            }
            self.space();
            if self.eat(b'}') {
                return Ok(Json::Map(map));
            }
            self.expect(b',')?;
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json<'a>, Broken> {
        self.expect(b'[')?;
        let mut items = Vec::new();
        self.space();
        if self.eat(b']') {
            return Ok(Json::List(items));
        }
        loop {
            self.space();
            items.push(self.value(depth)?);
            self.space();
            if self.eat(b']') {
                return Ok(Json::List(items));
            }
            self.expect(b',')?;
        }
    }

    fn digits(&mut self) -> Result<(), Broken> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { self.broken(Why::Syntax) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Json<'a>, Broken> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _sign = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(Json::Number(self.text.get(start..self.at).unwrap_or_default()))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Broken> {
        self.expect(b'"')?;
        let start = self.at;
        let mut owned: Option<String> = None;
        let mut run = start;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let rest = self.text.get(run..self.at).unwrap_or_default();
                    self.at += 1;
                    return Ok(match owned {
                        None => Cow::Borrowed(rest),
                        Some(mut text) => {
                            text.push_str(rest);
                            Cow::Owned(text)
                        }
                    });
                }
                Some(b'\\') => {
                    let text = owned.get_or_insert_default();
                    text.push_str(self.text.get(run..self.at).unwrap_or_default());
                    self.at += 1;
                    let letter = self.escape()?;
                    owned.get_or_insert_default().push(letter);
                    run = self.at;
                }
                // A control character must be escaped.
                Some(0..=0x1f) | None => return self.broken(Why::Syntax),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<char, Broken> {
        let Some(byte) = self.peek() else { return self.broken(Why::Syntax) };
        self.at += 1;
        let letter = match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => {
                self.at -= 1;
                return self.broken(Why::Syntax);
            }
        };
        Ok(letter)
    }

    fn unicode(&mut self) -> Result<char, Broken> {
        let high = self.hex()?;
        let code = if (0xd800..0xdc00).contains(&high) {
            self.expect(b'\\')?;
            self.expect(b'u')?;
            let low = self.hex()?;
            if !(0xdc00..0xe000).contains(&low) {
                return self.broken(Why::Syntax);
            }
            0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)
        } else {
            high
        };
        // What is left here is a low half of a pair without its high half.
        char::from_u32(code).map_or_else(|| self.broken(Why::Syntax), Ok)
    }

    fn hex(&mut self) -> Result<u32, Broken> {
        let code = self
            .text
            .get(self.at..self.at + 4)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match code {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => self.broken(Why::Syntax),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(text: &str) -> Result<Json<'_>, Broken> {
        let mut values = budget();
        let (value, end) = parse(text, 0, &mut values)?;
        if end == text.len() { Ok(value) } else { Err(Broken { at: end, why: Why::Syntax }) }
    }

    fn same(ours: &Json<'_>, theirs: &serde_json::Value) -> bool {
        match (ours, theirs) {
            (Json::Null, serde_json::Value::Null) => true,
            (Json::Bool(a), serde_json::Value::Bool(b)) => a == b,
            (Json::Number(a), serde_json::Value::Number(b)) => {
                // serde_json reads the last digit of a float only nearly.
                let (a, b) = (a.parse::<f64>().unwrap(), b.as_f64().unwrap());
                (a - b).abs() <= b.abs() * 1e-15
            }
            (Json::Text(a), serde_json::Value::String(b)) => a == b,
            (Json::List(a), serde_json::Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (Json::Map(a), serde_json::Value::Object(b)) => {
                a.len() == b.len()
                    && a.iter().all(|(key, a)| b.get(key.as_ref()).is_some_and(|b| same(a, b)))
            }
            _ => false,
        }
    }

    #[test]
    fn the_digits_of_a_number_are_kept() {
        assert_eq!(
            whole("[7.00, 1e3]"),
            Ok(Json::List(vec![Json::Number("7.00"), Json::Number("1e3")]))
        );
    }

    #[test]
    fn a_name_that_stands_twice_is_refused() {
        let broken = whole("{\"dose\":1,\n \"dose\":2}").unwrap_err();

        assert_eq!(broken.why, Why::TwoNames);
        assert_eq!(line_and_column("{\"dose\":1,\n \"dose\":2}", broken.at), (2, 2));
    }

    #[test]
    fn depth_and_count_have_a_limit() {
        assert!(whole(&format!("{}{}", "[".repeat(64), "]".repeat(64))).is_ok());
        assert_eq!(whole(&"[".repeat(1_000_000)).unwrap_err().why, Why::TooDeep);
        let many = format!("[{}0]", "0,".repeat(VALUES));
        assert_eq!(whole(&many).unwrap_err().why, Why::TooMany);
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
            (-1e9_f64..1e9).prop_map(serde_json::Value::from),
            any::<String>().prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_serde_json_writes_reads_the_same(value in json(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            prop_assert!(same(&whole(&text).unwrap(), &value));
        }

        #[test]
        fn broken_text_is_refused_where_serde_json_refuses_it(
            value in json(),
            at in any::<prop::sample::Index>(),
            byte in prop::sample::select(&b"{}[]\",:\\ue0-+. \n\x01tfn"[..]),
        ) {
            let mut bytes = serde_json::to_vec(&value).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(text) = std::str::from_utf8(&bytes) {
                match (whole(text), serde_json::from_str::<serde_json::Value>(text)) {
                    (Ok(ours), Ok(theirs)) => prop_assert!(same(&ours, &theirs)),
                    (Err(_), Err(_)) => {}
                    // Ours alone refuses a name that stands twice; serde_json alone numbers beyond f64.
                    (Err(broken), Ok(_)) => prop_assert_eq!(broken.why, Why::TwoNames),
                    (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("out of range"), "{}", error),
                }
            }
        }
    }
}
