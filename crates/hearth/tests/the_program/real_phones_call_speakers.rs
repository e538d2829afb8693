//! Telephones of the home that are not ours call a speaker: it rings, is answered by voice, both hear each other; and a
//! phone is put through to another speaker.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test a panic is the answer"
)]
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hearthline_hub::clock::Clock;
use hearthline_hub::device::DeviceFields;
use hearthline_hub::person::{PersonFields, Role};
use hearthline_hub::sip::account::SipAccount;
use hearthline_hub::text::Name;
use tokio::runtime::Runtime;

use crate::namespace::Network;
use crate::real_phone::{self, Baresip, Linphonec};
use crate::scene::{has, models_are_absent, skip};
use crate::speakers_call_each_other::{Home, Speaker, spoken};
use crate::understood::understood;

const PATIENCE: Duration = Duration::from_secs(20);
const BY_DESK: &str = "The parcel from the garden shop arrived this morning.";
const BY_KITCHEN: &str = "Please bring the yellow bowl and seven small spoons.";

/// The phones look for a network and find this one: loopback, with the default route through it.
fn network(program: &str, test: &str) -> bool {
    if models_are_absent() || (!has(program) && skip(&format!("{program} is not installed"))) {
        return false;
    }
    let test = format!("real_phones_call_speakers::{test}");
    match Network::own(&test, "ip link set lo up && ip route add default dev lo") {
        Network::Own => true,
        Network::Done => false,
        Network::Shared => {
            skip("needs root, unshare and ip for a network of its own");
            false
        }
    }
}

/// A home with two speakers.
struct Scene {
    runtime: Runtime,
    home: Home,
    kitchen: Speaker,
    hall: Speaker,
    says: Vec<(&'static str, PathBuf)>,
}

impl Scene {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let home = runtime.block_on(Home::start());
        let start = |name: &str| {
            let (folder, config) = runtime.block_on(home.speaker(name));
            Speaker::start(&folder, &config)
        };
        let (mut kitchen, mut hall) = (start("Kitchen"), start("Hall"));
        let says = [
            ("answer", "Alexa, answer."),
            ("transfer", "Alexa, transfer this call to the hall."),
            ("hang up", "Alexa, hang up."),
            ("find", "Alexa, find my phone."),
            ("desk", BY_DESK),
            ("kitchen", BY_KITCHEN),
        ];
        let folder = home.folder.path();
        let says = says.map(|(name, text)| (name, spoken(folder, name, text)));
        kitchen.is_at_home();
        hall.is_at_home();
        Self {
            says: says.into(),
            runtime,
            home,
            kitchen,
            hall,
        }
    }

    fn sentence(&self, name: &str) -> PathBuf {
        let mut says = self.says.iter();
        says.find(|(own, _)| *own == name).unwrap().1.clone()
    }

    /// Somebody calls the kitchen, which answers and says its sentence; the phone says its own.
    fn kitchen_answers(&mut self) {
        let said = |line: &serde_json::Value| {
            line["step"] == "said"
                && line["text"]
                    .as_str()
                    .unwrap()
                    .ends_with("This call is not protected.")
        };
        self.kitchen.wait("a warning", said);
        self.kitchen.light("Ringing");
        self.kitchen.hears(&self.sentence("answer"));
        self.kitchen.light("OnCall");
        std::thread::sleep(Duration::from_secs(2));
        self.kitchen.hears(&self.sentence("kitchen"));
        std::thread::sleep(Duration::from_secs(4));
    }
}

/// The one who lives here has this telephone.
async fn anna_has(home: &Home, account: &SipAccount) {
    let anna = PersonFields {
        name: Name::new("Anna").unwrap(),
        role: Role::Adult,
        login: None,
    };
    let (store, now) = (home.hub.store(), Clock::default().now());
    let anna = store.add_person(&anna, now).await.unwrap();
    let fields = DeviceFields {
        name: Name::new("Desk").unwrap(),
        room: None,
        person: Some(anna.id),
    };
    let changed = store.change_device(account.device, &fields, now).await;
    changed.unwrap();
}

