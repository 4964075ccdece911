//! CDS Hooks 2.0, the client's side without a network: which services there are, what one is asked, what it answers.
//!
//! The plug for content this product does not have, interactions above all. A service is another party's: its answer is
//! read with bounds, shown as its words under its name, and never written into the record by itself. Who lays a card aside
//! writes why, and the line it was about ([`crate::safety::CardAside`]).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use uuid::Uuid;

/// The hook that is called: a clinician looks at a patient (CDS Hooks library, `patient-view` 1.0).
pub const HOOK: &str = "patient-view";

/// Services that are asked. More would only make everybody wait.
pub const SERVICES: usize = 4;

/// Queries of one service that are answered: a resource is copied for each.
pub const PREFETCH: usize = 16;

/// Cards of one answer that are shown. The specification asks services for few.
pub const CARDS: usize = 20;

/// A summary has fewer than 140 characters (CDS Hooks 2.0, "Card Attributes").
const SUMMARY: usize = 140;
const DETAIL: usize = 4_000;
const LABEL: usize = 100;
const LINKS: usize = 5;
const URL: usize = 500;

/// A service that answers [`HOOK`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Names its address: `{base}/cds-services/{id}`.
    pub id: String,
    /// As people know it.
    pub title: String,
    /// What it wants to be told, by its own keys: FHIR queries with `{{context.patientId}}`.
    pub prefetch: BTreeMap<String, String>,
}

/// So many of something as are used, and how many more there were: what is left out is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstOf<T> {
    /// Those.
    pub first: Vec<T>,
    /// How many more.
    pub left_out: usize,
}

impl<T> FirstOf<T> {
    fn new(mut all: Vec<T>, most: usize) -> Self {
        let left_out = all.len().saturating_sub(most);
        all.truncate(most);
        Self { first: all, left_out }
    }
}

/// Why an answer is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CdsError {
    /// Not JSON, or not of this shape.
    #[error("it is not what CDS Hooks 2.0 describes")]
    Shape,
}

/// The services of a discovery answer (`GET {base}/cds-services`) that answer [`HOOK`], at most [`SERVICES`].
///
/// # Errors
/// It is no discovery answer. A single service that makes no sense is left out.
pub fn services(bytes: &[u8]) -> Result<FirstOf<Service>, CdsError> {
    #[derive(Deserialize)]
    struct Discovery {
        services: Vec<Json>,
    }
    #[derive(Deserialize)]
    struct Told {
        hook: String,
        id: String,
        #[serde(default)]
        title: String,
        #[serde(default)]
        prefetch: BTreeMap<String, String>,
    }
    let Discovery { services } = serde_json::from_slice(bytes).map_err(|_wrong| CdsError::Shape)?;
    let told = services.into_iter().filter_map(|one| Told::deserialize(one).ok());
    let services = told
        .filter(|one| one.hook == HOOK && is_path_segment(&one.id))
        .map(|Told { hook: _, id, title, prefetch }| {
            let title = plain(&title, LABEL);
            let title = if title.is_empty() { plain(&id, LABEL) } else { title };
            Service { id, title, prefetch: prefetch.into_iter().take(PREFETCH).collect() }
        })
        .collect();
    Ok(FirstOf::new(services, SERVICES))
}

