//! Lines that ask for user name and password: the line gets its answer, nobody else does, and silence afterwards gives way.
use core::time::Duration;

use hearthline_emergency::call::Transport as LineTransport;
use hearthline_emergency::line::{AddressAs, LineCredentials};
use hearthline_emergency::numbers::{Country, NumberPlan};
use hearthline_psap::{Answer, Behaviour};
use hearthline_simulate::{Scene, Spoken, Watched, World};
use hearthline_speaker::policy::Mode;

const SECOND: Duration = Duration::from_secs(1);
const ACCOUNT: &str = "drillaccount";

/// Gives every 401 of a call-taker a challenge.
fn with_challenge(bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.starts_with(b"SIP/2.0 401") {
        return bytes;
    }
    let challenge = "\r\nWWW-Authenticate: Digest realm=\"drill\", nonce=\"abc\", qop=\"auth\"\r\n";
    String::from_utf8_lossy(&bytes)
        .replacen("\r\n", challenge, 1)
        .into_bytes()
}

fn scene(lines: Vec<Vec<Behaviour>>) -> Scene {
    Scene {
        lines,
        mode: Mode::Immediate,
        transports: vec![LineTransport::Udp],
        address_as: AddressAs::Number(NumberPlan::Of(Country::UnitedStates)),
        credentials: Some(LineCredentials::new(ACCOUNT, "only for drills")),
        meddle: Some(with_challenge),
        ..Scene::default()
    }
}

fn call(test: &'static str, scene: &Scene) -> Watched {
    let mut world = Watched::new(test, scene);
    world.run_for(SECOND);
    world.say(&Spoken::after_wake_word("call 911"));
    world.run_for(7 * SECOND);
    world
}

/// INVITEs that went to the call-taker of this line.
fn invites(world: &World, line: u16) -> Vec<String> {
    let port = 5_100 + 10 * line;
    let all = world.sent_addresses.iter().zip(&world.sent_messages);
    all.filter(|((_, to, first), _)| to.port() == port && first.starts_with("INVITE "))
        .map(|(_, (_, bytes))| String::from_utf8_lossy(bytes).into_owned())
        .collect()
}

#[test]
fn the_line_itself_gets_its_answer() {
    let refuses_first = vec![
        Behaviour::with_answer(Answer::Reject(401)),
        Behaviour::default(),
    ];
    let world = call("password", &scene(vec![refuses_first]));
    let invites = invites(&world, 0);
    assert_eq!(invites.len(), 2, "{invites:?}");
    assert!(!invites[0].contains("Authorization:"));
    assert!(
        invites[1].contains("Authorization: Digest ")
            && invites[1].contains(&format!("username=\"{ACCOUNT}\"")),
        "{}",
        invites[1]
    );
    assert!(
        invites
            .iter()
            .all(|invite| invite.contains(&format!("<sip:{ACCOUNT}@127.0.0.1:5100>;tag=")))
    );
    let log = String::from_utf8_lossy(&world.log).into_owned();
    assert!(log.contains("the line asks for user name and password"));
}

#[test]
fn nobody_whom_the_line_redirects_to_learns_the_account() {
    // On the host of the line as well: another port is another server.
    let redirects = vec![Behaviour::with_answer(Answer::Redirect(
        "sip:b@127.0.0.1:5110".into(),
    ))];
    let asks = vec![
        Behaviour::with_answer(Answer::Reject(401)),
        Behaviour::default(),
    ];
    let world = call("password_redirected", &scene(vec![redirects, asks]));
    let (line, elsewhere) = (invites(&world, 0), invites(&world, 1));
    assert!(line[0].contains(ACCOUNT));
    assert!(elsewhere[0].starts_with("INVITE sip:b@127.0.0.1:5110 "));
    for invite in &elsewhere {
        assert!(
            !invite.contains(ACCOUNT) && !invite.contains("Authorization:"),
            "{invite}"
        );
    }
    let log = String::from_utf8_lossy(&world.log).into_owned();
    assert!(!log.contains("the line asks for user name and password"));
    assert!(log.contains("the device has none for it"), "{log}");
    // The second line is called for itself then, and answers.
    assert_eq!(world.taker(1).reports().len(), 2);
}

#[test]
fn a_line_that_says_100_and_asks_and_is_silent_then_gives_way_in_three_seconds() {
    for asks_after_ms in [400, 1_500, 2_500] {
        let first = vec![
            Behaviour {
                answer_after_ms: asks_after_ms,
                ..Behaviour::with_answer(Answer::Reject(401))
            },
            Behaviour::with_answer(Answer::Dead),
        ];
        let world = call(
            "password_then_silence",
            &scene(vec![first, vec![Behaviour::default()]]),
        );
        assert!(
            world
                .received_messages
                .iter()
                .any(|(_, bytes)| bytes.starts_with(b"SIP/2.0 100")),
            "{asks_after_ms} ms: the line says 100 first"
        );
        assert!(
            invites(&world, 0)
                .iter()
                .any(|invite| invite.contains("Authorization:"))
        );
        let gap = world.sent_to("INVITE", 1)[0] - world.sent_to("INVITE", 0)[0];
        assert!(gap <= 3 * SECOND, "asked after {asks_after_ms} ms: {gap:?}");
    }
}