/// Waits until a phone has printed this after so many bytes.
fn printed_since(phone: &Baresip, before: usize, wanted: &str) {
    let last = Instant::now() + PATIENCE;
    while !phone.printed().get(before..).unwrap_or("").contains(wanted) {
        assert!(Instant::now() < last, "{wanted}: {}", phone.printed());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn baresip_calls_the_kitchen_and_is_put_through_to_the_hall() {
    if !network(
        "baresip",
        "baresip_calls_the_kitchen_and_is_put_through_to_the_hall",
    ) {
        return;
    }
    let mut scene = Scene::new();
    let account = scene
        .runtime
        .block_on(real_phone::account(&scene.home.hub, "Desk"));
    let folder = scene.home.folder.path().join("desk");
    let desk = Baresip::start(
        std::process::Command::new("baresip"),
        Ipv4Addr::LOCALHOST,
        &scene.home.hub,
        &account,
        &folder,
        (&scene.sentence("desk"), false),
    );
    scene
        .runtime
        .block_on(real_phone::registered(&scene.home.hub, 3));
    desk.command("dial", &format!("sip:kitchen@{}", account.domain));
    scene.kitchen_answers();

    // Put through by voice: baresip calls the hall because it was asked to.
    scene.kitchen.hears(&scene.sentence("transfer"));
    scene.hall.light("Ringing");
    scene.hall.hears(&scene.sentence("answer"));
    scene.hall.light("OnCall");
    scene.kitchen.light("Off");
    std::thread::sleep(Duration::from_secs(6));
    scene.hall.hears(&scene.sentence("hang up"));
    scene.hall.light("Off");

    // It is mislaid: whoever lives here asks the hall, and it rings until somebody takes it up.
    scene.runtime.block_on(anna_has(&scene.home, &account));
    let before = desk.printed().len();
    scene.hall.hears(&scene.sentence("find"));
    let said = |line: &serde_json::Value| {
        line["step"] == "said" && line["text"] == "I let Anna's phone ring."
    };
    scene.hall.wait("where it rings", said);
    printed_since(&desk, before, "Incoming call from: Find my phone");
    desk.command("accept", "");
    printed_since(&desk, before, "text=\"found\"");

    let Scene {
        runtime,
        home,
        kitchen,
        hall,
        ..
    } = scene;
    understood("heard in the kitchen", BY_DESK, &kitchen.end());
    understood("heard in the hall", BY_DESK, &hall.end());
    let printed = desk.printed();
    understood("heard at the desk", BY_KITCHEN, &desk.end());
    assert!(printed.contains("REFER"), "{printed}");
    runtime.block_on(home.hub.stop());
}

#[test]
fn linphonec_calls_the_kitchen_and_both_hear() {
    if !network("linphonec", "linphonec_calls_the_kitchen_and_both_hear") {
        return;
    }
    let mut scene = Scene::new();
    let account = scene
        .runtime
        .block_on(real_phone::account(&scene.home.hub, "Desk"));
    let folder = scene.home.folder.path().join("desk");
    let says = scene.sentence("desk");
    let mut desk = Linphonec::start(&scene.home.hub, &account, &folder, &says);
    scene
        .runtime
        .block_on(real_phone::registered(&scene.home.hub, 3));
    desk.command(&format!("call sip:kitchen@{}", account.domain));
    scene.kitchen_answers();
    scene.kitchen.hears(&scene.sentence("hang up"));
    scene.kitchen.light("Off");

    let Scene {
        runtime,
        home,
        hall,
        kitchen,
        ..
    } = scene;
    drop(hall);
    understood("heard in the kitchen", BY_DESK, &kitchen.end());
    understood("heard at the desk", BY_KITCHEN, &desk.end());
    runtime.block_on(home.hub.stop());
}
