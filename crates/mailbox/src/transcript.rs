//! What a caller said, as text.

use hearthline_media::SAMPLE_RATE_HZ;
use hearthline_voice::transcribe::{Moonshine, TranscribeError};

/// Longest piece that is transcribed at once, in seconds: the recogniser hears whole sentences, not minutes.
pub const SEGMENT_S_MAX: usize = 15;
/// Where a piece may end, in seconds before its longest end.
const SEARCH_S: usize = 5;
/// A window of 20 ms, in samples.
const WINDOW: usize = SAMPLE_RATE_HZ as usize / 50;

/// The words of a recording, piece by piece; each ends where it is quietest.
///
/// # Errors
/// [`TranscribeError`]: the models.
pub fn transcript(recogniser: &mut Moonshine, samples: &[i16]) -> Result<String, TranscribeError> {
    let mut text = String::new();
    for piece in pieces(samples) {
        let sound: Vec<f32> = piece.iter().map(|&one| f32::from(one) / 32_768.0).collect();
        let encoded = recogniser.encode(&sound)?;
        let heard = recogniser.greedy(&encoded)?;
        let heard = heard.text.trim();
        if !heard.is_empty() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(heard);
        }
    }
    Ok(text)
}

fn pieces(mut rest: &[i16]) -> Vec<&[i16]> {
    let rate = SAMPLE_RATE_HZ as usize;
    let most = SEGMENT_S_MAX * rate;
    let mut pieces = Vec::new();
    while rest.len() > most {
        let from = most - SEARCH_S * rate;
        let quietest = rest[from..most]
            .chunks_exact(WINDOW)
            .enumerate()
            .min_by_key(|(_, window)| -> u64 {
                window.iter().map(|one| u64::from(one.unsigned_abs())).sum()
            });
        let end = quietest.map_or(most, |(index, _)| from + index * WINDOW + WINDOW / 2);
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    // A fifth of a second holds no word.
    if rest.len() > rate / 5 {
        pieces.push(rest);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_where_it_is_quiet_and_lose_nothing() {
        let rate = SAMPLE_RATE_HZ as usize;
        let mut sound = vec![1_000_i16; 40 * rate];
        // A pause at 13 s.
        sound[13 * rate..13 * rate + 1_600].fill(0);
        let pieces = pieces(&sound);
        assert_eq!(
            pieces.iter().map(|piece| piece.len()).sum::<usize>(),
            sound.len()
        );
        assert!(
            pieces
                .iter()
                .all(|piece| piece.len() <= SEGMENT_S_MAX * rate)
        );
        assert!((13 * rate..13 * rate + 1_600).contains(&pieces[0].len()));
        assert!(super::pieces(&[0; 100]).is_empty());
    }
}
