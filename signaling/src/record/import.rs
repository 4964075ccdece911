//! What somebody accepts of a chart from elsewhere: ordinary edits of theirs, compared anew with the record as it
//! stands now. Two people with the same file, and people who edit meanwhile, meet here in order.

use std::collections::BTreeSet;

use clinical::actor::{Actor, Millis};
use clinical::allergy::AllergyStatement;
use clinical::doc::{Doc, Take};
use clinical::fhir::Chart;
use clinical::field::{Address, DocKind, FieldName};
use clinical::id::{ConnectionId, DocId, EditId, RowId};
use clinical::merge::{Comparison, Difference, Known, Origin, Told, compare};
use clinical::phi::Phi;
use uuid::Uuid;

use super::effect::Effect;
use super::queue::Origin as From;
use super::refusal::refusal_of;
use super::{RecordSession, UNSETTLED};
use crate::message::{PersonName, RecordRefusal};
use crate::role;

/// One difference that is on its way into the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its key.
    pub key: String,
    /// The edits it became: it stands once all of them are stored.
    pub edits: Vec<(DocId, EditId)>,
    /// What it leaves behind for the next import.
    pub origin: Option<Origin>,
    /// The same of the statement about allergies.
    pub statement: Option<AllergyStatement>,
}

/// What became of the differences somebody accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChartTaken {
    /// On their way.
    pub accepted: Vec<Accepted>,
    /// Not taken, and why: `changed_since` is no longer what was shown.
    pub refused: Vec<(String, RecordRefusal)>,
    /// What the chart says that stood in the record already.
    pub agreed: Vec<Origin>,
    /// The same of the statement about allergies.
    pub statement: Option<AllergyStatement>,
}

impl RecordSession {
    /// Takes what somebody accepted of a chart, from a page that has nothing of the record open. The connection is told
    /// of each edit when it is stored, and nothing more; it is to be closed afterwards. `fresh` makes identifiers.
    ///
    /// # Errors
    /// Nothing of it can be taken now, or by this role.
    #[expect(
        clippy::too_many_arguments,
        reason = "a chart, what is accepted of it, by whom and when"
    )]
    pub fn take_chart(
        &mut self,
        now: Millis,
        connection: ConnectionId,
        actor: Actor,
        name: Phi<String>,
        chart: &Chart,
        known: &Known,
        accept: &BTreeSet<String>,
        fresh: &mut dyn FnMut() -> Uuid,
    ) -> Result<(Vec<Effect>, ChartTaken), RecordRefusal> {
        if !role::may_import(actor.role) {
            return Err(RecordRefusal::NotAllowed);
        }
        if let Some(failure) = self.sheets.iter().find_map(|sheet| sheet.failed) {
            return Err(refusal_of(failure));
        }
        let docs: Vec<&Doc> = self.docs().collect();
        if docs.iter().any(|doc| doc.kind() == DocKind::Plan && doc.sealed()) {
            return Err(RecordRefusal::Sealed);
        }
        let Comparison { differences, same: _, agreed, statement } = compare(chart, &docs, known);
        let (person, role) = (actor.person, actor.role);
        self.people.insert(person, PersonName { person, name, role });
        self.outside.insert(connection);
        let mut effects = Vec::new();
        let mut taken = ChartTaken { agreed, statement, ..ChartTaken::default() };
        let mut open: BTreeSet<&str> = accept.iter().map(String::as_str).collect();
        for difference in differences {
            if !open.remove(difference.key.as_str()) {
                continue;
            }
            let who = Who { now, connection, actor };
            match self.accept(who, chart, &difference, fresh, &mut effects) {
                Ok(accepted) => taken.accepted.push(accepted),
                Err(code) => taken.refused.push((difference.key, code)),
            }
        }
        let gone = open.into_iter().map(|key| (key.to_owned(), RecordRefusal::ChangedSince));
        taken.refused.extend(gone);
        Ok((effects, taken))
    }

    /// Takes one difference.
    fn accept(
        &mut self,
        who: Who,
        chart: &Chart,
        difference: &Difference,
        fresh: &mut dyn FnMut() -> Uuid,
        effects: &mut Vec<Effect>,
    ) -> Result<Accepted, RecordRefusal> {
        let role = who.actor.role;
        let kind = difference.list.map_or(DocKind::Plan, clinical::field::ListName::doc);
        let index = self.sheets.iter().position(|sheet| sheet.doc.kind() == kind);
        let index = index.ok_or(RecordRefusal::NotOpen)?;
        let sheet = self.sheets.get_mut(index).ok_or(RecordRefusal::NotOpen)?;
        let read = difference.source.as_ref().and_then(|source| {
            chart.rows.iter().find(|row| Some(row.list) == difference.list && row.source == *source)
        });
        let (takes, origin, statement) = match &difference.told {
            Told::Kept { .. } | Told::Removed | Told::Absent => {
                return Err(RecordRefusal::NotAllowed);
            }
            Told::New { values, texts, like: _, no_dosage: _ } => {
                let list = difference.list.ok_or(RecordRefusal::UnknownAddress)?;
                let mut fields = values.keys().chain(texts.keys());
                if !role::may_edit_rows(role, list)
                    || !fields.all(|field| role::may_accept(role, *field))
                {
                    return Err(RecordRefusal::NotAllowed);
                }
                let row = RowId(fresh());
                let mut takes = vec![Take::Row { list, row, values: values.clone() }];
                takes.extend(texts.iter().map(|(field, words)| {
                    let at = Address { row: Some(row), field: *field };
                    Take::Text { at, words: words.clone() }
                }));
                (takes, read.map(|read| Origin::of(row, read)), None)
            }
            Told::Changed { field, record: _, chart: value, choice } => {
                if !role::may_accept(role, *field) {
                    return Err(RecordRefusal::NotAllowed);
                }
                let at = Address { row: difference.row, field: *field };
                let over = (!choice).then(|| sheet.doc.register(&at).rev());
                let origin = difference.row.zip(read).map(|(row, read)| {
                    let mut origin = Origin::of(row, read);
                    origin.values.retain(|one, _| one == field);
                    origin
                });
                let statement =
                    (*field == FieldName::AllergyStatement).then_some(chart.allergy_statement);
                (vec![Take::Field { at, value: value.clone(), over }], origin, statement)
            }
        };
        if sheet.unsettled() + takes.len() > UNSETTLED {
            return Err(RecordRefusal::Busy);
        }
        let doc = sheet.doc.id();
        let mut edits = Vec::with_capacity(takes.len());
        for take in takes {
            let Who { now, connection, actor } = who;
            let id = EditId(fresh());
            let change = sheet.doc.take(now, &actor, id, &take)?;
            sheet.push(change.clone(), From { connection, actor, call: None, edit: None });
            let change = Box::new(change);
            effects.push(Effect::Store { doc, change, audit: None, version: None });
            edits.push((doc, id));
        }
        Ok(Accepted { key: difference.key.clone(), edits, origin, statement })
    }
}

/// Who accepts, from where, when.
#[derive(Clone, Copy)]
struct Who {
    now: Millis,
    connection: ConnectionId,
    actor: Actor,
}
