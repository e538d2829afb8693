//! Cost of one 20 ms frame. A core has 20 ms for it; a call needs one of each way.
#![allow(missing_docs)]

use core::hint::black_box;
use core::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use hearthline_media::srtp::{SrtpProfile, SrtpReceiver, SrtpSender};
use hearthline_media::{Codec, Decoder, Encoder, FRAME_SAMPLES, Output, Session, SessionConfig};

fn frame() -> Vec<i16> {
    (0..FRAME_SAMPLES)
        .map(|n| ((n as f32 * 0.07).sin() * 9000.0) as i16)
        .collect()
}

fn codecs(criterion: &mut Criterion) {
    let frame = frame();
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
        let name = codec.encoding_name();
        let (mut encoder, mut octets) = (Encoder::new(codec), Vec::new());
        criterion.bench_function(&format!("encode 20 ms {name}"), |bencher| {
            bencher.iter(|| {
                octets.clear();
                encoder.encode(black_box(&frame), &mut octets);
            });
        });
        let (mut decoder, mut samples) = (Decoder::new(codec), Vec::new());
        criterion.bench_function(&format!("decode 20 ms {name}"), |bencher| {
            bencher.iter(|| {
                samples.clear();
                decoder.decode(black_box(&octets), &mut samples);
            });
        });
    }
}

fn session(criterion: &mut Criterion) {
    let frame = frame();
    for codec in [Codec::Pcmu, Codec::G722] {
        let mut near = Session::new(SessionConfig::new(codec, 1)).expect("a static payload type");
        let mut far = Session::new(SessionConfig::new(codec, 2)).expect("a static payload type");
        let mut now = Duration::ZERO;
        let name = format!("both ends of a call, 20 ms {}", codec.encoding_name());
        criterion.bench_function(&name, |bencher| {
            bencher.iter(|| {
                now += Duration::from_millis(20);
                near.handle_microphone(&frame, now);
                far.handle_microphone(&frame, now);
                loop {
                    match near.poll_output(now) {
                        Output::Rtp(packet) => far.handle_rtp(&packet, now),
                        Output::Timeout(_) => break,
                        other => drop(black_box(other)),
                    }
                }
                loop {
                    match far.poll_output(now) {
                        Output::Rtp(packet) => near.handle_rtp(&packet, now),
                        Output::Timeout(_) => break,
                        other => drop(black_box(other)),
                    }
                }
            });
        });
    }
}

/// A second of a G.722 call, one way: as it is, with SDES's suite and with what DTLS of ours agrees on.
fn protection(criterion: &mut Criterion) {
    let payload = [0x5a; 160];
    let packet = |sequence: u16| {
        let mut packet = vec![0x80, 9];
        packet.extend(sequence.to_be_bytes());
        packet.extend([0, 0, 0, 0, 0, 0, 0, 7]);
        packet.extend(payload);
        packet
    };
    criterion.bench_function("a second of RTP, plain", |bencher| {
        let mut sequence = 0u16;
        bencher.iter(|| {
            for _ in 0..50 {
                sequence = sequence.wrapping_add(1);
                let packet = black_box(packet(sequence));
                black_box(packet.clone());
            }
        });
    });
    for (name, profile) in [
        ("AES-CM and HMAC-SHA1", SrtpProfile::Aes128CmSha1_80),
        ("AES-128-GCM", SrtpProfile::AeadAes128Gcm),
        ("AES-256-GCM", SrtpProfile::AeadAes256Gcm),
    ] {
        let key = vec![1; profile.key_and_salt_bytes()];
        let mut sender = SrtpSender::new(profile, &key).expect("the key has the right length");
        let mut receiver = SrtpReceiver::new(profile, &key).expect("the key has the right length");
        let mut sequence = 0u16;
        criterion.bench_function(
            &format!("a second of SRTP there and back, {name}"),
            |bencher| {
                bencher.iter(|| {
                    for _ in 0..50 {
                        sequence = sequence.wrapping_add(1);
                        let sealed = sender.protect_rtp(&packet(sequence)).expect("in order");
                        black_box(receiver.unprotect_rtp(&sealed).expect("authentic"));
                    }
                });
            },
        );
    }
}

criterion_group!(benches, codecs, session, protection);
criterion_main!(benches);
