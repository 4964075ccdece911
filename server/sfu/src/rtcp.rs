//! Views of received RTCP packets and writers of ours (RFC 3550 §6, RFC 4585, RFC 5104). Nothing is copied or allocated.

use crate::acknowledgement::Acknowledgement;
use crate::bytes::{Writer, u16_at, u32_at};
use crate::plan::Ssrc;
use crate::time::NtpTime;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const GOODBYE: u8 = 203;
pub(crate) const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;

/// Header, sender and media SSRC of a feedback message (RFC 4585 §6.1).
pub(crate) const PAYLOAD_FEEDBACK_HEADER_BYTES: usize = 12;

const REPORT_BLOCK_BYTES: usize = 24;

/// One packet of a compound.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Packet<'a> {
    SenderReport {
        sender: Ssrc,
        ntp: NtpTime,
        rtp: u32,
        reports: &'a [u8],
    },
    ReceiverReport {
        reports: &'a [u8],
    },
    /// SSRCs that ended.
    Goodbye {
        sources: &'a [u8],
    },
    /// Pairs of packet id and bit mask.
    Nack {
        media: Ssrc,
        pairs: &'a [u8],
    },
    PictureLoss {
        media: Ssrc,
    },
    /// Transport-wide feedback about what we send.
    Acknowledgement(Acknowledgement<'a>),
    /// Entries of SSRC and command number, 8 bytes each.
    FullIntra {
        entries: &'a [u8],
    },
    /// Source descriptions, receivers' estimates: not used by this relay.
    Other,
}

/// What one report says about one SSRC of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReportBlock {
    pub(crate) ssrc: Ssrc,
    /// In 1/256, since its last report.
    pub(crate) fraction_lost: u8,
    pub(crate) last_sender_report: u32,
    pub(crate) delay: u32,
}

/// The SSRC of the sender of the first packet: it stands in the clear in SRTCP too.
pub(crate) fn sender(bytes: &[u8]) -> Option<Ssrc> {
    u32_at(bytes, 4).map(Ssrc)
}

/// The packets of a compound. Ends at the first that does not parse.
pub(crate) fn packets(bytes: &[u8]) -> impl Iterator<Item = Packet<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let &[first, kind, ..] = rest else { return None };
        let len = 4 * (usize::from(u16_at(rest, 2)?) + 1);
        if first >> 6 != 2 {
            return None;
        }
        let (packet, after) = rest.split_at_checked(len)?;
        rest = after;
        Some(parse(first & 0x1f, kind, packet).unwrap_or(Packet::Other))
    })
}

fn parse(count: u8, kind: u8, packet: &[u8]) -> Option<Packet<'_>> {
    let blocks = REPORT_BLOCK_BYTES * usize::from(count);
    Some(match (kind, count) {
        (SENDER_REPORT, _) => Packet::SenderReport {
            sender: Ssrc(u32_at(packet, 4)?),
            ntp: NtpTime(u64::from(u32_at(packet, 8)?) << 32 | u64::from(u32_at(packet, 12)?)),
            rtp: u32_at(packet, 16)?,
            reports: packet.get(28..28 + blocks)?,
        },
        (RECEIVER_REPORT, _) => Packet::ReceiverReport { reports: packet.get(8..8 + blocks)? },
        (GOODBYE, _) => Packet::Goodbye { sources: packet.get(4..4 + 4 * usize::from(count))? },
        (TRANSPORT_FEEDBACK, 1) => {
            Packet::Nack { media: Ssrc(u32_at(packet, 8)?), pairs: packet.get(12..)? }
        }
        (TRANSPORT_FEEDBACK, 15) => Packet::Acknowledgement(Acknowledgement::parse(packet)?),
        (PAYLOAD_FEEDBACK, 1) => Packet::PictureLoss { media: Ssrc(u32_at(packet, 8)?) },
        (PAYLOAD_FEEDBACK, 4) => Packet::FullIntra { entries: packet.get(12..)? },
        _ => Packet::Other,
    })
}

