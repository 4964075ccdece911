//! Signed versions of the plan: what exactly is signed, by whom, and what may happen afterwards.
//!
//! A version is a text of its own, canonical JSON (RFC 8785) of everything the plan says, readable without any of
//! this code. Its bytes are kept and never change. The plan is closed to edits from the signature on; a late fact is
//! added beside it, or a revision is opened, with a reason, and signed as the next version.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::actor::Millis;
use crate::gate::Credential;
use crate::id::PersonId;
use crate::phi::Phi;
use crate::value::{Check, ValueError, short};

/// What a signer agrees to. Kept in every version; screens show it in the signer's language.
pub const STATEMENT: &str =
    "I reviewed this medication action plan with what was known on this day, and I sign it.";

/// Addenda of a plan. More late facts than this are a revision.
const ADDENDA: usize = 50;

/// SHA-256 as 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct Sha256Hex(String);

impl Sha256Hex {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(bytes) {
            // Writing to a string cannot fail.
            let _written = write!(hex, "{byte:02x}");
        }
        Self(hex)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Check for Sha256Hex {
    fn check(&self) -> Result<(), ValueError> {
        short("sha256", &self.0, 64, 64)
    }
}

/// A signature: the newest stands in the field `signed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// Of which version, from 1.
    pub version: u32,
    /// Of its bytes.
    pub sha256: Sha256Hex,
}

impl Check for Signed {
    fn check(&self) -> Result<(), ValueError> {
        if self.version == 0 {
            return Err(ValueError::OutOfRange { path: "version" });
        }
        self.sha256.check()
    }
}

/// A signed plan was opened again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// Of which version.
    pub of: u32,
    /// Why.
    pub reason: String,
}

impl Check for Revision {
    fn check(&self) -> Result<(), ValueError> {
        short("reason", &self.reason, 1, 300)
    }
}

/// A late fact beside a signed version, which does not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Addendum {
    /// To which version.
    pub of: u32,
    /// What is added.
    pub text: String,
    /// Who adds it.
    pub by: PersonId,
    /// When.
    pub at_ms: Millis,
}

/// Every addendum, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(transparent)]
pub struct Addenda(pub Vec<Addendum>);

impl Check for Addenda {
    fn check(&self) -> Result<(), ValueError> {
        if self.0.len() > ADDENDA {
            return Err(ValueError::OutOfRange { path: "addenda" });
        }
        self.0.iter().try_for_each(|addendum| short("text", &addendum.text, 1, 2000))
    }
}

/// A version as it is stored for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedVersion {
    /// From 1.
    pub version: u32,
    /// Canonical JSON of a [`Content`], UTF-8.
    pub content: Phi<Vec<u8>>,
    /// Of the content.
    pub sha256: Sha256Hex,
    /// The change that signed it.
    pub seq: u64,
}

/// What a version says. Rows that were removed are not in it; their history is in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "VersionContent"))]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// 1; another if the meaning of this type changes.
    pub format: u32,
    /// The document.
    pub doc: crate::id::DocId,
    /// The version, from 1.
    pub version: u32,
    /// The version it takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub supersedes: Option<Superseded>,
    /// The change the signer had seen: the last one in it.
    pub seq: u64,
    /// Who signed.
    pub signer: Signer,
    /// Fields of the plan as a whole, by name.
    #[cfg_attr(feature = "typescript", ts(type = "{ [key in FieldName]?: unknown }"))]
    pub fields: Fields,
    /// Rows by the name of their list, in their order.
    #[cfg_attr(feature = "typescript", ts(type = "{ [key in ListName]?: VersionRow[] }"))]
    pub lists: std::collections::BTreeMap<String, Vec<Row>>,
}

/// Fields by name: registers as their JSON, texts as their words.
pub type Fields = std::collections::BTreeMap<String, serde_json::Value>;

/// A row of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts", rename = "VersionRow"))]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its id.
    pub row: crate::id::RowId,
    /// What it says.
    #[cfg_attr(feature = "typescript", ts(type = "{ [key in FieldName]?: unknown }"))]
    pub fields: Fields,
}

/// The version before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Superseded {
    /// Which.
    pub version: u32,
    /// Of its bytes.
    pub sha256: Sha256Hex,
    /// Why it was opened again.
    pub reason: String,
}

/// Who signs, and with which right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// Who.
    pub person: PersonId,
    /// As shown then.
    pub name: String,
    /// In force then.
    pub credentials: Vec<Credential>,
    /// What was agreed to by signing.
    pub statement: String,
    /// When, by the server's clock.
    pub at_ms: Millis,
    /// How they proved who they are. Absent from versions of the time when nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub confirmed: Option<Confirmation>,
}

/// How a signer proved who they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
#[serde(tag = "method", rename_all = "snake_case", deny_unknown_fields)]
pub enum Confirmation {
    /// By the link of their seat alone.
    Link,
    /// By a passkey, for this document as it was seen: their device asked for a finger, a face or a PIN.
    Passkey {
        /// SHA-256 of the passkey's credential id (WebAuthn).
        passkey: Sha256Hex,
        /// When, by the server's clock: at most five minutes before the signature.
        at_ms: Millis,
    },
}

impl Content {
    /// The bytes that are signed: RFC 8785. `None` if it cannot be written, which no plan that passed its own rules
    /// can cause.
    pub fn canonical(&self) -> Option<Vec<u8>> {
        serde_json_canonicalizer::to_vec(self).ok()
    }
}
