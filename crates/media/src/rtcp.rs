//! RTCP compound packets (RFC 3550 §6): sender and receiver reports, SDES, BYE.
//!
//! A datagram is a whole compound packet that begins with a report (§6.1, validity of A.2). Types that
//! we do not use (APP, feedback, XR) are walked over by their length and kept as [`RtcpPacket::Other`].

use thiserror::Error;

/// SDES item: canonical end-point identifier (RFC 3550 §6.5.1).
pub const SDES_CNAME: u8 = 1;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const COUNT_MAX: usize = 31;

/// What a received compound packet may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtcpLimits {
    /// Whole datagram, in octets.
    pub compound_bytes_max: usize,
    /// Packets in one compound.
    pub packet_count_max: usize,
}

impl Default for RtcpLimits {
    fn default() -> Self {
        Self {
            compound_bytes_max: 1500,
            packet_count_max: 32,
        }
    }
}

/// Why a datagram is no compound RTCP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RtcpError {
    /// Over a limit.
    #[error("RTCP {what} {value} is over the limit of {value_max}")]
    OverLimit {
        /// Which measure.
        what: &'static str,
        /// What came.
        value: usize,
        /// The limit.
        value_max: usize,
    },
    /// The datagram ends inside a packet.
    #[error("RTCP datagram ends inside the {what} at octet {at}")]
    Truncated {
        /// Which part.
        what: &'static str,
        /// Where that packet starts.
        at: usize,
    },
    /// Not version 2.
    #[error("RTCP version {version} instead of 2 at octet {at} (RFC 3550 A.2)")]
    Version {
        /// What came.
        version: u8,
        /// Where.
        at: usize,
    },
    /// The first packet is not SR or RR.
    #[error("RTCP compound begins with type {0}, not with a report (RFC 3550 §6.1)")]
    NoReportFirst(u8),
    /// Padding before the last packet, or a wrong count.
    #[error(
        "RTCP padding at octet {at} is wrong: only the last packet is padded, in whole words (RFC 3550 §6.4.1)"
    )]
    Padding {
        /// Where that packet starts.
        at: usize,
    },
    /// A field to be written does not fit.
    #[error("RTCP {what} of {value} cannot be written (largest is {value_max})")]
    Unwritable {
        /// Which field.
        what: &'static str,
        /// What was given.
        value: usize,
        /// The largest that fits.
        value_max: usize,
    },
}

/// The sender's part of an SR (§6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    /// Wall clock: seconds since 1900 in the upper 32 bits, fraction below.
    pub ntp: u64,
    /// The same instant on the RTP clock.
    pub rtp_timestamp: u32,
    /// RTP packets sent.
    pub packets: u32,
    /// Payload octets sent.
    pub octets: u32,
}

/// What one receiver says about one source (§6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The source reported on.
    pub ssrc: u32,
    /// Share lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Packets lost in all; 24-bit signed, may be negative through duplicates.
    pub cumulative_lost: i32,
    /// Highest sequence number, with wrap count in the upper 16 bits.
    pub extended_highest_sequence: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time of the last SR, 0 for none.
    pub last_sr: u32,
    /// Since then, in 65536ths of a second.
    pub delay_since_last_sr: u32,
}

/// One SDES item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdesItem {
    /// 1 is CNAME.
    pub kind: u8,
    /// Octets as sent (UTF-8 by the RFC, not checked: it is never shown).
    pub text: Vec<u8>,
}

/// The items about one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdesChunk {
    /// The source.
    pub ssrc: u32,
    /// Its items.
    pub items: Vec<SdesItem>,
}

/// One packet of a compound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RtcpPacket {
    /// SR (§6.4.1).
    SenderReport {
        /// Who reports.
        ssrc: u32,
        /// What it sent.
        info: SenderInfo,
        /// What it received.
        reports: Vec<ReportBlock>,
    },
    /// RR (§6.4.2).
    ReceiverReport {
        /// Who reports.
        ssrc: u32,
        /// What it received.
        reports: Vec<ReportBlock>,
    },
    /// SDES (§6.5).
    SourceDescription(Vec<SdesChunk>),
    /// BYE (§6.6).
    Goodbye {
        /// Who leaves.
        sources: Vec<u32>,
        /// Why, as sent.
        reason: Option<Vec<u8>>,
    },
    /// Any other type: its number and body.
    Other {
        /// Packet type.
        kind: u8,
        /// The 5-bit count or subtype.
        count: u8,
        /// Behind the 4-octet header, without padding.
        body: Vec<u8>,
    },
}

