//! Music in the speaker's own loudspeaker: it begins by itself, is soft under words and silent under a telephone.
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use hearthline_music::own::Sounding;
use hearthline_music::own::sound::{Part, sound};
use hearthline_speaker::io::loudspeaker::{Loudspeaker, Sink};
use hearthline_speaker::telephone::Tone;
use tokio::sync::mpsc;

/// The loudest sample of each block that comes within this time.
async fn blocks(sink: &mut mpsc::Receiver<Vec<i16>>, time: Duration) -> Vec<u16> {
    let end = Instant::now() + time;
    let mut loud = Vec::new();
    while let Ok(Some(block)) =
        tokio::time::timeout(end.saturating_duration_since(Instant::now()), sink.recv()).await
    {
        loud.push(
            block
                .iter()
                .map(|sample| sample.unsigned_abs())
                .max()
                .unwrap_or(0),
        );
    }
    loud
}

#[tokio::test(flavor = "multi_thread")]
async fn words_and_telephones_come_first() {
    let (events, _heard) = mpsc::unbounded_channel();
    let (sound, source) = sound(events);
    let (given, mut sink) = mpsc::channel(1_000);
    // Words are silence here, so that only the music under them is measured.
    let loudspeaker = Loudspeaker::start(
        Box::new(|_, give| {
            give(vec![0; 8_000]);
            Ok(())
        }),
        Sink::Given(given),
        Some(Box::new(source)),
        |_| {},
    )
    .unwrap();
    assert!(
        blocks(&mut sink, Duration::from_millis(100))
            .await
            .is_empty(),
        "nothing sounds"
    );
    let (parts, receiver) = sync_channel(100);
    std::thread::spawn(move || while parts.send(Part::Samples(vec![10_000; 1_600])).is_ok() {});
    sound.set(Sounding {
        percent: 100,
        ..Sounding::default()
    });
    sound.begin(1, receiver, 0, false);
    let loud = blocks(&mut sink, Duration::from_millis(900)).await;
    assert!(loud.len() > 30 && loud.last() > Some(&9_900), "{loud:?}");
    loudspeaker.say("words".into());
    let loud = blocks(&mut sink, Duration::from_millis(300)).await;
    assert!(loud.last() < Some(&2_100), "{loud:?}");
    let loud = blocks(&mut sink, Duration::from_millis(1_200)).await;
    assert!(loud.last() > Some(&9_900), "{loud:?}");
    loudspeaker.tone(Some(Tone::Ring));
    let loud = blocks(&mut sink, Duration::from_millis(200)).await;
    assert!(loud.last() < Some(&4_100), "the ring alone: {loud:?}");
    loudspeaker.tone(None);
    blocks(&mut sink, Duration::from_millis(1_500)).await;
    for _ in 0..10 {
        loudspeaker.play(vec![0; 320]);
    }
    let loud = blocks(&mut sink, Duration::from_millis(150)).await;
    assert_eq!(loud.last(), Some(&0), "a call: {loud:?}");
    sound.end();
}
