//! What a disk holds when the power goes: what was synced, and of the rest whatever it pleases.

use std::collections::BTreeMap;

use crate::vfs::Event;

/// A disk writes a sector whole or not at all.
const SECTOR: usize = 512;

/// Whether a disk does what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drive {
    /// A sync is a sync.
    Honest,
    /// What `synchronous=NORMAL` asks for: the WAL is not synced at a commit.
    NoWalSync,
    /// What `synchronous=OFF` asks for.
    NoSync,
}

/// What becomes of writes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// All are gone.
    All,
    /// Some are there, in no order.
    Some,
    /// Of each, some sectors are there.
    Torn,
    /// All but the last, of which the beginning is there.
    LastTorn,
}

impl Loss {
    pub const ALL: [Self; 4] = [Self::All, Self::Some, Self::Torn, Self::LastTorn];
}

#[derive(Clone, Debug, Default)]
struct File {
    /// Whether its name would survive.
    durable: bool,
    synced: Vec<u8>,
    /// Not synced, with their numbers.
    pending: Vec<(usize, Pending)>,
}

impl File {
    /// Everything asked of it before number `from` is on the disk; of the file its name stands for now.
    fn sync(&mut self, from: usize) {
        let removed = self.pending.iter().rposition(|(_, op)| matches!(op, Pending::Delete));
        let kept = removed.map_or(0, |at| at + 1);
        let mine = self.pending.split_off(kept);
        let (now, later): (Vec<_>, Vec<_>) =
            mine.into_iter().partition(|(number, _)| *number < from);
        if removed.is_some() {
            // Its name is not on the disk yet, so what is in it may still be lost with it.
            self.pending.extend(now);
        } else {
            for (_, op) in now {
                carry_out(&mut self.synced, &op, |_| true);
            }
        }
        self.pending.extend(later);
    }
}

#[derive(Clone, Debug)]
enum Pending {
    Write(usize, Vec<u8>),
    Truncate(usize),
    Delete,
}

/// A disk up to some event.
pub struct Disk {
    drive: Drive,
    at: usize,
    files: BTreeMap<String, File>,
}

impl Disk {
    pub const fn new(drive: Drive) -> Self {
        Self { drive, at: 0, files: BTreeMap::new() }
    }

    /// Goes on to where `until` events have been asked for.
    pub fn advance(&mut self, events: &[Event], until: usize) {
        for (number, event) in events.iter().enumerate().take(until).skip(self.at) {
            self.take(number, event);
        }
        self.at = until;
    }

    fn take(&mut self, number: usize, event: &Event) {
        let file = match event {
            Event::Open { file }
            | Event::Write { file, .. }
            | Event::Truncate { file, .. }
            | Event::Sync { file, .. }
            | Event::Delete { file, .. } => file,
        };
        let wal = file.ends_with("-wal");
        let state = self.files.entry(file.clone()).or_default();
        match event {
            Event::Open { .. } => {}
            Event::Write { at, bytes, .. } => {
                state.pending.push((number, Pending::Write(*at, bytes.clone())));
            }
            Event::Truncate { size, .. } => state.pending.push((number, Pending::Truncate(*size))),
            Event::Delete { folder, .. } => {
                state.pending.push((number, Pending::Delete));
                if *folder && self.drive == Drive::Honest {
                    self.sync_names(number + 1);
                }
            }
            Event::Sync { from, folder, .. } => {
                let ignored = match self.drive {
                    Drive::Honest => false,
                    Drive::NoWalSync => wal,
                    Drive::NoSync => true,
                };
                if !ignored {
                    if *folder {
                        self.sync_names(*from);
                    }
                    let state = self.files.entry(file.clone()).or_default();
                    state.durable |= folder;
                    state.sync(*from);
                }
            }
        }
    }

    /// What was removed before number `from` stays removed.
    fn sync_names(&mut self, from: usize) {
        for file in self.files.values_mut() {
            let removed =
                |(number, op): &(usize, Pending)| matches!(op, Pending::Delete) && *number < from;
            if let Some(at) = file.pending.iter().rposition(removed) {
                file.pending.drain(..=at);
                file.synced.clear();
                file.durable = false;
            }
        }
    }

    /// The files as they are found after the power came back.
    pub fn image(&self, loss: Loss, mut coin: impl FnMut() -> bool) -> BTreeMap<String, Vec<u8>> {
        let last = self.files.values().flat_map(|file| &file.pending).map(|(n, _)| *n).max();
        let mut image = BTreeMap::new();
        for (name, file) in &self.files {
            let mut bytes = file.synced.clone();
            let mut there = file.durable || name.ends_with(".db");
            // Under one name stands the file that was removed, or the one made after it: never a mixture.
            let removed = file.pending.iter().rposition(|(_, op)| matches!(op, Pending::Delete));
            let pending = match removed {
                Some(at) if loss != Loss::All && coin() => {
                    bytes.clear();
                    there = false;
                    &file.pending[at + 1..]
                }
                Some(at) => &file.pending[..at],
                None => &file.pending[..],
            };
            for (number, op) in pending {
                match loss {
                    Loss::All => {}
                    Loss::Some => {
                        let kept = coin();
                        carry_out(&mut bytes, op, |_| kept);
                    }
                    Loss::Torn => carry_out(&mut bytes, op, |_| coin()),
                    Loss::LastTorn => {
                        let mut whole = true;
                        carry_out(&mut bytes, op, |_| {
                            whole &= Some(*number) != last || coin();
                            whole
                        });
                    }
                }
            }
            // A name nobody synced may be gone; the database's own was made before SQLite came.
            if there || coin() {
                image.insert(name.clone(), bytes);
            }
        }
        image
    }
}

/// Carries out what was asked, as far as `kept` says of each sector.
fn carry_out(bytes: &mut Vec<u8>, pending: &Pending, mut kept: impl FnMut(usize) -> bool) {
    match pending {
        Pending::Write(at, new) => {
            let mut from = 0;
            while from < new.len() {
                let sector = (at + from) / SECTOR;
                let to = ((sector + 1) * SECTOR - at).min(new.len());
                if kept(sector) {
                    if bytes.len() < at + to {
                        bytes.resize(at + to, 0);
                    }
                    bytes[at + from..at + to].copy_from_slice(&new[from..to]);
                }
                from = to;
            }
        }
        Pending::Truncate(size) => {
            if kept(0) {
                bytes.resize(*size, 0);
            }
        }
        Pending::Delete => bytes.clear(),
    }
}
