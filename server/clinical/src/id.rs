//! Identifiers. They are random and name nobody, so they may appear in logs; none of them is a capability.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $brand:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
        #[cfg_attr(feature = "typescript", ts(export_to = "wire.ts"))]
        #[serde(transparent)]
        pub struct $name(
            #[cfg_attr(feature = "typescript", ts(type = $brand))]
            pub Uuid,
        );

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// A patient's chart, across records and visits.
    PatientId, "string & { readonly patientId: unique symbol }"
);
id!(
    /// A person who writes: staff, patient, caregiver. The same in every visit.
    PersonId, "string & { readonly personId: unique symbol }"
);
id!(
    /// One person's place in one visit; survives reload, second device and phone.
    SeatId, "string & { readonly seatId: unique symbol }"
);
id!(
    /// What is scheduled and documented.
    VisitId, "string & { readonly visitId: unique symbol }"
);
id!(
    /// The live part of a visit.
    CallId, "string & { readonly callId: unique symbol }"
);
id!(
    /// One WebSocket of one seat.
    ConnectionId, "string & { readonly connectionId: unique symbol }"
);
id!(
    /// One patient's working papers in one episode of care: a `plan`, a `voice` and a `team` document.
    RecordId, "string & { readonly recordId: unique symbol }"
);
id!(
    /// One document: the unit of order, ownership, sealing and encryption.
    DocId, "string & { readonly docId: unique symbol }"
);
id!(
    /// A row in a list, UUIDv7 made by whoever adds it.
    RowId, "string & { readonly rowId: unique symbol }"
);
id!(
    /// An edit or a command, UUIDv7 made by the client; unique in its document. Resending is harmless.
    EditId, "string & { readonly editId: unique symbol }"
);
id!(
    /// An agreement of collaborative drug therapy management, UUIDv7 made by the client that drafts it.
    AgreementId, "string & { readonly agreementId: unique symbol }"
);
id!(
    /// An entry of an agreement, UUIDv7 made by the client. Sending it again is harmless.
    EntryId, "string & { readonly entryId: unique symbol }"
);
