//! A browser: what it was told, what was typed in it and has no answer yet, and what it does about each answer. After
//! `web-client/src/plan/record.ts`.

use std::collections::{BTreeMap, VecDeque};

use clinical::actor::Actor;
use clinical::change::{Change, What};
use clinical::command::Command;
use clinical::edit::{Base, Edit, EditError, Op};
use clinical::field::Address;
use clinical::id::{EditId, RowId};
use clinical::view::Snapshot;

use super::replica::{Replica, presence_of};
use crate::common::Pen;

/// On the way to the server.
#[derive(Clone, Debug)]
pub(super) enum Sent {
    /// `record.open`: everything up to here is known.
    Open { have: u64 },
    /// `record.edit`.
    Edit { edit: Edit, resend: bool },
    /// `record.command`.
    Command { id: EditId, command: Command, seen: u64 },
    /// `record.resync`.
    Resync,
}

/// On the way from the server.
#[derive(Clone, Debug)]
pub(super) enum Told {
    /// The whole document, and under which client id to type.
    Full { snapshot: Snapshot, seq: u64, client: u64 },
    /// What was missing since `have`.
    Since { changes: Vec<Change>, client: u64 },
    /// An own edit or command is stored. Without a change if it was already told.
    Ack { edit: EditId, change: Option<Change> },
    /// Somebody's change.
    Change(Change),
    /// An edit was not taken.
    Refuse { edit: EditId, code: Code },
}

/// Why an edit was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// Later, perhaps: `busy`.
    Busy,
    Edit(EditError),
}

/// An own edit without an answer. It is kept on the device.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) edit: Edit,
    /// Put back by the server, to be sent again later.
    pub(super) held: bool,
    /// On this line.
    sent: bool,
}

/// What a message did to the person's own edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    Acked(EditId),
    /// Not taken; its words stand on the screen.
    Refused(EditId, Option<EditError>),
}

pub(super) struct Client {
    pub(super) actor: Actor,
    pub(super) online: bool,
    /// As the server said.
    pub(super) state: Replica,
    /// In order of typing.
    pub(super) pending: Vec<Entry>,
    pub(super) up: VecDeque<Sent>,
    pub(super) down: VecDeque<Told>,
    /// Editors that were opened: what their person saw then.
    pub(super) drafts: BTreeMap<Address, (Base, u64)>,
    /// Texts with what is pending in them.
    pens: BTreeMap<Address, Pen>,
    /// Under which texts are typed.
    id: u64,
    /// The document was asked for again: until it comes, changes are not folded.
    stale: bool,
    /// The snapshot of this line has come: edits may be sent.
    open: bool,
    /// Some snapshot has come, on this line or before: edits may be made.
    ready: bool,
}

impl Client {
    pub(super) const fn new(actor: Actor, state: Replica, id: u64) -> Self {
        Self {
            actor,
            online: true,
            state,
            pending: Vec::new(),
            up: VecDeque::new(),
            down: VecDeque::new(),
            drafts: BTreeMap::new(),
            pens: BTreeMap::new(),
            id,
            stale: false,
            open: true,
            ready: true,
        }
    }

    /// Whether anything can be typed: read-only until the first snapshot.
    pub(super) const fn may_type(&self) -> bool {
        self.ready
    }

    /// Whether a command can be sent.
    pub(super) const fn may_command(&self) -> bool {
        self.online && self.open
    }

    /// The line broke: what was on it is gone.
    pub(super) fn cut(&mut self) {
        self.online = false;
        self.open = false;
        self.up.clear();
        self.down.clear();
    }

    /// The page was loaded anew: only what is on the device is left.
    pub(super) fn reload(&mut self) {
        self.cut();
        self.state = Replica::default();
        self.drafts.clear();
        self.pens.clear();
        self.stale = false;
        self.ready = false;
    }

    pub(super) fn connect(&mut self) {
        self.online = true;
        self.stale = false;
        for entry in &mut self.pending {
            entry.held = false;
            entry.sent = false;
        }
        self.up.push_back(Sent::Open { have: self.state.seq });
    }

    /// What a set of this register would build on now.
    pub(super) fn base(&self, at: &Address) -> Base {
        match self.pending.iter().rev().find(|entry| sets(&entry.edit.op, at)) {
            Some(mine) => Base::Mine(mine.edit.id),
            None => Base::Rev(self.state.register(at).rev()),
        }
    }

    /// The text as its author sees it, own unanswered typing included.
    pub(super) fn pen(&mut self, at: &Address) -> &Pen {
        self.pens.entry(*at).or_insert_with(|| {
            let pen = self.state.pen(at, self.id);
            for entry in &self.pending {
                if let Op::Text { at: other, update, .. } = &entry.edit.op
                    && other == at
                {
                    pen.read(&update.0);
                }
            }
            pen
        })
    }

    /// Puts an edit in the queue, and sends it if nothing it builds on was put back.
    pub(super) fn queue(&mut self, edit: Edit) {
        let held = self.pending.iter().any(|entry| entry.held && touches(&entry.edit.op, &edit.op));
        self.pending.push(Entry { edit, held, sent: false });
        self.send(false);
    }