/// An id stands in an address: nothing in it may lead elsewhere (RFC 3986 §2.3).
fn is_path_segment(id: &str) -> bool {
    (1..=100).contains(&id.len())
        && !id.bytes().all(|byte| byte == b'.')
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// What a service is sent. `bundle` is the whole record as FHIR R4, of which it gets what its prefetch templates name
/// and we have; a query that is not understood is left out, which the specification allows.
pub fn request(
    service: &Service,
    bundle: &Json,
    instance: Uuid,
    practitioner: &str,
    patient: &str,
) -> Json {
    let prefetch: serde_json::Map<String, Json> = service
        .prefetch
        .iter()
        .filter_map(|(key, query)| Some((key.clone(), prefetched(query, bundle)?)))
        .collect();
    json!({
        "hook": HOOK,
        "hookInstance": instance,
        "context": { "userId": format!("Practitioner/{practitioner}"), "patientId": patient },
        "prefetch": prefetch,
    })
}

/// The answer to one prefetch query: `Patient/{{context.patientId}}` is the patient, `Type?…` a searchset of what the
/// record holds of that type.
fn prefetched(query: &str, bundle: &Json) -> Option<Json> {
    let resources = || {
        let entries = bundle.get("entry").and_then(Json::as_array).into_iter().flatten();
        entries.filter_map(|entry| entry.get("resource"))
    };
    let of = |kind: &str, resource: &Json| {
        resource.get("resourceType").and_then(Json::as_str) == Some(kind)
    };
    if let Some(("Patient", rest)) = query.split_once('/') {
        return (rest == "{{context.patientId}}")
            .then(|| resources().find(|resource| of("Patient", resource)).cloned())?;
    }
    let (kind, _parameters) = query.split_once('?')?;
    matches!(
        kind,
        "MedicationStatement"
            | "AllergyIntolerance"
            | "Condition"
            | "Observation"
            | "Immunization"
            | "Goal"
    )
    .then(|| {
        let entry: Vec<Json> = resources()
            .filter(|resource| of(kind, resource))
            .map(|resource| json!({ "resource": resource, "search": { "mode": "match" } }))
            .collect();
        json!({ "resourceType": "Bundle", "type": "searchset", "total": entry.len(), "entry": entry })
    })
}

/// One card, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct CdsCard {
    /// How urgent, by the service.
    pub indicator: CdsIndicator,
    /// In a line.
    pub summary: String,
    /// In more words; Markdown is shown as it is written. May be empty.
    pub detail: String,
    /// Where the content comes from.
    pub source: String,
    /// Pages that say more, `https` alone.
    pub links: Vec<CdsLink>,
}

/// How urgent a card is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(rename_all = "snake_case")]
pub enum CdsIndicator {
    /// Critical.
    Critical,
    /// Warning.
    Warning,
    /// Information.
    Info,
}

/// A page that says more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
pub struct CdsLink {
    /// What it is called.
    pub label: String,
    /// Where it is.
    pub url: String,
}

/// The cards of an answer, the most urgent first, at most [`CARDS`]. Suggestions and app links are left out: nothing is
/// written into the record that nobody typed, and no other program is opened with a patient's context.
///
/// # Errors
/// It is no answer. A single card that makes no sense is an error too: half of what a service warns of, shown as if it
/// were all, would be worse than none.
pub fn cards(bytes: &[u8]) -> Result<FirstOf<CdsCard>, CdsError> {
    #[derive(Deserialize)]
    struct Answer {
        cards: Vec<Told>,
    }
    #[derive(Deserialize)]
    struct Told {
        summary: String,
        #[serde(default)]
        detail: String,
        indicator: CdsIndicator,
        source: Source,
        #[serde(default)]
        links: Vec<Link>,
    }
    #[derive(Deserialize)]
    struct Source {
        label: String,
    }
    #[derive(Deserialize)]
    struct Link {
        label: String,
        url: String,
        #[serde(rename = "type")]
        kind: String,
    }
    let Answer { cards } = serde_json::from_slice(bytes).map_err(|_wrong| CdsError::Shape)?;
    let mut cards: Vec<CdsCard> = cards
        .into_iter()
        .map(|Told { summary, detail, indicator, source, links }| CdsCard {
            indicator,
            summary: plain(&summary, SUMMARY),
            detail: plain(&detail, DETAIL),
            source: plain(&source.label, LABEL),
            links: links
                .into_iter()
                .filter(|link| link.kind == "absolute" && is_page(&link.url))
                .map(|link| CdsLink { label: plain(&link.label, LABEL), url: link.url })
                .take(LINKS)
                .collect(),
        })
        .collect();
    cards.sort_by_key(|card| card.indicator);
    Ok(FirstOf::new(cards, CARDS))
}

fn is_page(url: &str) -> bool {
    url.len() <= URL
        && url.starts_with("https://")
        && url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
}

