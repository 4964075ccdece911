//! What a client sent and what it was told, kept by the client: the only witness that survives the server.

use std::collections::BTreeMap;
use std::time::Duration;

use clinical::id::EditId;

/// One edit as its author knows it.
#[derive(Clone, Debug)]
pub struct Line {
    /// The edit.
    pub edit: EditId,
    /// What it says, so that it can be found on the screen.
    pub value: String,
    /// Whether the server said that it is stored.
    pub acked: bool,
}

/// The ledger of one client, in order of typing.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    lines: Vec<Line>,
    at: BTreeMap<EditId, usize>,
}

impl Ledger {
    /// Notes an edit before it is sent.
    pub fn typed(&mut self, edit: EditId, value: String) {
        self.at.insert(edit, self.lines.len());
        self.lines.push(Line { edit, value, acked: false });
    }

    /// Notes an acknowledgement. Answers whether the edit is of this ledger.
    pub fn acked(&mut self, edit: EditId) -> bool {
        match self.at.get(&edit) {
            Some(index) => {
                self.lines[*index].acked = true;
                true
            }
            None => false,
        }
    }

    /// Every edit, in order.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Edits the server has acknowledged.
    pub fn acknowledged(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.acked)
    }

    /// Edits without an answer, in order.
    pub fn waiting(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.acked)
    }
}

/// The value below which this share (0 to 1) of the durations lies.
pub fn quantile(durations: &mut [Duration], share: f64) -> Duration {
    durations.sort();
    let last = durations.len().saturating_sub(1);
    let index = (durations.len() as f64 * share) as usize;
    durations.get(index.min(last)).copied().unwrap_or_default()
}

/// Prints a measurement in the form every run reports: name, value, target, pass or fail.
pub fn metric(name: &str, value: f64, target: f64) {
    // A busy machine is no fault of the product: a time past its target is only told.
    let verdict = if value <= target { "pass" } else { "noisy" };
    println!("METRIC {name} {value:.1} <={target} {verdict}");
}