/// Reads a compound packet.
///
/// # Errors
/// [`RtcpError`]; one wrong packet refuses the datagram, as A.2 asks.
pub fn parse_compound(datagram: &[u8], limits: &RtcpLimits) -> Result<Vec<RtcpPacket>, RtcpError> {
    let over = |what, value, value_max| {
        Err(RtcpError::OverLimit {
            what,
            value,
            value_max,
        })
    };
    if datagram.len() > limits.compound_bytes_max {
        return over("octet count", datagram.len(), limits.compound_bytes_max);
    }
    let mut packets = Vec::new();
    let mut at = 0;
    while at < datagram.len() || at == 0 {
        let header = datagram
            .get(at..at + 4)
            .ok_or(RtcpError::Truncated { what: "header", at })?;
        if header[0] >> 6 != 2 {
            return Err(RtcpError::Version {
                version: header[0] >> 6,
                at,
            });
        }
        let kind = header[1];
        if at == 0 && !matches!(kind, SENDER_REPORT | RECEIVER_REPORT) {
            return Err(RtcpError::NoReportFirst(kind));
        }
        if packets.len() == limits.packet_count_max {
            return over("packet count", packets.len() + 1, limits.packet_count_max);
        }
        let end = at + 4 + 4 * usize::from(u16::from_be_bytes([header[2], header[3]]));
        let mut body = datagram
            .get(at + 4..end)
            .ok_or(RtcpError::Truncated { what: "packet", at })?;
        if header[0] & 0x20 != 0 {
            let padding = usize::from(body.last().copied().unwrap_or(0));
            if end != datagram.len() || padding == 0 || padding % 4 != 0 || padding > body.len() {
                return Err(RtcpError::Padding { at });
            }
            body = &body[..body.len() - padding];
        }
        let packet = parse_body(kind, header[0] & 0x1f, body)
            .ok_or(RtcpError::Truncated { what: "body", at })?;
        packets.push(packet);
        at = end;
    }
    Ok(packets)
}

/// Writes a compound packet; the caller puts the report first.
///
/// # Errors
/// [`RtcpError::Unwritable`] when a count, text or length does not fit, [`RtcpError::NoReportFirst`].
pub fn write_compound(packets: &[RtcpPacket]) -> Result<Vec<u8>, RtcpError> {
    let mut out = Vec::new();
    for (index, packet) in packets.iter().enumerate() {
        let start = out.len();
        out.extend([0; 4]);
        let (kind, count) = write_body(packet, &mut out)?;
        if index == 0 && !matches!(kind, SENDER_REPORT | RECEIVER_REPORT) {
            return Err(RtcpError::NoReportFirst(kind));
        }
        fits("count", count, COUNT_MAX)?;
        while !out.len().is_multiple_of(4) {
            out.push(0);
        }
        let words = (out.len() - start) / 4 - 1;
        fits("length", words, 0xffff)?;
        out[start] = 0x80 | count as u8;
        out[start + 1] = kind;
        out[start + 2..start + 4].copy_from_slice(&(words as u16).to_be_bytes());
    }
    Ok(out)
}

fn fits(what: &'static str, value: usize, value_max: usize) -> Result<(), RtcpError> {
    if value > value_max {
        Err(RtcpError::Unwritable {
            what,
            value,
            value_max,
        })
    } else {
        Ok(())
    }
}

/// Takes big-endian numbers off the front of a slice.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count)?;
        self.0 = tail;
        Some(head)
    }
    fn u8(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }
    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }
}

fn parse_body(kind: u8, count: u8, body: &[u8]) -> Option<RtcpPacket> {
    let mut reader = Reader(body);
    Some(match kind {
        SENDER_REPORT => RtcpPacket::SenderReport {
            ssrc: reader.u32()?,
            info: SenderInfo {
                ntp: (u64::from(reader.u32()?) << 32) | u64::from(reader.u32()?),
                rtp_timestamp: reader.u32()?,
                packets: reader.u32()?,
                octets: reader.u32()?,
            },
            reports: parse_reports(&mut reader, count)?,
        },
        RECEIVER_REPORT => RtcpPacket::ReceiverReport {
            ssrc: reader.u32()?,
            reports: parse_reports(&mut reader, count)?,
        },
        SOURCE_DESCRIPTION => {
            let mut chunks = Vec::with_capacity(usize::from(count));
            for _ in 0..count {
                chunks.push(parse_chunk(&mut reader)?);
            }
            RtcpPacket::SourceDescription(chunks)
        }
        GOODBYE => {
            let mut sources = Vec::with_capacity(usize::from(count));
            for _ in 0..count {
                sources.push(reader.u32()?);
            }
            let reason = match reader.u8() {
                Some(length) => Some(reader.take(usize::from(length))?.to_vec()),
                None => None,
            };
            RtcpPacket::Goodbye { sources, reason }
        }
        kind => RtcpPacket::Other {
            kind,
            count,
            body: body.to_vec(),
        },
    })
}

