//! One narrative text: a Yjs document with a single root text, and the gate an update passes before it counts.
//!
//! The only file that names yrs. Its traps: offsets count UTF-16 code units as Yjs does, not bytes; the constructors
//! without a guid draw random numbers; a bad update cannot be rolled back, so a text is rebuilt from what it was.

use std::collections::BTreeSet;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};

use yrs::branch::{Branch, BranchPtr};
use yrs::types::text::YChange;
use yrs::updates::decoder::Decode as _;
use yrs::{
    ClientID, Doc, GetString as _, Map as _, MapRef, OffsetKind, Options, Out, ReadTxn as _,
    StateVector, Text as _, TextRef, Transact as _, Update, WriteTxn as _,
};

use crate::bytes::Base64;
use crate::change::Merged;
use crate::edit::EditError;
use crate::limits::{TEXT_STATE, TEXT_UPDATE};

/// The root text of every field.
const ROOT: &str = "t";

/// Under which client id an import writes. Each field is a document of its own, so one id serves all of them; the ids
/// given to browsers are 53 random bits.
const IMPORT_CLIENT: u64 = 1;

/// Updates kept beside the loaded state until they are folded into it: more makes a refusal slower (all are applied
/// again), fewer encodes the state more often.
const UPDATES_KEPT: usize = 256;

/// The state or the log of a text does not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the state of a text is damaged")]
pub(crate) struct Damaged;

/// A narrative text.
pub(crate) struct Text {
    /// State it was loaded with, as one update; empty for a new text.
    base: Vec<u8>,
    /// Updates since.
    since: Vec<Vec<u8>>,
    /// Opened when it is first needed: most texts of a record are only read.
    live: Option<Live>,
    /// `seq` of its last change.
    pub(crate) rev: u64,
    /// Set while a merge waits to be read.
    pub(crate) merged: Option<Merged>,
}

struct Live {
    doc: Doc,
    text: TextRef,
}

/// What an update that passed the gate did.
pub(crate) struct Passed {
    /// The text before it.
    pub(crate) before: String,
    /// The text with it.
    pub(crate) after: String,
}

impl Text {
    pub(crate) const fn new() -> Self {
        Self { base: Vec::new(), since: Vec::new(), live: None, rev: 0, merged: None }
    }

    pub(crate) fn load(state: &Base64, rev: u64, merged: Option<Merged>) -> Result<Self, Damaged> {
        let mut text = Self { base: state.0.clone(), since: Vec::new(), live: None, rev, merged };
        text.live()?;
        text.live = None;
        Ok(text)
    }

    /// The whole state as one update, v1 encoding.
    pub(crate) fn state(&self) -> Base64 {
        if self.since.is_empty() {
            return Base64(self.base.clone());
        }
        let encoded = match &self.live {
            Some(live) => live.encode(),
            None => Live::build(&self.base, &self.since)
                .map_or_else(|Damaged| self.base.clone(), |live| live.encode()),
        };
        Base64(encoded)
    }

    /// The text itself.
    pub(crate) fn string(&self) -> String {
        match &self.live {
            Some(live) => live.string(),
            None => Live::build(&self.base, &self.since)
                .map_or_else(|_damaged| String::new(), |live| live.string()),
        }
    }

    /// Checks an update and applies it. On `Err` the text is as it was.
    pub(crate) fn admit(
        &mut self,
        update: &[u8],
        clients: &BTreeSet<u64>,
        limit: usize,
    ) -> Result<Passed, EditError> {
        if update.len() > TEXT_UPDATE {
            return Err(EditError::TooBig);
        }
        let decoded = decode(update).map_err(|Damaged| EditError::TextBad)?;
        if decoded.insertions(true).client_ids().any(|id| !clients.contains(&id.get())) {
            return Err(EditError::TextForeignClient);
        }
        let known = self.base.len() + self.since.iter().map(Vec::len).sum::<usize>();
        let live = self.live().map_err(|Damaged| EditError::TextBad)?;
        let before = live.string();
        let outcome = live.apply_checked(decoded, limit).and_then(|after| {
            // The state is never longer than all that went into it, so most edits need not encode it.
            if known + update.len() > TEXT_STATE && live.encode().len() > TEXT_STATE {
                return Err(EditError::TooBig);
            }
            Ok(Passed { before, after })
        });
        if outcome.is_err() {
            self.live = None;
        }
        outcome
    }

    /// Applies an update that was accepted, now or ten years ago. One that is in already changes nothing.
    pub(crate) fn fold(&mut self, update: &[u8], seq: u64) -> Result<(), Damaged> {
        let decoded = decode(update)?;
        let live = self.live()?;
        if live.apply(decoded).is_err() {
            self.live = None;
            return Err(Damaged);
        }
        self.since.push(update.to_vec());
        if self.since.len() >= UPDATES_KEPT {
            let state = self.state().0;
            self.base = state;
            self.since.clear();
        }
        self.rev = seq;
        Ok(())
    }

