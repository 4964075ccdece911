//! Who did what to which object. Ids only: no name, no clinical text.

use clinical::actor::{Millis, Role};
use clinical::id::{CallId, PersonId, SeatId, VisitId};

/// One line of the log of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at_ms: Millis,
    /// The visit.
    pub visit: VisitId,
    /// Its live part.
    pub call: CallId,
    /// From which seat.
    pub seat: SeatId,
    /// Who.
    pub person: PersonId,
    /// In which role.
    pub role: Role,
    /// What.
    pub deed: Deed,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Connected for the first time, or again after having left.
    Joined,
    /// Came back to the same place after its line was gone, or from another device.
    Resumed,
    /// Let somebody in.
    Admitted {
        /// Whom.
        whom: SeatId,
    },
    /// Heard the patient agree that somebody joins.
    AgreementHeard {
        /// Who joins.
        whom: SeatId,
    },
    /// Put somebody back into the waiting room.
    SentBack {
        /// Whom.
        whom: SeatId,
    },
    /// Left by its own word.
    Left,
    /// Its line was gone for so long that others see it as absent.
    LineLost,
    /// Said that the visit goes on by telephone.
    ConvertedToPhone,
    /// Said that it goes on by video again.
    BackToVideo,
    /// Said that the telephone call is over, or left in the middle of it.
    PhoneOver,
    /// Ended the visit for everybody.
    Ended,
    /// Asked for something it may not do.
    Denied {
        /// `type` of the message.
        message: &'static str,
    },
}

impl Deed {
    /// The stable code in logs and tables.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Joined => "call.joined",
            Self::Resumed => "call.resumed",
            Self::Admitted { .. } => "call.admitted",
            Self::AgreementHeard { .. } => "consent.given",
            Self::SentBack { .. } => "call.sent_back",
            Self::Left => "call.left",
            Self::LineLost => "call.line_lost",
            Self::ConvertedToPhone => "call.converted_to_phone",
            Self::BackToVideo => "call.back_to_video",
            Self::PhoneOver => "call.phone_over",
            Self::Ended => "call.ended",
            Self::Denied { .. } => "call.denied",
        }
    }

    /// The seat it was done to, if not the own.
    pub const fn whom(self) -> Option<SeatId> {
        match self {
            Self::Admitted { whom } | Self::AgreementHeard { whom } | Self::SentBack { whom } => {
                Some(whom)
            }
            Self::Joined
            | Self::Resumed
            | Self::Left
            | Self::LineLost
            | Self::ConvertedToPhone
            | Self::BackToVideo
            | Self::PhoneOver
            | Self::Ended
            | Self::Denied { .. } => None,
        }
    }
}