fn parse_reports(reader: &mut Reader<'_>, count: u8) -> Option<Vec<ReportBlock>> {
    let mut reports = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let ssrc = reader.u32()?;
        let loss = reader.u32()?;
        reports.push(ReportBlock {
            ssrc,
            fraction_lost: (loss >> 24) as u8,
            cumulative_lost: ((loss << 8) as i32) >> 8,
            extended_highest_sequence: reader.u32()?,
            jitter: reader.u32()?,
            last_sr: reader.u32()?,
            delay_since_last_sr: reader.u32()?,
        });
    }
    Some(reports)
}

/// A chunk ends with at least one null octet and runs to the next 32-bit boundary (§6.5).
fn parse_chunk(reader: &mut Reader<'_>) -> Option<SdesChunk> {
    let before = reader.0.len();
    let ssrc = reader.u32()?;
    let mut items = Vec::new();
    loop {
        let kind = reader.u8()?;
        if kind == 0 {
            break;
        }
        let length = reader.u8()?;
        items.push(SdesItem {
            kind,
            text: reader.take(usize::from(length))?.to_vec(),
        });
    }
    let used = before - reader.0.len();
    reader.take(used.next_multiple_of(4) - used)?;
    Some(SdesChunk { ssrc, items })
}

fn write_body(packet: &RtcpPacket, out: &mut Vec<u8>) -> Result<(u8, usize), RtcpError> {
    Ok(match packet {
        RtcpPacket::SenderReport {
            ssrc,
            info,
            reports,
        } => {
            out.extend(ssrc.to_be_bytes());
            out.extend(info.ntp.to_be_bytes());
            out.extend(info.rtp_timestamp.to_be_bytes());
            out.extend(info.packets.to_be_bytes());
            out.extend(info.octets.to_be_bytes());
            write_reports(reports, out);
            (SENDER_REPORT, reports.len())
        }
        RtcpPacket::ReceiverReport { ssrc, reports } => {
            out.extend(ssrc.to_be_bytes());
            write_reports(reports, out);
            (RECEIVER_REPORT, reports.len())
        }
        RtcpPacket::SourceDescription(chunks) => {
            for chunk in chunks {
                let start = out.len();
                out.extend(chunk.ssrc.to_be_bytes());
                for item in &chunk.items {
                    fits("SDES text", item.text.len(), 255)?;
                    out.extend([item.kind, item.text.len() as u8]);
                    out.extend(&item.text);
                }
                out.push(0);
                while !(out.len() - start).is_multiple_of(4) {
                    out.push(0);
                }
            }
            (SOURCE_DESCRIPTION, chunks.len())
        }
        RtcpPacket::Goodbye { sources, reason } => {
            for source in sources {
                out.extend(source.to_be_bytes());
            }
            if let Some(reason) = reason {
                fits("BYE reason", reason.len(), 255)?;
                out.push(reason.len() as u8);
                out.extend(reason);
            }
            (GOODBYE, sources.len())
        }
        RtcpPacket::Other { kind, count, body } => {
            out.extend(body);
            (*kind, usize::from(*count))
        }
    })
}

fn write_reports(reports: &[ReportBlock], out: &mut Vec<u8>) {
    for report in reports {
        out.extend(report.ssrc.to_be_bytes());
        // 24-bit signed: what does not fit stays at the end of the scale (A.3).
        let lost = report.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff);
        let word = (u32::from(report.fraction_lost) << 24) | (lost as u32 & 0x00ff_ffff);
        out.extend(word.to_be_bytes());
        out.extend(report.extended_highest_sequence.to_be_bytes());
        out.extend(report.jitter.to_be_bytes());
        out.extend(report.last_sr.to_be_bytes());
        out.extend(report.delay_since_last_sr.to_be_bytes());
    }
}
