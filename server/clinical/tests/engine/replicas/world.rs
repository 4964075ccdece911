//! Three browsers, one server, the lines between them. A word of a story is a number: what it means depends only on
//! what has happened so far, so a story repeats exactly, and a shorter one is still a story.

use std::collections::{BTreeMap, BTreeSet};

use clinical::actor::{Millis, Role};
use clinical::change::{Change, What};
use clinical::field::{Address, FieldName};
use clinical::id::{EditId, PersonId};
use clinical::view::View;

use super::client::{Client, Code, Sent, Settled, Told};
use super::judge::{Fate, Judge, LISTS, Law, Verdict, Violation, law};
use super::planted::{Engine, Fault};
use super::replica::{Replica, Server};
use crate::common::*;

/// How many people there are.
pub(super) const PEOPLE: usize = 3;

/// A line, as the server has it.
#[derive(Clone, Copy, Default)]
struct Line {
    /// Counts connections, so that an answer does not reach the next one.
    number: u64,
    /// Its snapshot is on the way: from here on it is told of changes.
    live: bool,
}

/// Who waits for a change to be stored.
struct Waiting {
    who: usize,
    line: u64,
    edit: EditId,
    seq: u64,
    /// Sent before: the change itself was, or is, told as everybody's.
    again: bool,
}

pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) clients: Vec<Client>,
    pub(super) judge: Judge,
    /// What the server has accepted; up to `stored` it survives.
    pub(super) log: Vec<Change>,
    stored: usize,
    snapshot: Option<String>,
    lines: Vec<Line>,
    waiting: Vec<Waiting>,
    ids: Vec<BTreeSet<u64>>,
    next_client: u64,
    now: i64,
    pub(super) next: u128,
    /// Characters typed.
    pub(super) ink: u32,
    /// How often a story came to what it is about.
    pub(super) met: BTreeMap<&'static str, u64>,
    /// What happened, in words, if somebody wants to read it.
    pub(super) trace: Option<Vec<String>>,
}

impl World {
    pub(super) fn new(fault: Option<Fault>) -> Self {
        let roles = [Role::Pharmacist, Role::Pcp, Role::Nurse];
        let mut world = Self {
            engine: Engine::new(fault),
            clients: Vec::new(),
            judge: Judge::default(),
            log: Vec::new(),
            stored: 0,
            snapshot: None,
            lines: vec![Line { number: 1, live: true }; PEOPLE],
            waiting: Vec::new(),
            ids: vec![BTreeSet::new(); PEOPLE],
            next_client: 1,
            now: T0,
            next: 0,
            ink: 0,
            met: BTreeMap::new(),
            trace: None,
        };
        for (who, role) in roles.into_iter().enumerate() {
            let id = world.fresh_client(who, PersonId(uuid(3, who as u128)));
            let actor = actor(who as u128, role);
            world.clients.push(Client::new(actor, Replica::default(), id));
        }
        world
    }

    /// Two medicines, problems and recommendations that everybody knows.
    pub(super) fn furnish(&mut self) -> Verdict {
        for list in LISTS.into_iter().chain(LISTS) {
            self.add(0, list)?;
            self.take(0)?;
        }
        self.commit()?;
        for who in 0..PEOPLE {
            while !self.clients[who].down.is_empty() {
                self.deliver(who)?;
            }
        }
        Ok(())
    }

    /// One word of a story.
    pub(super) fn step(&mut self, word: u64) -> Verdict {
        let pick = |shift: u32, among: usize| (word >> shift & 0xff) as usize % among.max(1);
        let who = pick(0, PEOPLE);
        // Mostly seconds; sometimes a minute, after which a merge is late.
        self.now += (word >> 40 & 0xfff) as i64 + if word >> 52 & 0x1f == 0 { 61_000 } else { 0 };
        match pick(8, 100) {
            0..33 => self.type_something(who, word),
            33..50 => (0..=pick(16, 3)).try_for_each(|_| self.take(who)),
            50..73 => (0..=pick(16, 6)).try_for_each(|_| self.deliver(who)),
            73..83 => self.commit(),
            83..86 => self.breath(),
            86..89 => {
                self.cut(who);
                Ok(())
            }
            89..93 => {
                self.connect(who);
                Ok(())
            }
            93..94 => {
                self.cut(who);
                self.clients[who].reload();
                Ok(())
            }
            94..95 => self.restart(),
            95..97 => {
                self.put_back(who);
                Ok(())
            }
            97..98 => {
                self.clients[who].again();
                Ok(())
            }
            98..99 => {
                if let Some(at) = self.register_at(who, word) {
                    let client = &mut self.clients[who];
                    let draft = (client.base(&at), client.state.seq);
                    client.drafts.insert(at, draft);
                }
                Ok(())
            }
            _ => self.forge(who),
        }
    }

