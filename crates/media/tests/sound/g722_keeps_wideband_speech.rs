//! G.722 at 64 kbit/s: quality of our own pair, and agreement with an independent implementation.
#![allow(clippy::disallowed_methods)] // the oracle is another program

use std::process::{Command, Stdio};

use crate::signal::{Dice, rms, snr_db, speech, tone};
use hearthline_media::{G722Decoder, G722Encoder};

fn through(samples: &[i16]) -> Vec<i16> {
    let (mut octets, mut out) = (Vec::new(), Vec::new());
    G722Encoder::new().encode(samples, &mut octets);
    assert_eq!(octets.len(), samples.len() / 2);
    G722Decoder::new().decode(&octets, &mut out);
    out
}

#[test]
fn speech_comes_back_with_the_codecs_delay() {
    let sent = speech(64_000);
    let (snr, delay) = snr_db(&sent[..63_000], &through(&sent), 64);
    println!("speech: {snr:.1} dB at {delay} samples");
    assert_eq!(delay, 22); // two 24-tap filters of 11.5 samples, less one pair
    assert!(snr > 18.0, "{snr}");
}

#[test]
fn tones_in_both_bands_come_back() {
    for (frequency, least) in [
        (300.0, 30.0),
        (1000.0, 30.0),
        (3000.0, 25.0),
        (6000.0, 12.0),
    ] {
        let sent = tone(frequency, 8000.0, 16_000);
        let heard = through(&sent);
        let (snr, _) = snr_db(&sent[4000..15_000], &heard[4000..], 64);
        println!("{frequency} Hz: {snr:.1} dB");
        assert!(snr > least, "{frequency} Hz: {snr}");
    }
}

#[test]
fn silence_stays_silent_and_full_scale_does_not_wrap() {
    assert!(rms(&through(&[0; 16_000])) < 4.0);
    let square: Vec<i16> = (0..16_000)
        .map(|n| if n / 40 % 2 == 0 { i16::MAX } else { i16::MIN })
        .collect();
    let heard = through(&square);
    // A wrap would turn the sign over in the middle of a half wave.
    for n in (200..15_000).filter(|n| (10..30).contains(&(n % 40))) {
        assert_eq!(heard[n + 22] > 0, square[n] > 0, "sample {n}");
    }
}

#[test]
fn any_octets_decode_without_running_away() {
    let mut dice = Dice(3);
    let octets: Vec<u8> = (0..100_000).map(|_| dice.next() as u8).collect();
    let mut out = Vec::new();
    let mut decoder = G722Decoder::new();
    decoder.decode(&octets, &mut out);
    assert_eq!(out.len(), 200_000);
    // After garbage the state recovers: the encoder's leak makes both ends meet again.
    let sent = speech(96_000);
    let mut encoded = Vec::new();
    G722Encoder::new().encode(&sent, &mut encoded);
    let mut heard = Vec::new();
    decoder.decode(&encoded, &mut heard);
    let (snr, _) = snr_db(&sent[64_000..95_000], &heard[64_000..], 64);
    assert!(snr > 15.0, "{snr}");
}

#[test]
fn splitting_the_input_anywhere_changes_nothing() {
    let sent = speech(3200);
    let mut whole = Vec::new();
    G722Encoder::new().encode(&sent, &mut whole);
    let (mut encoder, mut pieces) = (G722Encoder::new(), Vec::new());
    for piece in sent.chunks(7) {
        encoder.encode(piece, &mut pieces);
    }
    assert_eq!(whole, pieces);
}

/// `ffmpeg`, if installed, as an independent codec. None: said, and the test ends.
fn ffmpeg(arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    use std::io::Write as _;
    let mut child = Command::new("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-nostdin"])
        .args(arguments)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "ffmpeg refused");
    Some(output.stdout)
}

fn to_bytes(samples: &[i16]) -> Vec<u8> {
    samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect()
}

fn to_samples(bytes: &[u8]) -> Vec<i16> {
    bytes
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect()
}

#[test]
fn ffmpeg_decodes_our_octets_to_our_very_samples() {
    let sent = speech(64_000);
    let (mut octets, mut ours) = (Vec::new(), Vec::new());
    G722Encoder::new().encode(&sent, &mut octets);
    G722Decoder::new().decode(&octets, &mut ours);
    let arguments = ["-f", "g722", "-i", "-", "-f", "s16le", "-ar", "16000"];
    let Some(theirs) = ffmpeg(&arguments, &octets) else {
        println!("skipped: no ffmpeg (Debian package `ffmpeg`)");
        return;
    };
    let theirs = to_samples(&theirs);
    let different = ours.iter().zip(&theirs).filter(|(a, b)| a != b).count();
    println!("{different} of {} samples differ", ours.len());
    assert_eq!(theirs.len(), ours.len());
    assert_eq!(different, 0);
}

#[test]
fn ffmpeg_encodes_our_samples_to_our_very_octets() {
    let sent = speech(64_000);
    let mut ours = Vec::new();
    G722Encoder::new().encode(&sent, &mut ours);
    let arguments = [
        "-f", "s16le", "-ar", "16000", "-ac", "1", "-i", "-", "-f", "g722",
    ];
    let Some(theirs) = ffmpeg(&arguments, &to_bytes(&sent)) else {
        println!("skipped: no ffmpeg (Debian package `ffmpeg`)");
        return;
    };
    let length = ours.len().min(theirs.len());
    let different = (0..length).filter(|&n| ours[n] != theirs[n]).count();
    println!("{different} of {length} octets differ");
    assert_eq!(different, 0);
}