    fn live(&mut self) -> Result<&Live, Damaged> {
        let live = match self.live.take() {
            Some(live) => live,
            None => Live::build(&self.base, &self.since)?,
        };
        Ok(self.live.insert(live))
    }
}

impl Live {
    fn build(base: &[u8], since: &[Vec<u8>]) -> Result<Self, Damaged> {
        let doc = document(0);
        let text = doc.get_or_insert_text(ROOT);
        let live = Self { doc, text };
        let states = if base.is_empty() { None } else { Some(base) };
        for update in states.into_iter().chain(since.iter().map(Vec::as_slice)) {
            live.apply(decode(update)?)?;
        }
        Ok(live)
    }

    fn string(&self) -> String {
        self.text.get_string(&self.doc.transact())
    }

    fn encode(&self) -> Vec<u8> {
        self.doc.transact().encode_state_as_update_v1(&StateVector::default())
    }

    /// Applies an update. After `Err` this document must not be used again.
    fn apply(&self, update: Update) -> Result<(), Damaged> {
        catch_unwind(AssertUnwindSafe(|| {
            // A transaction commits when it is dropped; committed while a panic unwinds, it could panic again and
            // end the process. So it is dropped only on the good way, and leaks with its document on the other.
            let mut txn = ManuallyDrop::new(self.doc.transact_mut());
            let applied = txn.apply_update(update);
            drop(ManuallyDrop::into_inner(txn));
            applied.map_err(|_error| Damaged)
        }))
        .unwrap_or(Err(Damaged))
    }

    /// Applies an update and looks at what it made: nothing before it may be missing, and only plain text may stand.
    fn apply_checked(&self, update: Update, limit: usize) -> Result<String, EditError> {
        let lower = update.state_vector_lower();
        let state = self.doc.transact().state_vector();
        if lower.iter().any(|(client, clock)| *clock > state.get(client)) {
            return Err(EditError::TextGap);
        }
        self.apply(update).map_err(|Damaged| EditError::TextBad)?;
        let txn = self.doc.transact();
        if txn.has_missing_updates() {
            return Err(EditError::TextGap);
        }
        let string = self.text.get_string(&txn);
        let units = string.encode_utf16().count();
        // Each of these four sees what the others do not: a second root; formatting and embeds; map entries and
        // subdocuments; array items.
        let branch: &Branch = self.text.as_ref();
        let plain = txn.root_refs().all(|(name, _)| name == ROOT)
            && self.text.diff(&txn, YChange::identity).iter().all(|piece| {
                piece.attributes.is_none() && matches!(piece.insert, Out::Any(yrs::Any::String(_)))
            })
            && MapRef::from(BranchPtr::from(branch)).len(&txn) == 0
            && usize::try_from(self.text.len(&txn)) == Ok(units);
        if !plain {
            return Err(EditError::TextNotPlain);
        }
        // The editor stops at the limit; two people typing at once may pass it.
        if units > limit.saturating_mul(2) {
            return Err(EditError::TooLong);
        }
        Ok(string)
    }
}

fn document(client: u64) -> Doc {
    let mut options = Options::with_guid_and_client_id("mortar".into(), ClientID::new(client));
    options.offset_kind = OffsetKind::Utf16;
    Doc::with_options(options)
}

/// Decodes an update. yrs fixed panics on bad input as late as 0.27 (y-crdt#639, #647), hence the net.
fn decode(update: &[u8]) -> Result<Update, Damaged> {
    catch_unwind(|| Update::decode_v1(update).map_err(|_error| Damaged)).unwrap_or(Err(Damaged))
}

/// The update that writes a text into an empty field: for imports.
pub(crate) fn written(text: &str) -> Base64 {
    let doc = document(IMPORT_CLIENT);
    let mut txn = doc.transact_mut();
    let root = txn.get_or_insert_text(ROOT);
    root.insert(&mut txn, 0, text);
    Base64(txn.encode_update_v1())
}

/// The numbers of a text in order: maximal runs of digits with `.`, `,` and `/` inside. "10." at the end of a
/// sentence is the number "10".
pub(crate) fn numbers(text: &str) -> Vec<&str> {
    const JOINTS: [char; 3] = ['.', ',', '/'];
    text.split(|c: char| !c.is_numeric() && !JOINTS.contains(&c))
        .map(|run| run.trim_matches(JOINTS))
        .filter(|run| !run.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_runs_of_digits_with_their_joints() {
        assert_eq!(numbers("take 1/2 of 2.5 mg, not 10."), ["1/2", "2.5", "10"]);
        assert_eq!(numbers("BP 132/84, 1,000 units"), ["132/84", "1,000"]);
        assert!(numbers("no number, none.").is_empty());
    }
}