    /// A quiet moment: whoever is there is answered, and told everything.
    fn breath(&mut self) -> Verdict {
        for who in 0..PEOPLE {
            while !self.clients[who].up.is_empty() {
                self.take(who)?;
            }
        }
        self.commit()?;
        for who in 0..PEOPLE {
            while !self.clients[who].down.is_empty() {
                self.deliver(who)?;
            }
        }
        Ok(())
    }

    /// Everything that is under way arrives, and everybody comes back.
    pub(super) fn rest(&mut self) -> Verdict {
        for _round in 0..40 {
            for who in 0..PEOPLE {
                self.connect(who);
                self.clients[who].again();
            }
            self.breath()?;
            let quiet = |client: &Client| client.up.is_empty() && client.pending.is_empty();
            if self.clients.iter().all(quiet) {
                break;
            }
        }
        let copies: Vec<_> =
            self.clients.iter().map(|client| (&client.state, client.pending.len())).collect();
        self.judge.at_rest(&self.log, &self.engine.doc, &copies)?;
        // A server that starts now has the same.
        let before = Server::of(&self.engine.doc);
        self.engine.restart(self.snapshot.as_deref(), &self.log);
        let mirror = &self.judge.book.mirror;
        let differs = mirror.differs(&Server::of(&self.engine.doc));
        law!(AckedStays, differs.is_none(), "after a restart: {}", differs.unwrap_or_default());
        law!(OneFold, mirror.differs(&before).is_none(), "the document was another one before");
        for who in 0..PEOPLE {
            self.same_words(who)?;
        }
        Ok(())
    }

