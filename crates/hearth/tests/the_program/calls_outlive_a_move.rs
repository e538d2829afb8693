//! Hub and two speakers, each in a network of its own. In the middle of their call the network of one changes: it gets
//! another address and loses the one before. The call goes on, and nobody has to do anything.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the answer"
)]
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use crate::capture::Capture;
use crate::namespace::Network;
use crate::real_phone;
use crate::scene::{HEARTH, models_are_absent, skip};
use crate::speakers_call_each_other::{Home, Speaker, spoken, telephone};
use crate::understood::understood;
use crate::wire::{Badness, Wires};

const HUB: Ipv4Addr = Ipv4Addr::new(127, 1, 0, 1);
const HALL: usize = 2;
const KITCHEN: usize = 3;

const WIRES: Badness = Badness {
    lost_percent: 1,
    delay: Duration::from_millis(5),
    jitter: Duration::from_millis(10),
    seed: 11,
};

const BEFORE: &str = "The soup is ready, and the table is set for four.";
const AFTER: &str = "Please bring the yellow bowl and seven small spoons.";
const BACK: &str = "The parcel from the garden shop arrived this morning.";

#[test]
fn a_call_goes_on_when_the_network_of_a_speaker_changes() {
    if models_are_absent() {
        return;
    }
    let test = "calls_outlive_a_move::a_call_goes_on_when_the_network_of_a_speaker_changes";
    match Network::own(test, "ip link set lo up") {
        Network::Own => {}
        Network::Done => return,
        Network::Shared => {
            skip("needs root, unshare, nsenter and ip for networks of its own");
            return;
        }
    }
    let wires = Wires::lay(3, WIRES);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let home = runtime.block_on(Home::start_at(HUB));
    let (hall_folder, hall_config) = runtime.block_on(home.speaker("Hall"));
    let (kitchen_folder, kitchen_config) = runtime.block_on(home.speaker("Kitchen"));
    let sounds = home.folder.path();
    let says = |name: &str, text: &str| spoken(sounds, name, text);
    let call = says("call", "Alexa, call the kitchen.");
    let answer = says("answer", "Alexa, answer.");
    let [before, after, back] =
        [("before", BEFORE), ("after", AFTER), ("back", BACK)].map(|(name, text)| says(name, text));
    let hang_up = says("hang-up", "Alexa, hang up.");
    let call_hall = says("call-hall", "Alexa, call the hall.");

    let mut hall = Speaker::start_by(wires.at(HALL, HEARTH), &hall_folder, &hall_config);
    let mut kitchen =
        Speaker::start_by(wires.at(KITCHEN, HEARTH), &kitchen_folder, &kitchen_config);
    hall.is_at_home();
    kitchen.is_at_home();
    runtime.block_on(real_phone::registered(&home.hub, 2));

    // While it rings, the caller moves; the call rings on, and is heard once it is answered.
    hall.hears(&call);
    kitchen.light("Ringing");
    let moved_at = Instant::now();
    wires.moves(HALL, 12);
    hall.wait("the move", |line| telephone(line, "the network changed"));
    println!("noticed after {:?}", moved_at.elapsed());
    hall.wait("a registration", |line| {
        telephone(line, "registered with the hub")
    });
    println!("registered after {:?}", moved_at.elapsed());
    kitchen.hears(&answer);
    for speaker in [&mut kitchen, &mut hall] {
        speaker.wait("protection", |line| {
            telephone(line, "protected from end to end")
        });
    }
    hall.hears(&before);
    std::thread::sleep(Duration::from_secs(5));

    // In the middle of the call the other one moves.
    wires.take();
    let moved_at = Instant::now();
    wires.moves(KITCHEN, 13);
    kitchen.wait("the move", |line| telephone(line, "the network changed"));
    let noticed = moved_at.elapsed();
    hall.wait("the other way", |line| {
        telephone(line, "sound goes another way now")
    });
    println!(
        "noticed after {noticed:?}, the sound goes the other way after {:?}",
        moved_at.elapsed()
    );
    // Nothing could be sent: noticed at once, and not with the next look.
    assert!(noticed < Duration::from_secs(2), "{noticed:?}");
    kitchen.wait("a registration", |line| {
        telephone(line, "registered with the hub")
    });
    hall.hears(&after);
    std::thread::sleep(Duration::from_secs(5));
    kitchen.hears(&back);
    std::thread::sleep(Duration::from_secs(5));
    hall.hears(&hang_up);
    kitchen.wait("the end", |line| telephone(line, "call over"));
    hall.light("Off");
    kitchen.light("Off");

    // And it is found there.
    kitchen.hears(&call_hall);
    hall.light("Ringing");
    kitchen.hears(&hang_up);
    hall.light("Off");
    let (frames, _) = wires.take();

    let (heard_in_kitchen, heard_in_hall) = (kitchen.end(), hall.end());
    understood("before", BEFORE, &heard_in_kitchen);
    understood("after", AFTER, &heard_in_kitchen);
    understood("back", BACK, &heard_in_hall);
    Capture::of_frames(&frames).holds_no_speech(&["soup", "yellow", "spoons", "parcel"]);
    runtime.block_on(home.hub.stop());
}