/// The blocks of a report.
pub(crate) fn report_blocks(reports: &[u8]) -> impl Iterator<Item = ReportBlock> {
    reports.chunks_exact(REPORT_BLOCK_BYTES).filter_map(|block| {
        Some(ReportBlock {
            ssrc: Ssrc(u32_at(block, 0)?),
            fraction_lost: *block.get(4)?,
            last_sender_report: u32_at(block, 16)?,
            delay: u32_at(block, 20)?,
        })
    })
}

/// SSRCs in a list of entries of `stride` bytes.
pub(crate) fn ssrcs(entries: &[u8], stride: usize) -> impl Iterator<Item = Ssrc> {
    entries.chunks_exact(stride).filter_map(|entry| u32_at(entry, 0).map(Ssrc))
}

/// Sequence numbers that a NACK names.
pub(crate) fn nacked(pairs: &[u8]) -> impl Iterator<Item = u16> {
    pairs.chunks_exact(4).flat_map(|pair| {
        let first = u16_at(pair, 0);
        let mask = u16_at(pair, 2).unwrap_or(0);
        let following = (0..16_u16).filter(move |bit| mask & (1 << bit) != 0);
        first.into_iter().chain(following.filter_map(move |bit| Some(first?.wrapping_add(bit + 1))))
    })
}

/// One report block about an SSRC that we receive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reception {
    pub(crate) ssrc: Ssrc,
    /// In 1/256, since the last report.
    pub(crate) fraction_lost: u8,
    /// 24 bits.
    pub(crate) cumulative_lost: u32,
    pub(crate) highest: u32,
    pub(crate) jitter: u32,
    pub(crate) last_sender_report: u32,
    pub(crate) delay: u32,
}

/// A receiver report. `blocks` beyond 31 do not fit one packet (RFC 3550 §6.4.2) and are left out.
pub(crate) fn write_receiver_report(
    writer: &mut Writer<'_>,
    sender: Ssrc,
    blocks: &[Reception],
) -> Option<()> {
    let blocks = blocks.get(..blocks.len().min(31))?;
    let count = u8::try_from(blocks.len()).ok()?;
    put_header(writer, count, RECEIVER_REPORT, 8 + REPORT_BLOCK_BYTES * blocks.len())?;
    writer.put(&sender.0.to_be_bytes())?;
    for block in blocks {
        writer.put(&block.ssrc.0.to_be_bytes())?;
        writer.put(
            &(u32::from(block.fraction_lost) << 24 | block.cumulative_lost & 0x00ff_ffff)
                .to_be_bytes(),
        )?;
        for field in [block.highest, block.jitter, block.last_sender_report, block.delay] {
            writer.put(&field.to_be_bytes())?;
        }
    }
    Some(())
}

/// A sender report without blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SenderReport {
    pub(crate) ssrc: Ssrc,
    pub(crate) ntp: NtpTime,
    pub(crate) rtp: u32,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
}

impl SenderReport {
    pub(crate) fn write(&self, writer: &mut Writer<'_>) -> Option<()> {
        put_header(writer, 0, SENDER_REPORT, 28)?;
        writer.put(&self.ssrc.0.to_be_bytes())?;
        writer.put(&self.ntp.0.to_be_bytes())?;
        for field in [self.rtp, self.packets, self.octets] {
            writer.put(&field.to_be_bytes())?;
        }
        Some(())
    }
}

/// A picture loss indication (RFC 4585 §6.3.1).
pub(crate) fn write_picture_loss(writer: &mut Writer<'_>, sender: Ssrc, media: Ssrc) -> Option<()> {
    put_header(writer, 1, PAYLOAD_FEEDBACK, PAYLOAD_FEEDBACK_HEADER_BYTES)?;
    writer.put(&sender.0.to_be_bytes())?;
    writer.put(&media.0.to_be_bytes())
}

