//! Transport-wide feedback as Chromium's receiver writes it (draft-holmer-rmcat-transport-wide-cc-extensions-01): all three
//! kinds of chunks, so that the relay's reader meets them all.

use std::time::{Duration, Instant};

use sfu::plan::Ssrc;

use crate::packet::{extend, feedback};

/// Most packets in one feedback.
const MOST: u64 = 400;

/// What one browser received since its last feedback.
#[derive(Debug)]
pub struct Recorder {
    epoch: Instant,
    newest: Option<u64>,
    next: Option<u64>,
    arrived: Vec<(u64, i64)>,
    count: u8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Lost = 0,
    Small = 1,
    Large = 2,
}

impl Recorder {
    /// With the beginning of its clock.
    pub fn new(epoch: Instant) -> Self {
        Self { epoch, newest: None, next: None, arrived: Vec::new(), count: 0 }
    }

    /// Notes an arrival.
    pub fn note(&mut self, sequence: u16, now: Instant) {
        let extended = extend(self.newest.or(Some(1 << 16)), sequence);
        self.newest = Some(self.newest.map_or(extended, |newest| newest.max(extended)));
        let ticks = (now - self.epoch).as_micros() / 250;
        self.arrived.push((extended, i64::try_from(ticks).unwrap()));
    }

    /// The feedback about everything since the last; `None` if nothing arrived.
    pub fn take(&mut self, media: Ssrc) -> Option<Vec<u8>> {
        self.arrived.sort_unstable();
        self.arrived.dedup_by_key(|(sequence, _)| *sequence);
        if let Some(next) = self.next {
            self.arrived.retain(|(sequence, _)| *sequence >= next);
        }
        let (first, first_ticks) = *self.arrived.first()?;
        let base = self.next.filter(|next| first - next < MOST).unwrap_or(first);
        let reference = first_ticks / 256;
        let mut ticks = reference * 256;
        let (mut symbols, mut deltas) = (Vec::new(), Vec::new());
        let mut taken = 0;
        for (sequence, at) in &self.arrived {
            let (Ok(delta), true) = (i16::try_from(at - ticks), sequence - base < MOST) else {
                break;
            };
            symbols.resize(usize::try_from(sequence - base).unwrap(), Symbol::Lost);
            match u8::try_from(delta) {
                Ok(small) => {
                    symbols.push(Symbol::Small);
                    deltas.push(small);
                }
                Err(_) => {
                    symbols.push(Symbol::Large);
                    deltas.extend(delta.to_be_bytes());
                }
            }
            ticks = *at;
            taken += 1;
        }
        self.arrived.drain(..taken);
        self.next = Some(base + symbols.len() as u64);
        let mut rest = Vec::new();
        rest.extend((base as u16).to_be_bytes());
        rest.extend(u16::try_from(symbols.len()).unwrap().to_be_bytes());
        rest.extend(&u32::try_from(reference).unwrap().to_be_bytes()[1..]);
        rest.push(self.count);
        self.count = self.count.wrapping_add(1);
        for chunk in chunks(&symbols) {
            rest.extend(chunk.to_be_bytes());
        }
        rest.extend(deltas);
        rest.resize(rest.len().next_multiple_of(4), 0);
        Some(feedback(205, 15, media, &rest))
    }
}

fn chunks(symbols: &[Symbol]) -> Vec<u16> {
    let mut chunks = Vec::new();
    let mut rest = symbols;
    while let Some(first) = rest.first() {
        let run = rest.iter().take_while(|symbol| *symbol == first).count();
        let ahead = rest.len().min(14);
        let used = if run >= 7 {
            chunks.push((*first as u16) << 13 | run as u16);
            run
        } else if rest[..ahead].iter().all(|symbol| *symbol != Symbol::Large) {
            let bits = rest[..ahead]
                .iter()
                .zip((0..14).rev())
                .fold(0x8000, |chunk, (symbol, place)| chunk | (*symbol as u16) << place);
            chunks.push(bits);
            ahead
        } else {
            let pairs = rest
                .iter()
                .take(7)
                .zip((0..7).rev())
                .fold(0xc000, |chunk, (symbol, place)| chunk | (*symbol as u16) << (2 * place));
            chunks.push(pairs);
            rest.len().min(7)
        };
        rest = &rest[used..];
    }
    chunks
}

/// How often Chromium sends feedback at moderate rates.
pub const INTERVAL: Duration = Duration::from_millis(100);