    /// What was put back is sent again.
    pub(super) fn again(&mut self) {
        for entry in &mut self.pending {
            if entry.held {
                entry.held = false;
                entry.sent = false;
            }
        }
        self.send(true);
    }

    fn send(&mut self, resend: bool) {
        if !(self.online && self.open) {
            return;
        }
        for entry in &mut self.pending {
            if !entry.held && !entry.sent {
                entry.sent = true;
                self.up.push_back(Sent::Edit { edit: entry.edit.clone(), resend });
            }
        }
    }

    /// Takes the next message, if there is one.
    pub(super) fn receive(&mut self) -> Vec<Settled> {
        match self.down.pop_front() {
            None => Vec::new(),
            Some(Told::Full { snapshot, seq, client }) => {
                self.state = Replica::of(&snapshot, seq);
                self.snapshot(client);
                Vec::new()
            }
            Some(Told::Since { changes, client }) => {
                for change in &changes {
                    if change.seq > self.state.seq {
                        self.state.fold(change);
                    }
                }
                self.snapshot(client);
                Vec::new()
            }
            Some(Told::Ack { edit, change }) => {
                let mine = self.pending.iter().any(|entry| entry.edit.id == edit);
                self.pending.retain(|entry| entry.edit.id != edit);
                if let Some(change) = change {
                    self.take(&change);
                }
                if mine { vec![Settled::Acked(edit)] } else { Vec::new() }
            }
            Some(Told::Change(change)) => {
                self.take(&change);
                Vec::new()
            }
            Some(Told::Refuse { edit, code }) => self.refused(edit, code),
        }
    }

    fn snapshot(&mut self, client: u64) {
        self.id = client;
        self.stale = false;
        self.open = true;
        self.ready = true;
        // A fresh id is for a fresh document: what is known first, then the id.
        self.pens.clear();
        self.send(true);
    }

    fn take(&mut self, change: &Change) {
        if self.stale || change.seq <= self.state.seq {
            return;
        }
        if change.seq != self.state.seq + 1 {
            self.ask_again();
            return;
        }
        self.state.fold(change);
        if let What::Text { at, update, .. } = &change.what
            && let Some(pen) = self.pens.get(at)
        {
            pen.read(&update.0);
        }
    }

    fn ask_again(&mut self) {
        if !self.stale {
            self.stale = true;
            self.up.push_back(Sent::Resync);
        }
    }

    fn refused(&mut self, edit: EditId, code: Code) -> Vec<Settled> {
        let Some(place) = self.pending.iter().position(|entry| entry.edit.id == edit) else {
            return Vec::new();
        };
        let op = self.pending[place].edit.op.clone();
        let code = match code {
            Code::Busy => {
                self.pending[place].held = true;
                return Vec::new();
            }
            Code::Edit(code) => code,
        };
        // Put back, or put back and sent again already.
        let waits = self.pending[..place].iter().any(|earlier| touches(&earlier.edit.op, &op));
        if waits && explained_by_an_earlier(code) {
            self.pending[place].held = true;
            return Vec::new();
        }
        let mut settled = vec![Settled::Refused(edit, Some(code))];
        if let Op::Text { at, .. } = &op {
            // What was typed after it builds on it: all of it goes to the box, and the text is fetched anew.
            for later in self.pending.split_off(place) {
                match &later.edit.op {
                    Op::Text { at: other, .. } if other == at => {
                        if later.edit.id != edit {
                            settled.push(Settled::Refused(later.edit.id, None));
                        }
                    }
                    _ => self.pending.push(later),
                }
            }
            self.ask_again();
        } else {
            self.pending.remove(place);
        }
        settled
    }
}

const fn explained_by_an_earlier(code: EditError) -> bool {
    matches!(
        code,
        EditError::TextGap
            | EditError::BaseRefused
            | EditError::UnknownAddress
            | EditError::RowRemoved
    )
}

/// Whether an edit gives this register a value.
fn sets(op: &Op, at: &Address) -> bool {
    match op {
        Op::Set { at: other, .. } | Op::Resolve { at: other, .. } => other == at,
        Op::Add { row, values, .. } => at.row == Some(*row) && values.contains_key(&at.field),
        Op::Tombstone { row, .. } | Op::Restore { row, .. } => *at == presence_of(*row),
        Op::Move { .. } | Op::Text { .. } | Op::Reviewed { .. } => false,
    }
}

const fn place_of(op: &Op) -> (Option<Address>, Option<RowId>) {
    match op {
        Op::Set { at, .. }
        | Op::Resolve { at, .. }
        | Op::Text { at, .. }
        | Op::Reviewed { at, .. } => (Some(*at), at.row),
        Op::Add { row, .. }
        | Op::Tombstone { row, .. }
        | Op::Restore { row, .. }
        | Op::Move { row, .. } => (None, Some(*row)),
    }
}

/// Whether the later edit must not overtake the earlier one: the same address, or the row it stands on.
fn touches(earlier: &Op, later: &Op) -> bool {
    let ((earlier_at, earlier_row), (later_at, later_row)) = (place_of(earlier), place_of(later));
    match (earlier_at, later_at) {
        (Some(earlier), Some(later)) => earlier == later,
        _ => later_row.is_some() && earlier_row == later_row,
    }
}