/// Words without what moves them about on a screen: control characters other than a new line, and marks that turn the
/// direction of what follows.
fn plain(words: &str, most: usize) -> String {
    let shown = words.chars().filter(|c| {
        (*c == '\n' || !c.is_control())
            && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    let mut kept: String = shown.clone().take(most).collect();
    if shown.count() > most {
        kept.push('…');
    }
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_that_answer_our_hook_are_found_and_nothing_else_is_asked() {
        let discovery = json!({ "services": [
            { "hook": "patient-view", "id": "interactions", "title": "Interactions",
              "prefetch": { "meds": "MedicationStatement?patient={{context.patientId}}" } },
            { "hook": "order-sign", "id": "orders" },
            { "hook": "patient-view", "id": "../admin" },
            { "hook": "patient-view", "id": ".." },
            { "hook": "patient-view" },
            "nonsense",
            { "hook": "patient-view", "id": "unnamed" },
        ]});

        let found = services(discovery.to_string().as_bytes()).unwrap();

        let named: Vec<_> =
            found.first.iter().map(|one| (one.id.as_str(), one.title.as_str())).collect();
        assert_eq!(named, [("interactions", "Interactions"), ("unnamed", "unnamed")]);
        assert_eq!(services(b"<html>"), Err(CdsError::Shape));
    }

    #[test]
    fn a_service_is_told_what_it_asked_for_and_we_have() {
        let ask = |query: &str| ("key".to_owned(), query.to_owned());
        let bundle = json!({ "entry": [
            { "resource": { "resourceType": "Patient", "id": "p" } },
            { "resource": { "resourceType": "MedicationStatement", "id": "m" } },
            { "resource": { "resourceType": "Consent", "id": "c" } },
        ]});
        let asked = |query: &str| {
            let prefetch = [ask(query)].into_iter().collect();
            let service = Service { id: "s".into(), title: "S".into(), prefetch };
            request(&service, &bundle, Uuid::nil(), "rph", "p")
        };

        let meds = asked("MedicationStatement?patient={{context.patientId}}&status=active");
        assert_eq!(meds["hook"], "patient-view");
        assert_eq!(meds["context"]["patientId"], "p");
        assert_eq!(meds["prefetch"]["key"]["total"], 1);
        assert_eq!(meds["prefetch"]["key"]["entry"][0]["resource"]["id"], "m");
        assert_eq!(asked("Patient/{{context.patientId}}")["prefetch"]["key"]["id"], "p");
        assert_eq!(asked("Condition?patient=x")["prefetch"]["key"]["total"], 0);
        for other in ["Consent?patient=x", "Patient/another", "nonsense", ""] {
            assert_eq!(asked(other)["prefetch"], json!({}), "{other}");
        }
    }

    #[test]
    fn cards_are_shown_by_urgency_within_bounds_and_as_plain_words() {
        let answer = json!({ "cards": [
            { "summary": "Fine", "indicator": "info", "source": { "label": "A" } },
            { "summary": "simvastatin\u{202e} with\u{7} verapamil", "indicator": "critical",
              "detail": "x".repeat(9_000), "source": { "label": "B", "url": "javascript:1" },
              "suggestions": [{ "label": "delete all" }],
              "links": [
                { "label": "more", "url": "https://example.org/a?b=c", "type": "absolute" },
                { "label": "run", "url": "https://example.org/launch", "type": "smart" },
                { "label": "bad", "url": "javascript:alert(1)", "type": "absolute" },
                { "label": "plain", "url": "http://example.org", "type": "absolute" },
              ] },
        ]});

        let shown = cards(answer.to_string().as_bytes()).unwrap().first;

        assert_eq!(shown[0].summary, "simvastatin with verapamil");
        assert_eq!(shown[0].detail.chars().count(), DETAIL + 1);
        let url = "https://example.org/a?b=c".to_owned();
        assert_eq!(shown[0].links, [CdsLink { label: "more".into(), url }]);
        assert_eq!(shown[1].indicator, CdsIndicator::Info);
        assert!(cards(br#"{"cards": []}"#).unwrap().first.is_empty());
    }

    #[test]
    fn half_an_answer_is_none() {
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"cards": [{}]}"#,
            r#"{"cards": [{"summary": "a", "indicator": "hard-stop", "source": {"label": "x"}}]}"#,
        ] {
            assert_eq!(cards(wrong.as_bytes()), Err(CdsError::Shape), "{wrong}");
        }
        let many: Vec<_> = (0..500)
            .map(|n| json!({ "summary": n.to_string(), "indicator": "info", "source": { "label": "x" } }))
            .collect();
        let answer = json!({ "cards": many }).to_string();
        let shown = cards(answer.as_bytes()).unwrap();
        assert_eq!((shown.first.len(), shown.left_out), (CARDS, 500 - CARDS));
    }
}
