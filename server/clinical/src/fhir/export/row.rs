//! What FHIR has no element for, and how to know on the way back in that nobody touched the rest.
//!
//! Every resource made of a row carries one extension, [`ROW`]:
//!
//! | inside | value | meaning |
//! |---|---|---|
//! | `list` | `valueCode` | the list the row stands in: "meds" |
//! | `digest` | `valueString` | SHA-256, in hex, of the resource as it was exported, without `id`, `meta`, `text` and this extension |
//! | `field` | inside: `name` (`valueCode`: "meds.verify") and `value` (`valueString`: the value in JSON) | a register |
//! | `words` | inside: `name` and `value` (`valueString`) | a narrative text |
//! | `candidate` | as `field` | one of several values of a register nobody has decided about; an absent `value` is "cleared" |
//!
//! A reader that knows these takes the row back exactly as it was, as long as the digest fits; of a resource that was
//! changed on its way, the standard elements speak.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::out::{Obj, Out};
use super::{Export, instant, say};
use crate::actor::{Author, Millis};
use crate::field::{FieldName, ListName};
use crate::id::RowId;
use crate::record::{Held, Row, Said, Words};

/// The extension of a row.
pub(crate) const ROW: &str = "urn:mortar:fhir:row";

/// Code systems of ours: "urn:mortar:fhir:mtp" for the categories of medication therapy problems.
pub(super) const MTP: &str = "urn:mortar:fhir:mtp";

/// Kinds of medicine: "rx", "otc" …
pub(crate) const KIND: &str = "urn:mortar:fhir:medication-kind";

