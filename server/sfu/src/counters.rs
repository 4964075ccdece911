//! What a worker counts. Numbers only: nothing here names a peer or an address.

/// One counter as an operator reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The field.
    pub name: &'static str,
    /// What it counts: the field's comment.
    pub help: &'static str,
    /// Since the start.
    pub value: u64,
}

/// Declares a struct of counters whose names and comments can be read with their values, so that none is forgotten
/// where they are published.
#[macro_export]
macro_rules! counters {
    ($(#[$outer:meta])* pub struct $name:ident {
        $($(#[doc = $help:literal])+ pub $field:ident: u64,)*
    }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[doc = $help])+ pub $field: u64,)*
        }

        impl $name {
            /// Each counter.
            pub fn each(&self) -> impl Iterator<Item = $crate::counters::Counter> {
                [$($crate::counters::Counter {
                    name: stringify!($field),
                    help: concat!($($help),+),
                    value: self.$field,
                }),*].into_iter()
            }
        }
    };
}

counters! {
    /// Totals since start.
    pub struct Counters {
        /// Datagrams taken in.
        pub received_packets: u64,
        /// Their bytes.
        pub received_bytes: u64,
        /// RTP packets that authenticated.
        pub media_packets_in: u64,
        /// RTP packets sent to subscribers, retransmissions included.
        pub forwarded_packets: u64,
        /// Bytes of those, with header and tag.
        pub forwarded_bytes: u64,
        /// Retransmissions among the forwarded.
        pub retransmitted_packets: u64,
        /// Sound sent with earlier frames beside its own (RFC 2198).
        pub redundant_packets: u64,
        /// Padding sent to find out what a line carries.
        pub probe_packets: u64,
        /// Padding sent under the number of a packet that its subscriber does not need and that came late.
        pub filled_packets: u64,
        /// Calls whose people were seated anew.
        pub seatings: u64,
        /// Pictures paused for want of bandwidth.
        pub video_pauses: u64,
        /// Everything sent that is not media: STUN, DTLS, RTCP.
        pub control_packets_out: u64,
        /// Valid STUN checks.
        pub stun_checks: u64,
        /// Checks of ours, to addresses from which authentic media came and no check.
        pub path_checks_sent: u64,
        /// Valid answers to those.
        pub path_checks_answered: u64,
        /// Handshakes completed.
        pub handshakes: u64,
        /// Among them those that fell back to AES128_CM_HMAC_SHA1_80 or AEAD_AES_256_GCM.
        pub handshakes_with_fallback_profile: u64,
        /// Picture loss indications sent to publishers.
        pub keyframe_requests_sent: u64,
        /// PLI and FIR from subscribers, merged ones included.
        pub keyframe_requests_received: u64,
        /// Negative acknowledgements sent to publishers, in sequence numbers.
        pub nacks_sent: u64,
        /// The same from subscribers.
        pub nacks_received: u64,
        /// Packets restored by a publisher's RTX stream.
        pub recovered_packets: u64,
        /// Packets of sound restored from a later packet of their publisher, which repeats their frames (RFC 2198).
        pub recovered_frames: u64,
        /// Dropped: no byte, or more than 1 500.
        pub dropped_length: u64,
        /// Dropped: first byte of no protocol of ours (RFC 7983).
        pub dropped_first_byte: u64,
        /// Dropped: from an address that no authenticated check vouched for.
        pub dropped_unknown_address: u64,
        /// Dropped: STUN that does not parse, or is no binding request.
        pub dropped_stun_malformed: u64,
        /// Dropped: STUN for a ufrag nobody has.
        pub dropped_stun_unknown_ufrag: u64,
        /// Dropped: STUN with wrong FINGERPRINT or MESSAGE-INTEGRITY.
        pub dropped_stun_integrity: u64,
        /// Dropped: a STUN answer to nothing that we asked.
        pub dropped_stun_unasked: u64,
        /// Dropped: STUN whose answer would be longer than the question.
        pub dropped_stun_amplification: u64,
        /// Dropped: a check from one more new address than allowed.
        pub dropped_rebinding: u64,
        /// Dropped: DTLS beyond the caps.
        pub dropped_dtls_limit: u64,
        /// DTLS records that were refused.
        pub dtls_errors: u64,
        /// Dropped: media before the handshake.
        pub dropped_before_keys: u64,
        /// Dropped: RTP or RTCP that does not parse.
        pub dropped_malformed: u64,
        /// Dropped: an SSRC that was not declared, or one too many.
        pub dropped_undeclared_ssrc: u64,
        /// Dropped: a payload type that was not negotiated.
        pub dropped_payload_type: u64,
        /// Dropped: the authentication tag is wrong.
        pub dropped_authentication: u64,
        /// Dropped: seen before, or older than the window.
        pub dropped_replay: u64,
        /// Dropped: over a peer's packet or bit rate.
        pub dropped_rate: u64,
        /// Dropped: padding without media; counted for congestion feedback and never forwarded.
        pub padding_packets: u64,
        /// Not forwarded: the cache had to give up the packet before it was sent.
        pub cache_overruns: u64,
        /// Refused: would have used an SRTP index twice.
        pub refused_srtp_index: u64,
        /// Not sent: no consent of the other side.
        pub dropped_no_consent: u64,
        /// Retransmissions refused: asked again within a round trip, over the budget, or no longer kept.
        pub refused_retransmissions: u64,
        /// Commands about a peer or track that does not exist.
        pub stray_commands: u64,
        /// Control datagrams dropped because their queue was full.
        pub dropped_control_queue: u64,
    }
}
