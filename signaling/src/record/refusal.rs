//! The codes of refusals.

use clinical::command::{Command, CommandError};
use clinical::edit::EditError;

use super::effect::StoreFailure;
use crate::message::{CommandName, RecordRefusal};

pub(super) const fn refusal_of(failure: StoreFailure) -> RecordRefusal {
    match failure {
        StoreFailure::Full => RecordRefusal::StorageFull,
        StoreFailure::Away => RecordRefusal::StorageAway,
        StoreFailure::Failed => RecordRefusal::StorageFailed,
        StoreFailure::OutOfStep => RecordRefusal::Busy,
    }
}

impl CommandName {
    /// The name of a command.
    pub const fn of(command: &Command) -> Self {
        match command {
            Command::Share => Self::Share,
            Command::SendRecommendation { row: _ } => Self::SendRecommendation,
            Command::Decide { .. } => Self::Decide,
            Command::Addend { text: _ } => Self::Addend,
            Command::Acknowledge { version: _ } => Self::Acknowledge,
            Command::AnswerPlan { .. } => Self::AnswerPlan,
            Command::HandOn { .. } => Self::HandOn,
            Command::Revise { reason: _ } => Self::Revise,
            Command::MarkSeen { row: _ } => Self::MarkSeen,
            Command::WithdrawRecommendation { .. } => Self::WithdrawRecommendation,
            Command::Implemented { .. } => Self::Implemented,
            Command::ActUnderAgreement { .. } => Self::ActUnderAgreement,
            Command::Verified { .. } => Self::Verified,
        }
    }
}

impl From<EditError> for RecordRefusal {
    fn from(error: EditError) -> Self {
        match error {
            EditError::InConflict => Self::InConflict,
            EditError::StaleResolution => Self::StaleResolution,
            EditError::RowRemoved => Self::RowRemoved,
            EditError::Locked => Self::Locked,
            EditError::Booked => Self::AlreadyBooked,
            EditError::Sealed => Self::Sealed,
            EditError::BaseUnknown => Self::BaseUnknown,
            EditError::BaseRefused => Self::BaseRefused,
            EditError::BadValue => Self::BadValue,
            EditError::TooLong => Self::TooLong,
            EditError::TooBig => Self::TooBig,
            EditError::UnknownAddress => Self::UnknownAddress,
            EditError::RowExists => Self::RowExists,
            EditError::ConflictFull => Self::ConflictFull,
            EditError::ListFull => Self::ListFull,
            EditError::TextBad => Self::TextBad,
            EditError::TextForeignClient => Self::TextForeignClient,
            EditError::TextGap => Self::TextGap,
            EditError::TextNotPlain => Self::TextNotPlain,
        }
    }
}

impl From<CommandError> for RecordRefusal {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::UnknownRow => Self::UnknownRow,
            CommandError::AlreadyDecided => Self::AlreadyDecided,
            CommandError::NotSent => Self::NotSent,
            CommandError::NotComplete => Self::NotComplete,
            CommandError::ChangedSince => Self::ChangedSince,
            CommandError::BadDecision => Self::BadDecision,
            CommandError::NotReady => Self::NotReady,
            CommandError::NotSigned => Self::NotSigned,
            CommandError::NotAddressee => Self::NotAddressee,
            CommandError::Sealed => Self::Sealed,
            CommandError::InConflict => Self::InConflict,
            CommandError::ListFull => Self::ListFull,
            CommandError::AlreadyBooked => Self::AlreadyBooked,
            CommandError::NotBooked => Self::NotBooked,
            CommandError::YetToCome => Self::YetToCome,
        }
    }
}
