//! Why an offer is refused.

/// Why an offer was not taken. Each is a rule of the wire format's description; the client can only fix itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// More than [`super::MAX_OFFER_BYTES`].
    #[error("the offer is too large")]
    TooLarge,
    /// Not SDP, or an attribute is not what its RFC says.
    #[error("the offer is not well-formed")]
    Syntax,
    /// More than [`super::MAX_LINES`].
    #[error("the offer has too many m-lines")]
    TooManyLines,
    /// More than [`super::MAX_EXTENSIONS`] on one m-line.
    #[error("the offer has too many header extensions")]
    TooManyExtensions,
    /// More than [`super::MAX_PAYLOAD_TYPES`] on one m-line.
    #[error("the offer has too many payload types")]
    TooManyPayloadTypes,
    /// More than [`super::MAX_SSRCS`].
    #[error("the offer has too many SSRCs")]
    TooManySsrcs,
    /// An m-line without a usable `a=mid`.
    #[error("the offer has an m-line without a mid")]
    BadMid,
    /// One mid on two m-lines.
    #[error("the offer repeats a mid")]
    RepeatedMid,
    /// One SSRC on two m-lines.
    #[error("the offer repeats an SSRC")]
    RepeatedSsrc,
    /// One header extension id, or one payload type, means two things inside the bundle (RFC 9143 §7.1.2, §9.1).
    #[error("the offer gives one number two meanings")]
    AmbiguousNumber,
    /// No `a=fingerprint`.
    #[error("the offer has no fingerprint")]
    NoFingerprint,
    /// Another hash than SHA-256.
    #[error("the offer has a fingerprint other than SHA-256")]
    WeakFingerprint,
    /// Two different fingerprints.
    #[error("the offer has two fingerprints")]
    TwoFingerprints,
    /// A source of the negotiation before is no longer offered in the codec in which it is sent.
    #[error("the offer changes the codec of a source")]
    ChangedCodec,
    /// Not the certificate that this transport began with.
    #[error("the offer changes the certificate of its transport")]
    ChangedFingerprint,
    /// `a=setup` is missing or not `actpass` (RFC 8842 §5.2): we are always the DTLS server.
    #[error("the offer does not leave the DTLS role to us")]
    BadSetup,
    /// No `a=ice-ufrag` and `a=ice-pwd` of the lengths of RFC 8839 §5.4.
    #[error("the offer has no ICE credentials")]
    BadIce,
    /// An m-line without `a=rtcp-mux`.
    #[error("the offer does not multiplex RTCP")]
    NoRtcpMux,
    /// An m-line outside the one BUNDLE group.
    #[error("the offer is not one bundle")]
    NotBundled,
    /// The first m-line, which carries the transport, is nothing that we take.
    #[error("the first m-line of the offer cannot be taken")]
    BadFirstLine,
    /// An m-line of the negotiation before is missing or has another mid.
    #[error("the offer moves an m-line")]
    MovedLine,
    /// A slot of the negotiation before is no longer received.
    #[error("the offer closes a slot")]
    ClosedSlot,
    /// Not the offer's fault: the relay has stopped, or the system gives no randomness.
    #[error("no offer can be answered now")]
    Unavailable,
}
