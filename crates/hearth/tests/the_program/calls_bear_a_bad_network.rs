//! Hub, two speakers and a telephone, each in a network of its own, with wires between them that lose one packet in ten
//! and delay each by its own 10 to 90 ms: what is said arrives as words.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the answer"
)]
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use crate::capture::Capture;
use crate::namespace::Network;
use crate::real_phone::{self, Baresip};
use crate::scene::{HEARTH, has, models_are_absent, samples, skip, write_wav};
use crate::speakers_call_each_other::{Home, Speaker, spoken, telephone};
use crate::understood::{understood, words_of};
use crate::wire::{Badness, Wires};
use hearthline_media::Codec;

const HUB: usize = 1;
const HALL: usize = 2;
const KITCHEN: usize = 3;
const DESK: usize = 4;

const BADNESS: Badness = Badness {
    lost_percent: 10,
    delay: Duration::from_millis(10),
    jitter: Duration::from_millis(80),
    seed: 7,
};

const BY_HALL: &str = "The soup is ready, and the table is set for four.";
const BY_KITCHEN: &str = "Please bring the yellow bowl and seven small spoons.";
const BY_DESK: &str = "The parcel from the garden shop arrived this morning.";

fn address_of(place: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 1, 0, u8::try_from(place).unwrap())
}

#[test]
fn two_speakers_and_a_phone_understand_each_other_over_lossy_wires() {
    if models_are_absent() || (!has("baresip") && skip("baresip is not installed")) {
        return;
    }
    let test =
        "calls_bear_a_bad_network::two_speakers_and_a_phone_understand_each_other_over_lossy_wires";
    match Network::own(test, "ip link set lo up") {
        Network::Own => {}
        Network::Done => return,
        Network::Shared => {
            skip("needs root, unshare, nsenter and ip for networks of its own");
            return;
        }
    }
    let began = Instant::now();
    let wires = Wires::lay(4, BADNESS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let home = runtime.block_on(Home::start_at(address_of(HUB)));
    let (hall_folder, hall_config) = runtime.block_on(home.speaker("Hall"));
    let (kitchen_folder, kitchen_config) = runtime.block_on(home.speaker("Kitchen"));
    let sounds = home.folder.path();
    let says = |name: &str, text: &str| spoken(sounds, name, text);
    // It waits until the hall's own words about the call are over.
    let desk_talk = says("desk-talk", BY_DESK);
    let said = samples(&desk_talk);
    let later: Vec<i16> = std::iter::repeat_n(0, 40_000).chain(said).collect();
    write_wav(&desk_talk, 16_000, 1, &later);
    let account = runtime.block_on(real_phone::account(&home.hub, "Desk"));
    let desk = Baresip::start(
        wires.at(DESK, "baresip"),
        address_of(DESK),
        &home.hub,
        &account,
        &sounds.join("desk"),
        (&desk_talk, true),
    );
    let call = says("call", "Alexa, call the kitchen.");
    let answer = says("answer", "Alexa, answer.");
    let hall_talk = says("hall-talk", BY_HALL);
    let kitchen_talk = says("kitchen-talk", BY_KITCHEN);
    let hang_up = says("hang-up", "Alexa, hang up.");
    let call_desk = says("call-desk", "Alexa, call the desk.");
    println!("{:?} spoken", began.elapsed());

    let mut hall = Speaker::start_by(wires.at(HALL, HEARTH), &hall_folder, &hall_config);
    let mut kitchen =
        Speaker::start_by(wires.at(KITCHEN, HEARTH), &kitchen_folder, &kitchen_config);
    hall.is_at_home();
    kitchen.is_at_home();
    runtime.block_on(real_phone::registered(&home.hub, 3));
    println!("{:?} at home", began.elapsed());
    wires.take();

    hall.hears(&call);
    kitchen.light("Ringing");
    kitchen.hears(&answer);
    for speaker in [&mut kitchen, &mut hall] {
        speaker.wait("protection", |line| {
            telephone(line, "protected from end to end")
        });
    }
    println!("{:?} protected", began.elapsed());
    hall.hears(&hall_talk);
    std::thread::sleep(Duration::from_secs(5));
    kitchen.hears(&kitchen_talk);
    std::thread::sleep(Duration::from_secs(5));
    hall.hears(&hang_up);
    kitchen.wait("the end", |line| telephone(line, "call over"));
    hall.light("Off");
    kitchen.light("Off");
    let (frames, lost) = wires.take();
    println!(
        "{:?} over; {lost} of {} packets lost",
        began.elapsed(),
        frames.len()
    );
    assert!(usize::try_from(lost).unwrap() * 20 > frames.len());

    hall.hears(&call_desk);
    hall.wait("said aloud", |line| {
        line["step"] == "said"
            && line["text"]
                .as_str()
                .unwrap()
                .ends_with("This call is not protected.")
    });
    std::thread::sleep(Duration::from_secs(1));
    hall.hears(&hall_talk);
    std::thread::sleep(Duration::from_secs(6));
    hall.hears(&hang_up);
    hall.light("Off");
    let (with_desk, _) = wires.take();
    println!("{:?} the phone was called", began.elapsed());

    let kitchen_heard = kitchen.end();
    let hall_heard = hall.end();
    understood("heard in the kitchen", BY_HALL, &kitchen_heard);
    understood("heard in the hall", BY_KITCHEN, &hall_heard);
    understood("heard at the desk", BY_HALL, &desk.end());
    understood("heard from the desk", BY_DESK, &hall_heard);
    Capture::of_frames(&frames).holds_no_speech(&["soup", "table", "yellow", "spoons"]);
    // Who can hear a call in the clear can hear this one: the capture is a capture.
    let overheard = Capture::of_frames(&with_desk)
        .overheard(Codec::Pcmu)
        .join(" ");
    let (found, all) = words_of(BY_DESK, &overheard);
    assert!(found * 2 > all, "{overheard}");
    println!("{:?} judged", began.elapsed());
    runtime.block_on(home.hub.stop());
}
