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

/// Edits an open document knows by their id, so that one sent again is answered and not applied again. A client
/// resends what it has no answer to: at most what it typed during an outage.
pub const EDITS_KNOWN: usize = 10_000;

/// A text change whose author had not seen what others wrote this long before is marked for reading, in milliseconds:
/// longer leaves words of two rooms side by side unread, shorter marks what people typed to each other's faces.
pub const LATE_MS: i64 = 60_000;

/// One person's uninterrupted writing in a text is remembered in pieces of this length, in milliseconds: how exactly
/// [`LATE_MS`] is kept.
pub const TEXT_RUN_MS: i64 = 10_000;

/// Pieces remembered of each text; of older ones nobody still has a base.
pub const TEXT_RUNS: usize = 256;

/// A document as a snapshot, in bytes. Higher takes larger charts, lower joins faster: it travels to everybody who
/// opens the record.
pub const DOCUMENT: usize = 2 * 1024 * 1024;
