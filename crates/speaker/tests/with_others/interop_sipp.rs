//! Calls with sipp on loopback: as the call-taker with all its moods, and as a caller.

use std::path::Path;
use std::time::Duration;

use crate::peer::speaker::{Speaker, line};
use crate::peer::{Peer, SIPP_TONE_HZ, free_port, installed, share_of_tone, sipp, sipp_changed};
use hearthline_emergency::call::Transport;
use hearthline_sip::endpoint::Transport as By;

const SIPP: &[(&str, &str)] = &[("sipp", "sip-tester")];
const QUICK: &[&str] = &["-d", "10"];

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A call-taker by UDP that answers, and its port.
fn answering(folder: &Path) -> (Peer, u16) {
    let port = free_port();
    (sipp("answers.xml", port, QUICK, folder), port)
}

/// Says the sentence, waits until the call is over and sipp content with it.
async fn calls_and_is_content(speaker: &mut Speaker, call_taker: &mut Peer) {
    speaker.hears("call 911");
    speaker
        .run_until("the call ends", |seen| seen.outcome().is_some())
        .await;
    speaker.run_until_ended(call_taker).await;
    assert_eq!(
        speaker.seen.outcome(),
        Some("answered"),
        "{:#?}",
        speaker.seen.steps
    );
    assert!(
        speaker.seen.step("Ended { by: CallTaker }"),
        "{:#?}",
        speaker.seen.steps
    );
}

/// sipp does not look for the session inside a multipart body, so in most scenarios it only listens.
fn sound_left(speaker: &Speaker) {
    let seen = &speaker.seen;
    assert!(
        seen.rtp_sent.len() > 40,
        "{} packets left",
        seen.rtp_sent.len()
    );
    assert_eq!(seen.rtp_refused, 0);
}

/// Where sipp has seen a session description alone, it plays a tone. (It could send our own sound back, but our own SSRC
/// coming back is a loop: RFC 3550 section 8.2.)
fn sound_went_both_ways(speaker: &Speaker, heard_before: usize) {
    sound_left(speaker);
    let share = share_of_tone(&speaker.seen.heard[heard_before..], SIPP_TONE_HZ, 16_000.0);
    assert!(share > 0.8, "the tone is {share:.2} of what was heard");
}

#[tokio::test]
async fn the_call_taker_answers_and_hangs_up_over_udp_and_tcp() {
    if !installed(SIPP) {
        return;
    }
    for (transport, mode) in [(Transport::Udp, "u1"), (Transport::Tcp, "t1")] {
        let (folder, port) = (folder(), free_port());
        let mut call_taker = sipp(
            "answers.xml",
            port,
            &["-d", "10", "-t", mode],
            folder.path(),
        );
        let mut speaker = Speaker::start(vec![line("drill", port, transport)]).await;
        calls_and_is_content(&mut speaker, &mut call_taker).await;
        sound_left(&speaker);
    }
}

#[tokio::test]
async fn a_call_taker_that_demands_100rel_gets_its_prack() {
    if !installed(SIPP) {
        return;
    }
    for (transport, mode) in [(Transport::Udp, "u1"), (Transport::Tcp, "t1")] {
        let (folder, port) = (folder(), free_port());
        let mut call_taker = sipp("answers_reliably.xml", port, &["-t", mode], folder.path());
        let mut speaker = Speaker::start(vec![line("drill", port, transport)]).await;
        calls_and_is_content(&mut speaker, &mut call_taker).await;
        assert_eq!(speaker.seen.sent_of("PRACK "), 1);
        sound_left(&speaker);
    }
}

#[tokio::test]
async fn a_late_call_taker_gets_the_invite_again() {
    if !installed(SIPP) {
        return;
    }
    let (folder, port) = (folder(), free_port());
    let mut call_taker = sipp("answers.xml", port, &["-d", "1300"], folder.path());
    let mut speaker = Speaker::start(vec![line("drill", port, Transport::Udp)]).await;
    calls_and_is_content(&mut speaker, &mut call_taker).await;
    let by_udp = speaker
        .seen
        .sent
        .iter()
        .filter(|(to, bytes)| to.transport == By::Udp && bytes.starts_with(b"INVITE "));
    assert!(by_udp.count() >= 2, "timer A did not fire");
}

