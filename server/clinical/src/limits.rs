//! Every bound of a document in one place.

/// Values in one conflict. More would be a brawl, not a disagreement; the next is refused `conflict_full`.
pub const CANDIDATES: usize = 8;

/// Rows of one list, removed ones included. A chart with 400 medicines must still import.
pub const ROWS: usize = 500;

/// One text update, in bytes. A paste of the longest field is a tenth of it.
pub const TEXT_UPDATE: usize = 64 * 1024;

/// A text with its history, in bytes: higher keeps old fields editable, lower keeps snapshots small.
pub const TEXT_STATE: usize = 256 * 1024;

/// A register's value as JSON, in bytes.
pub const VALUE: usize = 16 * 1024;