/// The digest of a resource, of its parts in their canonical text.
pub(crate) fn digest(canonical: &str) -> String {
    Sha256::digest(canonical.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The fields of a row, gathered while its resource is made: for the extension, the narrative, the notes and who wrote
/// them.
pub(super) struct Fields<'e> {
    export: &'e Export<'e>,
    list: Option<ListName>,
    fields: Vec<Obj>,
    lines: Vec<(&'static str, String)>,
    open: Vec<String>,
    writers: Vec<Wrote>,
}

impl<'e> Fields<'e> {
    /// For a row of a list.
    pub(super) fn of<T>(export: &'e Export<'e>, list: ListName, row: &Row<T>) -> Self {
        let mut fields = Self::whole(export);
        fields.list = Some(list);
        if !row.contested.is_empty() {
            let said = row.contested.iter().map(|said| fields.quoted(said, say::value));
            let said = said.collect::<Vec<_>>().join(" or ");
            fields.open.push(format!("Not decided whether this stands in the list: {said}."));
        }
        fields
    }

    /// For fields of documents as a whole.
    pub(super) const fn whole(export: &'e Export<'e>) -> Self {
        Self {
            export,
            list: None,
            fields: Vec::new(),
            lines: Vec::new(),
            open: Vec::new(),
            writers: Vec::new(),
        }
    }

    /// A register, with its name for people.
    pub(super) fn register<T: Serialize>(
        &mut self,
        field: FieldName,
        label: &'static str,
        held: &Held<T>,
        say: impl Fn(&T) -> String,
    ) {
        match held {
            Held::Empty => {}
            Held::Value(said) => {
                let json = serde_json::to_string(&said.value).unwrap_or_default();
                self.fields.push(named("field", field, json));
                self.lines.push((label, say(&said.value)));
                self.wrote(field, said.by, said.at_ms);
            }
            // The patient's side gets no candidates.
            Held::Conflict(candidates) if candidates.is_empty() => {
                self.open.push(format!("{label}: not decided yet."));
            }
            Held::Conflict(candidates) => {
                for said in candidates {
                    let json = said.value.as_ref().map(serde_json::to_string);
                    let json = json.and_then(Result::ok).unwrap_or_default();
                    self.fields.push(named("candidate", field, json));
                    self.wrote(field, said.by, said.at_ms);
                }
                let said = candidates.iter().map(|said| self.quoted(said, &say));
                let said = said.collect::<Vec<_>>().join(" or ");
                self.open.push(format!("{label}: not decided. {said}."));
            }
        }
    }

    /// A register whose words need no care.
    pub(super) fn plain<T: Serialize>(
        &mut self,
        field: FieldName,
        label: &'static str,
        held: &Held<T>,
    ) {
        self.register(field, label, held, say::value);
    }

    /// A text.
    pub(super) fn words(&mut self, field: FieldName, label: &'static str, words: &Words) {
        if !words.text.is_empty() {
            self.fields.push(named("words", field, words.text.clone()));
            self.lines.push((label, words.text.clone()));
        }
    }

    fn wrote(&mut self, field: FieldName, by: Author, at: Millis) {
        match self.writers.iter_mut().find(|wrote| wrote.by == by) {
            Some(wrote) => {
                wrote.at_ms = wrote.at_ms.max(at);
                if !wrote.fields.contains(&field) {
                    wrote.fields.push(field);
                }
            }
            None => self.writers.push(Wrote { by, at_ms: at, fields: vec![field] }),
        }
    }

    /// “5 mg daily” (Ana Reyes, 2026-11-24)
    fn quoted<T>(&self, said: &Said<Option<T>>, say: impl Fn(&T) -> String) -> String {
        let value = said.value.as_ref().map_or_else(|| "nothing".to_owned(), say);
        let who = self.export.name_of(said.by);
        let day = crate::value::PartialDate::of(said.at_ms);
        format!("“{value}” ({who}, {})", day.as_str())
    }

    /// What nobody has decided, sentence by sentence.
    pub(super) fn open(&self) -> &[String] {
        &self.open
    }

    /// The same as FHIR `Annotation`s.
    pub(super) fn notes(&self) -> Vec<Obj> {
        self.open.iter().map(|text| Obj::new().with("text", text.as_str())).collect()
    }

    /// The narrative.
    pub(super) fn narrative(&self) -> Obj {
        let lines = self.lines.iter().filter(|(_, text)| !text.trim().is_empty());
        let lines = lines.map(|(label, text)| {
            format!("<p><b>{}</b>: {}</p>", say::escape(label), say::escape(text))
        });
        let open = self.open.iter().map(|text| format!("<p><i>{}</i></p>", say::escape(text)));
        let body: String = lines.chain(open).collect();
        div("extensions", if body.is_empty() { "<p>Nothing written yet.</p>" } else { &body })
    }

    /// The resource of a row: `standard` with its id, narrative and extension; and who wrote it.
    pub(super) fn resource(self, kind: &'static str, id: RowId, standard: Obj) -> Made {
        self.made(kind, id.0, standard)
    }

    /// The same with any id.
    pub(super) fn made(self, kind: &'static str, id: uuid::Uuid, standard: Obj) -> Made {
        let narrative = self.narrative();
        let mut meta = Obj::new();
        let mut rest = Obj::new();
        for (name, value) in standard.members() {
            if *name == "meta" {
                meta = meta.with("meta", value.clone());
            } else {
                rest = rest.with(name, value.clone());
            }
        }
        let mut body = Obj::new().with("resourceType", kind);
        for (name, value) in rest.members() {
            body = body.with(name, value.clone());
        }
        let list =
            self.list.map(|list| Obj::new().with("url", "list").with("valueCode", list.as_str()));
        let mut inside: Vec<Obj> = list.into_iter().collect();
        let digest = digest(&canonical(&Out::Map(body)));
        inside.push(Obj::new().with("url", "digest").with("valueString", digest));
        inside.extend(self.fields);
        let extension = Obj::new().with("url", ROW).with("extension", inside);
        let mut made = Obj::resource(kind).with("id", id.to_string());
        for (name, value) in meta.members() {
            made = made.with(name, value.clone());
        }
        made = made.with("text", narrative);
        let mut extended = false;
        for (name, value) in rest.members() {
            if let ("extension", Out::List(others)) = (*name, value) {
                let mut all = others.clone();
                all.push(Out::Map(extension.clone()));
                made = made.with("extension", Out::List(all));
                extended = true;
            } else {
                made = made.with(name, value.clone());
            }
        }
        if !extended {
            made = made.with("extension", [extension]);
        }
        Made { id, resource: made, writers: self.writers }
    }
}

/// What somebody wrote of a row, and when last.
pub(super) struct Wrote {
    pub(super) by: Author,
    pub(super) at_ms: Millis,
    pub(super) fields: Vec<FieldName>,
}

/// A resource, and who wrote what of it when.
pub(super) struct Made {
    pub(super) id: uuid::Uuid,
    pub(super) resource: Obj,
    pub(super) writers: Vec<Wrote>,
}

impl Made {
    /// A resource without a history.
    pub(super) const fn new(id: uuid::Uuid, resource: Obj) -> Self {
        Self { id, resource, writers: Vec::new() }
    }

    /// FHIR Provenance: one for each who wrote something that stands in it.
    pub(super) fn provenance(&self, export: &Export<'_>) -> Vec<Self> {
        let target = Obj::new().with("reference", format!("urn:uuid:{}", self.id));
        self.writers
            .iter()
            .map(|Wrote { by, at_ms, fields }| {
                let names: Vec<&str> = fields.iter().map(|field| field.as_str()).collect();
                let kind = match by {
                    Author::Import => ("assembler", "Assembler"),
                    Author::Seat(_) => ("author", "Author"),
                };
                let kind = coding(
                    "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
                    kind.0,
                    kind.1,
                );
                let agent = Obj::new().with("type", Obj::new().with("coding", [kind]));
                let who = export
                    .who(*by)
                    .unwrap_or_else(|| Obj::new().with("display", export.name_of(*by)));
                let id = export.id(&format!("provenance {} {}", self.id, author_key(*by)));
                let resource = Obj::resource("Provenance")
                    .with("id", id.to_string())
                    .with(
                        "text",
                        div("generated", &format!("<p>{}</p>", say::escape(&names.join(", ")))),
                    )
                    .with("target", [target.clone()])
                    .with("recorded", instant(*at_ms))
                    .with("agent", [agent.with("who", who)]);
                Self::new(id, resource)
            })
            .collect()
    }
}

fn author_key(by: Author) -> String {
    match by {
        Author::Import => "import".to_owned(),
        Author::Seat(actor) => format!("{}{}", actor.person, actor.seat),
    }
}

fn named(url: &'static str, field: FieldName, value: String) -> Obj {
    let name = Obj::new().with("url", "name").with("valueCode", field.as_str());
    let inside = if value.is_empty() {
        vec![name]
    } else {
        vec![name, Obj::new().with("url", "value").with("valueString", value)]
    };
    Obj::new().with("url", url).with("extension", inside)
}

/// A `Coding`.
pub(super) fn coding(system: &'static str, code: &str, display: &str) -> Obj {
    Obj::new().with("system", system).with("code", code).with("display", display)
}

/// A `Narrative`.
pub(super) fn div(status: &'static str, xhtml: &str) -> Obj {
    let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{xhtml}</div>");
    Obj::new().with("status", status).with("div", div)
}

/// The text a digest is taken of: members in the order of their names.
fn canonical(value: &Out) -> String {
    match value {
        Out::Nothing | Out::Bool(_) | Out::Number(_) | Out::Text(_) => value.to_string(),
        Out::List(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        Out::Map(object) => {
            let mut members: Vec<_> = object.members().iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members = members
                .iter()
                .map(|(name, value)| format!("\"{name}\":{}", canonical(value)))
                .collect::<Vec<_>>();
            format!("{{{}}}", members.join(","))
        }
    }
}