#[tokio::test]
async fn the_first_of_every_message_may_be_lost() {
    if !installed(SIPP) {
        return;
    }
    let (folder, port) = (folder(), free_port());
    let mut call_taker = sipp("answers.xml", port, QUICK, folder.path());
    let mut speaker = Speaker::start(vec![line("drill", port, Transport::Udp)]).await;
    speaker.lose_sent = Box::new(first_of_each());
    speaker.lose_received = Box::new(first_of_each());
    calls_and_is_content(&mut speaker, &mut call_taker).await;
    assert!(speaker.seen.sent_of("INVITE ") >= 2);
    assert!(
        speaker.seen.sent_of("ACK ") >= 2,
        "a repeated 200 gets a repeated ACK"
    );
}

#[tokio::test]
async fn the_first_reliable_ringing_and_the_first_prack_may_be_lost() {
    if !installed(SIPP) {
        return;
    }
    let (folder, port) = (folder(), free_port());
    let mut call_taker = sipp("answers_reliably.xml", port, &[], folder.path());
    let mut speaker = Speaker::start(vec![line("drill", port, Transport::Udp)]).await;
    // A scenario of sipp repeats only its last message: the rest must arrive.
    let (mut sent, mut received) = (first_of_each(), first_of_each());
    speaker.lose_sent = Box::new(move |by, bytes| bytes.starts_with(b"PRACK ") && sent(by, bytes));
    speaker.lose_received =
        Box::new(move |by, bytes| bytes.starts_with(b"SIP/2.0 183") && received(by, bytes));
    calls_and_is_content(&mut speaker, &mut call_taker).await;
    assert_eq!(speaker.seen.sent_of("PRACK "), 2);
}

/// True for the first datagram of its kind.
fn first_of_each() -> impl FnMut(By, &[u8]) -> bool {
    let mut known = std::collections::HashSet::new();
    move |by, bytes| {
        if by != By::Udp {
            return false;
        }
        let text = String::from_utf8_lossy(bytes);
        let method = text
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with("cseq:"))
            .unwrap_or_default()
            .to_owned();
        known.insert((text.lines().next().unwrap_or_default().to_owned(), method))
    }
}

#[tokio::test]
async fn a_line_that_refuses_gives_way_to_the_next() {
    if !installed(SIPP) {
        return;
    }
    for status in ["486 Busy Here", "503 Service Unavailable"] {
        let (folder, busy) = (folder(), free_port());
        let mut refusing = sipp(
            "refuses.xml",
            busy,
            &["-key", "status", status, "-key", "more", "Retry-After: 60"],
            folder.path(),
        );
        let (mut call_taker, port) = answering(folder.path());
        let lines = vec![
            line("first", busy, Transport::Udp),
            line("second", port, Transport::Udp),
        ];
        let mut speaker = Speaker::start(lines).await;
        calls_and_is_content(&mut speaker, &mut call_taker).await;
        speaker.run_until_ended(&mut refusing).await;
        sound_left(&speaker);
    }
}

#[tokio::test]
async fn a_redirection_is_followed() {
    if !installed(SIPP) {
        return;
    }
    let (folder, here) = (folder(), free_port());
    let (mut call_taker, port) = answering(folder.path());
    let contact = format!("Contact: <sip:desk@127.0.0.1:{port}>");
    let change = ("486 Busy Here", "302 Moved Temporarily");
    let more = ["-key", "more", &contact];
    let mut moved = sipp_changed("refuses.xml", change, here, &more, folder.path());
    let mut speaker = Speaker::start(vec![line("drill", here, Transport::Udp)]).await;
    calls_and_is_content(&mut speaker, &mut call_taker).await;
    speaker.run_until_ended(&mut moved).await;
}

