//! Words are spoken piece by piece: the first sounds while the next is made, and what is hushed is not made.
use std::sync::atomic::AtomicUsize;

use super::*;

const LONG: &str = "This is the first sentence. Here is the second one. And the third comes last.";

/// A voice that takes its time for each piece, and counts them; a second of sound each.
fn slow(made: &Arc<AtomicUsize>, each: Duration) -> Voice {
    let made = Arc::clone(made);
    Box::new(move |text, more| {
        if !text.is_empty() {
            std::thread::sleep(each);
            made.fetch_add(1, Ordering::SeqCst);
            more(vec![7; 3_200]);
        }
        Ok(())
    })
}

fn start(
    made: &Arc<AtomicUsize>,
    each: Duration,
) -> (
    Loudspeaker,
    tokio::sync::mpsc::Receiver<Vec<i16>>,
    mpsc::Receiver<Report>,
) {
    let (blocks, heard) = tokio::sync::mpsc::channel(1_000);
    let (reports, reported) = mpsc::channel();
    let loudspeaker =
        Loudspeaker::start(slow(made, each), Sink::Given(blocks), None, move |report| {
            drop(reports.send(report));
        })
        .unwrap();
    (loudspeaker, heard, reported)
}

#[test]
fn the_first_piece_sounds_before_the_last_is_made_and_the_end_is_told_once() {
    let made = Arc::new(AtomicUsize::new(0));
    let (loudspeaker, mut heard, reported) = start(&made, Duration::from_millis(150));
    loudspeaker.ready();
    loudspeaker.say(LONG.to_owned());
    let first = heard.blocking_recv().unwrap();
    assert!(first.iter().any(|sample| *sample != 0));
    assert!(made.load(Ordering::SeqCst) < 3, "not all of it is made yet");
    let wait = Duration::from_secs(10);
    assert_eq!(reported.recv_timeout(wait), Ok(Report::SpeechEnded));
    assert_eq!(made.load(Ordering::SeqCst), 3);
    // All of it sounded, with a pause between each two.
    let mut samples = first.iter().filter(|sample| **sample != 0).count();
    while let Ok(block) = heard.try_recv() {
        samples += block.iter().filter(|sample| **sample != 0).count();
    }
    assert_eq!(samples, 3 * 3_200);
    assert!(reported.try_recv().is_err());
}

#[test]
fn what_is_hushed_is_not_made_and_what_is_said_next_is() {
    let made = Arc::new(AtomicUsize::new(0));
    let (loudspeaker, mut heard, reported) = start(&made, Duration::from_millis(200));
    loudspeaker.say(LONG.to_owned());
    drop(heard.blocking_recv().unwrap());
    loudspeaker.hush();
    let wait = Duration::from_secs(10);
    assert_eq!(reported.recv_timeout(wait), Ok(Report::SpeechEnded));
    loudspeaker.say("Short.".to_owned());
    assert_eq!(reported.recv_timeout(wait), Ok(Report::SpeechEnded));
    let count = made.load(Ordering::SeqCst);
    assert!((2..=3).contains(&count), "{count} pieces were made");
}

#[test]
fn nothing_to_say_ends_at_once_and_a_voice_that_fails_is_told() {
    let made = Arc::new(AtomicUsize::new(0));
    let (loudspeaker, _heard, reported) = start(&made, Duration::ZERO);
    let wait = Duration::from_secs(10);
    loudspeaker.say("  ".to_owned());
    assert_eq!(reported.recv_timeout(wait), Ok(Report::SpeechEnded));
    let (reports, reported) = mpsc::channel();
    let broken: Voice = Box::new(|_, _| Err("no voice".into()));
    let loudspeaker = Loudspeaker::start(broken, Sink::Nowhere, None, move |report| {
        drop(reports.send(report));
    })
    .unwrap();
    loudspeaker.say(LONG.to_owned());
    let told = reported.recv_timeout(wait);
    assert_eq!(told, Ok(Report::Trouble("cannot speak: no voice".into())));
    assert_eq!(reported.recv_timeout(wait), Ok(Report::SpeechEnded));
}

/// A voice that gives a bit of this length after this time, and ends when it is let go.
fn halfway(after: Duration, samples: usize) -> (Voice, mpsc::Sender<()>) {
    let (go, gone) = mpsc::channel::<()>();
    let voice: Voice = Box::new(move |_, more| {
        more(Vec::new());
        std::thread::sleep(after);
        more(vec![7; samples]);
        let _ = gone.recv();
        Ok(())
    });
    (voice, go)
}

#[test]
fn what_is_made_quickly_sounds_while_its_sentence_is_made() {
    let (voice, go) = halfway(Duration::ZERO, 32_000);
    let (blocks, mut heard) = tokio::sync::mpsc::channel(1_000);
    let loudspeaker = Loudspeaker::start(voice, Sink::Given(blocks), None, |_| {}).unwrap();
    loudspeaker.say("One sentence.".to_owned());
    assert!(heard.blocking_recv().unwrap().contains(&7));
    go.send(()).unwrap();
}

#[test]
fn what_is_made_slower_than_it_sounds_waits_for_the_end() {
    let (voice, go) = halfway(Duration::from_millis(100), 640);
    let (blocks, mut heard) = tokio::sync::mpsc::channel(1_000);
    let loudspeaker = Loudspeaker::start(voice, Sink::Given(blocks), None, |_| {}).unwrap();
    loudspeaker.say("One sentence.".to_owned());
    std::thread::sleep(Duration::from_millis(400));
    assert!(heard.try_recv().is_err(), "it would stammer");
    go.send(()).unwrap();
    assert!(heard.blocking_recv().unwrap().contains(&7));
}
