//! The one spelling of a WAV file that a bundle has: 44 bytes of header, mono, 16 bit.

/// Length of the header, bytes.
pub(crate) const HEADER_BYTES: usize = 44;

/// Header and samples.
pub(crate) fn write(rate_hz: u32, pcm: &[u8]) -> Vec<u8> {
    let mut wav = header(rate_hz, pcm.len()).to_vec();
    wav.extend_from_slice(pcm);
    wav
}

/// The samples' bytes, when the header is exactly the one that [`write()`] makes.
pub(crate) fn read(wav: &[u8], rate_hz: u32) -> Option<&[u8]> {
    let (found, pcm) = wav.split_first_chunk::<HEADER_BYTES>()?;
    (pcm.len().is_multiple_of(2) && *found == header(rate_hz, pcm.len())).then_some(pcm)
}

fn header(rate_hz: u32, pcm_bytes: usize) -> [u8; HEADER_BYTES] {
    let data = u32::try_from(pcm_bytes).expect("a bundle is at most 256 MiB");
    let mut header = [0; HEADER_BYTES];
    header[..4].copy_from_slice(b"RIFF");
    header[4..8].copy_from_slice(&data.saturating_add(36).to_le_bytes());
    header[8..16].copy_from_slice(b"WAVEfmt ");
    header[16..20].copy_from_slice(&16u32.to_le_bytes());
    header[20..22].copy_from_slice(&1u16.to_le_bytes()); // PCM
    header[22..24].copy_from_slice(&1u16.to_le_bytes()); // mono
    header[24..28].copy_from_slice(&rate_hz.to_le_bytes());
    header[28..32].copy_from_slice(&rate_hz.wrapping_mul(2).to_le_bytes());
    header[32..34].copy_from_slice(&2u16.to_le_bytes());
    header[34..36].copy_from_slice(&16u16.to_le_bytes());
    header[36..40].copy_from_slice(b"data");
    header[40..].copy_from_slice(&data.to_le_bytes());
    header
}