#[tokio::test]
async fn a_line_that_never_gets_beyond_100_gives_way_and_is_cancelled() {
    if !installed(SIPP) {
        return;
    }
    let (folder, stuck) = (folder(), free_port());
    let mut trying = sipp("only_trying.xml", stuck, &[], folder.path());
    let (mut call_taker, port) = answering(folder.path());
    let lines = vec![
        line("first", stuck, Transport::Udp),
        line("second", port, Transport::Udp),
    ];
    let mut speaker = Speaker::start(lines).await;
    calls_and_is_content(&mut speaker, &mut call_taker).await;
    speaker.run_until_ended(&mut trying).await;
    assert!(speaker.seen.sent_of("CANCEL ") >= 1);
}

#[tokio::test]
async fn the_call_taker_changes_the_session_and_the_sound_goes_on() {
    if !installed(SIPP) {
        return;
    }
    let (folder, port) = (folder(), free_port());
    let mut call_taker = sipp("reinvites.xml", port, &[], folder.path());
    let mut speaker = Speaker::start(vec![line("drill", port, Transport::Udp)]).await;
    calls_and_is_content(&mut speaker, &mut call_taker).await;
    sound_went_both_ways(&speaker, 0);
    // 0.6 s until the second re-INVITE, 0.8 s after its refusal.
    assert!(
        speaker.seen.rtp_received > 50,
        "{} packets: the sound stopped on the way",
        speaker.seen.rtp_received
    );
}

#[tokio::test]
async fn the_call_taker_calls_back_and_strangers_do_not_get_through() {
    if !installed(SIPP) {
        return;
    }
    let folder = folder();
    let (mut call_taker, port) = answering(folder.path());
    let mut speaker = Speaker::start(vec![line("drill", port, Transport::Udp)]).await;
    let contact = speaker.contact().to_string();
    let mut stranger = sipp(
        "calls_uninvited.xml",
        free_port(),
        &[&contact],
        folder.path(),
    );
    speaker.run_until_ended(&mut stranger).await;
    calls_and_is_content(&mut speaker, &mut call_taker).await;

    let heard_before = speaker.seen.heard.len();
    let mut back = sipp("calls_back.xml", free_port(), &[&contact], folder.path());
    speaker.run_until_ended(&mut back).await;
    speaker
        .run_until("the callback ends", |seen| {
            seen.outcome() == Some("called back")
        })
        .await;
    sound_went_both_ways(&speaker, heard_before);
}

#[tokio::test]
async fn questions_and_garbage_are_answered_and_a_call_still_works() {
    if !installed(SIPP) {
        return;
    }
    let folder = folder();
    let (mut call_taker, port) = answering(folder.path());
    let mut speaker = Speaker::start(vec![line("drill", port, Transport::Udp)]).await;
    let contact = speaker.contact().to_string();
    for scenario in ["asks.xml", "sends_garbage.xml"] {
        let mut asking = sipp(scenario, free_port(), &[&contact], folder.path());
        speaker.run_until_ended(&mut asking).await;
    }
    calls_and_is_content(&mut speaker, &mut call_taker).await;
}

#[tokio::test]
async fn only_the_callers_confirmed_words_hang_up() {
    if !installed(SIPP) {
        return;
    }
    let (folder, port) = (folder(), free_port());
    let mut call_taker = sipp("waits_for_bye.xml", port, &[], folder.path());
    let mut speaker = Speaker::start(vec![line("drill", port, Transport::Udp)]).await;
    speaker.hears("call 911");
    speaker
        .run_until("it is answered", |seen| seen.step("Answered"))
        .await;
    speaker.hears("hang up the emergency call");
    speaker.run_for(Duration::from_millis(300)).await;
    assert_eq!(speaker.seen.sent_of("BYE "), 0);
    speaker.hears_reply("yes");
    speaker.run_until_ended(&mut call_taker).await;
    speaker
        .run_until("the call ends", |seen| seen.outcome() == Some("answered"))
        .await;
}