    /// What stands in a person's text fields is what the server has.
    fn same_words(&mut self, who: usize) -> Verdict {
        let texts: Vec<Address> = self.judge.book.mirror.texts.keys().copied().collect();
        for at in texts {
            let (mine, theirs) = (self.clients[who].pen(&at).words(), self.engine.doc.text(&at));
            law!(
                EqualAtRest,
                Some(&mine) == theirs.as_ref(),
                "{at}: {who} sees {mine:?}, not {theirs:?}"
            );
        }
        Ok(())
    }

    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(what());
        }
    }

    // ---- lines ----

    pub(super) fn cut(&mut self, who: usize) {
        if self.clients[who].online {
            self.tell(|| format!("{who} is cut off"));
            self.clients[who].cut();
            self.lines[who].live = false;
            self.lines[who].number += 1;
            // Of a command nobody knows what became.
            let person = self.clients[who].actor.person;
            for asked in self.judge.asked.values_mut() {
                if asked.who == person && asked.op.is_none() && asked.fate == Fate::Waiting {
                    asked.fate = Fate::Unknown;
                }
            }
        }
    }

    pub(super) fn connect(&mut self, who: usize) {
        if !self.clients[who].online {
            self.tell(|| format!("{who} comes back"));
            self.clients[who].connect();
        }
    }

    /// The server dies, and starts again with what it had stored.
    pub(super) fn restart(&mut self) -> Verdict {
        let lost = self.log.len() - self.stored;
        self.tell(|| format!("the server restarts without {lost} changes"));
        *self.met.entry("changes_lost_unacknowledged").or_default() += lost as u64;
        for who in 0..PEOPLE {
            self.cut(who);
        }
        self.log.truncate(self.stored);
        self.waiting.clear();
        self.engine.restart(self.snapshot.as_deref(), &self.log);
        let log = std::mem::take(&mut self.log);
        self.judge.rewind(&log);
        self.log = log;
        for (edit, asked) in &self.judge.asked {
            let kept = self.engine.doc.seq_of(*edit).is_some();
            law!(
                AckedStays,
                asked.fate != Fate::Acked || kept || self.log.iter().any(|c| c.edit == *edit),
                "{edit} was acknowledged before it was stored"
            );
        }
        Ok(())
    }

    /// The server cannot take the next edit now.
    fn put_back(&mut self, who: usize) {
        let client = &mut self.clients[who];
        if let Some(Sent::Edit { edit, .. }) = client.up.front() {
            let edit = edit.id;
            client.up.pop_front();
            client.down.push_back(Told::Refuse { edit, code: Code::Busy });
            self.tell(|| format!("the server puts back {edit} of {who}"));
        }
    }

    fn fresh_client(&mut self, who: usize, person: PersonId) -> u64 {
        self.next_client += 1;
        self.ids[who].insert(self.next_client);
        self.judge.hands.insert(self.next_client, person);
        self.next_client
    }

    // ---- the server ----

    /// The server takes the next message of a client.
    pub(super) fn take(&mut self, who: usize) -> Verdict {
        let line = self.lines[who].number;
        let Some(message) = self.clients[who].up.pop_front() else { return Ok(()) };
        self.tell(|| format!("the server takes from {who}: {message:?}"));
        match message {
            Sent::Open { have } => {
                // A snapshot waits behind what is under way.
                self.commit()?;
                let client = self.fresh_client(who, self.clients[who].actor.person);
                let told = if have == 0 || (have + line).is_multiple_of(4) {
                    self.full(client)
                } else {
                    let missing = self.log.iter().filter(|change| change.seq > have);
                    let changes = self.engine.told(missing.cloned().collect());
                    Told::Since { changes, client }
                };
                self.clients[who].down.push_back(told);
                self.lines[who].live = true;
            }
            Sent::Resync => {
                self.commit()?;
                let client = self.fresh_client(who, self.clients[who].actor.person);
                let told = self.full(client);
                self.clients[who].down.push_back(told);
            }
            Sent::Edit { edit, resend } => {
                let known = self.engine.known(edit.id);
                if let Some(seq) = known {
                    law!(OnceOnly, resend, "{} arrived twice on one line", edit.id);
                    *self.met.entry("sent_again_and_known").or_default() += 1;
                    self.waiting.push(Waiting { who, line, edit: edit.id, seq, again: true });
                    self.answer();
                    return Ok(());
                }
                let by = self.clients[who].actor;
                match self.engine.edit(Millis(self.now), &by, &edit, &self.ids[who]) {
                    Ok(change) => self.accepted(who, line, change)?,
                    Err(code) => {
                        self.judge.refused(code, &self.engine.doc)?;
                        self.tell(|| format!("  refused {code:?}"));
                        *self.met.entry("refused").or_default() += 1;
                        let told = Told::Refuse { edit: edit.id, code: Code::Edit(code) };
                        self.clients[who].down.push_back(told);
                    }
                }
            }
            Sent::Command { id, command, seen } => {
                let by = self.clients[who].actor;
                match self.engine.command(Millis(self.now), &by, id, &command, seen) {
                    Ok(change) => self.accepted(who, line, change)?,
                    Err(_decided) => {
                        if let Some(asked) = self.judge.asked.get_mut(&id) {
                            asked.fate = Fate::Unknown;
                        }
                        let differs = self.judge.book.mirror.differs(&Server::of(&self.engine.doc));
                        law!(NoTrace, differs.is_none(), "{}", differs.unwrap_or_default());
                    }
                }
            }
        }
        Ok(())
    }

    fn full(&self, client: u64) -> Told {
        let doc = &self.engine.doc;
        Told::Full { snapshot: doc.snapshot(View::Full), seq: doc.seq(), client }
    }

    fn accepted(&mut self, who: usize, line: u64, change: Change) -> Verdict {
        self.judge.accepted(&change, &self.engine.doc)?;
        let (edit, seq) = (change.edit, change.seq);
        self.tell(|| format!("  taken: {change:?}"));
        self.count(&change);
        self.log.push(change);
        if self.engine.acks_early() {
            self.clients[who].down.push_back(Told::Ack { edit, change: None });
        } else {
            self.waiting.push(Waiting { who, line, edit, seq, again: false });
        }
        Ok(())
    }

    fn count(&mut self, change: &Change) {
        let mut met = |what| *self.met.entry(what).or_default() += 1;
        match &change.what {
            What::Set { .. } => met("set"),
            What::Agreed { .. } => met("agreed"),
            What::Conflicted { at, candidates } => met(match (at.field, candidates.len()) {
                (FieldName::Presence, _) => "conflict_of_presence",
                (_, 2) => "conflict_of_two",
                _ => "conflict_of_more",
            }),
            What::Resolved { .. } => met("resolved"),
            What::Added { .. } => met("added"),
            What::Tombstoned { .. } => met("tombstoned"),
            What::Restored { .. } => met("restored"),
            What::Moved { .. } => met("moved"),
            What::Text { merged, .. } => {
                met(if merged.is_some() { "text_marked" } else { "text" });
            }
            What::Reviewed { .. } => met("reviewed"),
            What::Decided { .. } => met("decided"),
        }
        if change.contested.is_some() {
            met("contested");
        }
    }

    /// What was accepted is on the disk: now it is told, to its author as an acknowledgement.
    pub(super) fn commit(&mut self) -> Verdict {
        let fresh: Vec<Change> = self.log[self.stored..].to_vec();
        self.stored = self.log.len();
        for who in (0..PEOPLE).filter(|who| self.lines[*who].live) {
            for change in self.engine.told(fresh.clone()) {
                let mine = self.waiting.iter().any(|waiting| {
                    waiting.edit == change.edit
                        && waiting.who == who
                        && waiting.line == self.lines[who].number
                        && !waiting.again
                });
                let change = self.engine.doc.project_change(&change, View::Full);
                let Some(change) = change else { continue };
                self.clients[who].down.push_back(if mine {
                    Told::Ack { edit: change.edit, change: Some(change) }
                } else {
                    Told::Change(change)
                });
            }
        }
        self.waiting.retain(|waiting| waiting.again);
        self.answer();
        // Now and then the document is stored whole.
        if self.stored.is_multiple_of(16) && self.stored > 0 {
            self.snapshot = Some(serde_json::to_string(&self.engine.doc.stored()).unwrap());
        }
        Ok(())
    }

    /// Answers edits that were sent again, as soon as they are stored.
    fn answer(&mut self) {
        let stored = self.stored as u64;
        for waiting in std::mem::take(&mut self.waiting) {
            if waiting.again && waiting.seq <= stored {
                if self.lines[waiting.who].number == waiting.line {
                    let edit = waiting.edit;
                    self.clients[waiting.who].down.push_back(Told::Ack { edit, change: None });
                }
            } else {
                self.waiting.push(waiting);
            }
        }
    }

    /// A client takes the next message of the server.
    pub(super) fn deliver(&mut self, who: usize) -> Verdict {
        if self.trace.is_some() {
            let next = format!("{:?}", self.clients[who].down.front());
            self.tell(|| format!("{who} receives {next}"));
        }
        if let Some(Told::Ack { edit, .. }) = self.clients[who].down.front()
            && let Some(asked) = self.judge.asked.get_mut(edit)
        {
            asked.fate = Fate::Acked;
        }
        for settled in self.clients[who].receive() {
            let (edit, fate) = match settled {
                Settled::Acked(edit) => (edit, Fate::Acked),
                Settled::Refused(edit, code) => {
                    if let Some(code) = code {
                        self.judge.told_refused(edit, code)?;
                    }
                    (edit, Fate::Refused)
                }
            };
            if let Some(asked) = self.judge.asked.get_mut(&edit) {
                // Its words are in the box; that it was taken as well is for the good.
                if asked.fate != Fate::Acked {
                    asked.fate = fate;
                }
            }
        }
        law!(
            AckedStays,
            self.clients[who].state.seq <= self.stored as u64,
            "{who} was shown what is not stored"
        );
        Ok(())
    }
}