/// A NACK for sequence numbers in ascending order.
pub(crate) fn write_nack(
    writer: &mut Writer<'_>,
    sender: Ssrc,
    media: Ssrc,
    sequences: &[u16],
) -> Option<()> {
    let pairs = || {
        let mut rest = sequences;
        std::iter::from_fn(move || {
            let (&first, mut after) = rest.split_first()?;
            let mut mask = 0_u16;
            while let Some((&next, later)) = after.split_first() {
                let distance = next.wrapping_sub(first);
                if !(1..=16).contains(&distance) {
                    break;
                }
                mask |= 1 << (distance - 1);
                after = later;
            }
            rest = after;
            Some((first, mask))
        })
    };
    let len = PAYLOAD_FEEDBACK_HEADER_BYTES + 4 * pairs().count();
    put_header(writer, 1, TRANSPORT_FEEDBACK, len)?;
    writer.put(&sender.0.to_be_bytes())?;
    writer.put(&media.0.to_be_bytes())?;
    for (first, mask) in pairs() {
        writer.put(&first.to_be_bytes())?;
        writer.put(&mask.to_be_bytes())?;
    }
    Some(())
}

fn put_header(writer: &mut Writer<'_>, count: u8, kind: u8, len: usize) -> Option<()> {
    writer.put(&[0x80 | count, kind])?;
    writer.put(&u16::try_from(len / 4 - 1).ok()?.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use rtc_rtcp::packet::unmarshal;
    use rtc_rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
    use rtc_rtcp::receiver_report::ReceiverReport;
    use rtc_rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;

    use super::*;

    #[test]
    fn what_we_write_is_read_by_rtc_rtcp_and_by_us() {
        let mut buffer = [0; 1_200];
        let mut writer = Writer::new(&mut buffer);
        let lost = [5, 6, 22, 23, 65_535];
        let block = Reception {
            ssrc: Ssrc(9),
            fraction_lost: 26,
            cumulative_lost: 300,
            highest: 70_000,
            jitter: 11,
            last_sender_report: 5,
            delay: 6,
        };
        write_receiver_report(&mut writer, Ssrc(1), &[block]).unwrap();
        write_nack(&mut writer, Ssrc(1), Ssrc(9), &lost).unwrap();
        write_picture_loss(&mut writer, Ssrc(1), Ssrc(9)).unwrap();
        let len = writer.len();
        let bytes = &buffer[..len];

        let theirs = unmarshal(&mut &bytes[..]).unwrap();
        let report = theirs[0].as_any().downcast_ref::<ReceiverReport>().unwrap();
        assert_eq!(report.reports[0].total_lost, 300);
        assert_eq!(report.reports[0].last_sequence_number, 70_000);
        let nack = theirs[1].as_any().downcast_ref::<TransportLayerNack>().unwrap();
        let named: Vec<u16> = nack.nacks.iter().flat_map(|pair| pair.packet_list()).collect();
        assert_eq!(named, lost);
        let loss = theirs[2].as_any().downcast_ref::<PictureLossIndication>().unwrap();
        assert_eq!((loss.sender_ssrc, loss.media_ssrc), (1, 9));

        let ours: Vec<_> = packets(bytes).collect();
        let [
            Packet::ReceiverReport { reports },
            Packet::Nack { media: Ssrc(9), pairs },
            Packet::PictureLoss { media: Ssrc(9) },
        ] = ours[..]
        else {
            panic!("{ours:?}")
        };
        assert_eq!(report_blocks(reports).map(|block| block.delay).collect::<Vec<_>>(), [6]);
        assert_eq!(nacked(pairs).collect::<Vec<_>>(), lost);
    }

    #[test]
    fn truncated_compounds_end_without_a_panic() {
        let mut buffer = [0; 100];
        let mut writer = Writer::new(&mut buffer);
        write_nack(&mut writer, Ssrc(1), Ssrc(9), &[1, 2, 3]).unwrap();
        let report = SenderReport { ssrc: Ssrc(3), ntp: NtpTime(0), rtp: 0, packets: 0, octets: 0 };
        report.write(&mut writer).unwrap();
        let len = writer.len();
        for cut in 0..len {
            let whole = packets(&buffer[..cut]).count();
            assert_eq!(whole, usize::from(cut >= 16));
        }
    }
}
