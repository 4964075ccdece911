//! Codes: FHIR `CodeableConcept`.

use crate::fhir::node::{Node, clean};
use crate::value::Code;

pub(super) const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
pub(super) const LOINC: &str = "http://loinc.org";
pub(super) const SNOMED: &str = "http://snomed.info/sct";
pub(super) const CVX: &str = "http://hl7.org/fhir/sid/cvx";

/// A coded concept, read.
#[derive(Clone, Debug, Default)]
pub(super) struct Concept {
    text: Option<String>,
    codings: Vec<(Code, Option<String>)>,
}

impl Concept {
    /// Reads the member `name` of `node`.
    pub(super) fn read(node: &Node<'_>, name: &str) -> Option<Self> {
        node.object(name).map(|concept| Self::of(&concept))
    }

    /// Reads a list of concepts.
    pub(super) fn list(node: &Node<'_>, name: &str) -> Vec<Self> {
        node.list(name).iter().map(Self::of).collect()
    }

    pub(super) fn of(concept: &Node<'_>) -> Self {
        let codings = concept
            .list("coding")
            .iter()
            .filter_map(|coding| {
                let code = coding.string("code").map(clean).unwrap_or_default();
                let display = coding.text("display");
                let system = coding.string("system").map(clean).unwrap_or_default();
                // Codes are short; a long one is a text in the wrong place.
                let fits = code.len() <= 100 && system.len() <= 200;
                (fits && (!code.is_empty() || display.is_some()))
                    .then_some((Code { system, code }, display))
            })
            .collect();
        Self { text: concept.text("text"), codings }
    }

    /// What a person reads: its text, else the first display.
    pub(super) fn label(&self) -> Option<String> {
        self.text.clone().or_else(|| self.codings.iter().find_map(|(_, display)| display.clone()))
    }

    /// The code in one system.
    pub(super) fn code_in(&self, system: &str) -> Option<&Code> {
        self.codings
            .iter()
            .map(|(code, _)| code)
            .find(|code| code.system == system && !code.code.is_empty())
    }

    /// The code of one system, else any.
    pub(super) fn code(&self, system: &str) -> Option<Code> {
        self.code_in(system)
            .or_else(|| {
                self.codings
                    .iter()
                    .map(|(code, _)| code)
                    .find(|code| !code.code.is_empty() && !code.system.is_empty())
            })
            .cloned()
    }

    /// Whether one of its codings is this code, in whatever system: for status codes.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        self.codings.iter().map(|(code, _)| code.code.as_str()).filter(|code| !code.is_empty())
    }

    /// Every word a person or a machine wrote in it, in lower case.
    pub(super) fn words(&self) -> impl Iterator<Item = String> {
        let texts = self.text.iter().map(|text| text.to_lowercase());
        texts.chain(self.codings.iter().flat_map(|(code, display)| {
            [Some(code.code.to_lowercase()), display.as_ref().map(|text| text.to_lowercase())]
                .into_iter()
                .flatten()
        }))
    }
}
