use std::net::IpAddr;
use std::time::Duration;

use hearthline_sip::digest::{
    Account, Algorithm, Authenticator, AuthenticatorConfig, Challenge, Credentials, DigestClient,
    Judgement,
};
use hearthline_sip::{HeaderName, Limits, Method, Request, parse_datagram};

use crate::office::register;

const REALM: &str = "home.example";

fn source() -> IpAddr {
    IpAddr::from([192, 0, 2, 1])
}

fn account(name: &str) -> Option<Account> {
    let ha1 = |algorithm: Algorithm, password| Some(algorithm.ha1(name, REALM, password));
    match name {
        "anna" => Some(Account {
            sha256: ha1(Algorithm::Sha256, "secret"),
            md5: None,
        }),
        "ata" => Some(Account {
            sha256: None,
            md5: ha1(Algorithm::Md5, "secret"),
        }),
        _ => None,
    }
}

fn door() -> Authenticator {
    Authenticator::new(AuthenticatorConfig::new(REALM, [5; 32]))
}

fn judge(door: &mut Authenticator, request: &Request, now: u64) -> Judgement {
    door.judge(request, false, source(), account, Duration::from_secs(now))
}

/// The challenge with this algorithm out of a judgement.
fn challenge(judgement: &Judgement, algorithm: Algorithm) -> Challenge {
    let Judgement::Challenge { headers, .. } = judgement else {
        panic!("{judgement:?}");
    };
    let mut request = register("c", 1, "");
    for (name, value) in headers {
        request.headers.push(name.clone(), value.clone());
    }
    let values = request.headers.www_authenticate().unwrap();
    let all = values
        .iter()
        .map(|value| Challenge::from_value(value).unwrap());
    all.into_iter().find(|c| c.algorithm == algorithm).unwrap()
}

fn answer(client: &mut DigestClient, name: &str, password: &str) -> Request {
    let credentials = Credentials {
        username: name.to_owned(),
        password: password.to_owned(),
    };
    let value = client.authorize(
        &credentials,
        &Method::Register,
        "sip:home.example",
        b"",
        "cnonce",
    );
    let mut request = register("c", 2, "");
    request
        .headers
        .push_display(HeaderName::Authorization, value);
    // Through the wire and back.
    let bytes = request.to_bytes();
    parse_datagram(&bytes, &Limits::default())
        .unwrap()
        .as_request()
        .unwrap()
        .clone()
}

fn why(judgement: &Judgement) -> &'static str {
    match judgement {
        Judgement::Challenge { why: Some(why), .. } => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_stronger_challenge_stands_first_and_each_in_its_own_row() {
    let mut door = door();
    let Judgement::Challenge {
        status,
        headers,
        why,
    } = judge(&mut door, &register("c", 1, ""), 0)
    else {
        panic!("nobody proved anything");
    };
    assert_eq!((status.code(), why), (401, None));
    let text: Vec<_> = headers
        .iter()
        .map(|(_, v)| String::from_utf8_lossy(v))
        .collect();
    assert!(
        text[0].contains("SHA-256") && text[1].contains("MD5"),
        "{text:?}"
    );
    let asked = door.judge(
        &register("c", 1, ""),
        true,
        source(),
        account,
        Duration::ZERO,
    );
    let Judgement::Challenge {
        status, headers, ..
    } = asked
    else {
        panic!("nobody proved anything");
    };
    assert_eq!(status.code(), 407);
    assert!(
        headers
            .iter()
            .all(|(name, _)| *name == HeaderName::ProxyAuthenticate)
    );
}

#[test]
fn the_right_password_is_right_and_md5_is_marked_weak() {
    for (name, algorithm, weak) in [
        ("anna", Algorithm::Sha256, false),
        ("ata", Algorithm::Md5, true),
    ] {
        let mut door = door();
        let asked = judge(&mut door, &register("c", 1, ""), 0);
        let mut client = DigestClient::new(challenge(&asked, algorithm));
        let Judgement::Authenticated(who) =
            judge(&mut door, &answer(&mut client, name, "secret"), 1)
        else {
            panic!("{name} was not believed");
        };
        assert_eq!((who.username.as_str(), who.weak), (name, weak));
        assert_eq!(account(name).unwrap().is_weak(), weak);
    }
}

#[test]
fn md5_is_no_way_round_a_sha_256_account() {
    let mut door = door();
    let asked = judge(&mut door, &register("c", 1, ""), 0);
    let mut client = DigestClient::new(challenge(&asked, Algorithm::Md5));
    let judged = judge(&mut door, &answer(&mut client, "anna", "secret"), 1);
    assert_eq!(why(&judged), "response does not match");
}

#[test]
fn a_replay_is_refused_and_the_next_count_is_not() {
    let mut door = door();
    let asked = judge(&mut door, &register("c", 1, ""), 0);
    let mut client = DigestClient::new(challenge(&asked, Algorithm::Sha256));
    let first = answer(&mut client, "anna", "secret");
    let second = answer(&mut client, "anna", "secret");
    let third = answer(&mut client, "anna", "secret");
    let good = |judged| matches!(judged, Judgement::Authenticated(_));
    assert!(
        good(judge(&mut door, &third, 1)),
        "datagrams overtake each other"
    );
    assert!(good(judge(&mut door, &first, 1)));
    assert!(good(judge(&mut door, &second, 1)));
    for old in [&first, &second, &third] {
        assert_eq!(why(&judge(&mut door, old, 2)), "nc was used before");
    }
}

#[test]
fn an_old_nonce_is_stale_and_a_foreign_one_too() {
    let mut door = door();
    let asked = judge(&mut door, &register("c", 1, ""), 0);
    let mut client = DigestClient::new(challenge(&asked, Algorithm::Sha256));
    let late = judge(&mut door, &answer(&mut client, "anna", "secret"), 301);
    assert_eq!(why(&late), "nonce is stale");
    let again = challenge(&late, Algorithm::Sha256);
    assert!(again.stale);
    let mut client = DigestClient::new(again);
    let judged = judge(&mut door, &answer(&mut client, "anna", "secret"), 302);
    assert!(matches!(judged, Judgement::Authenticated(_)));
    // After a restart with another secret every nonce is foreign.
    let mut door = Authenticator::new(AuthenticatorConfig::new(REALM, [6; 32]));
    let judged = judge(&mut door, &answer(&mut client, "anna", "secret"), 303);
    assert_eq!(why(&judged), "nonce is stale");
    assert_eq!(
        door.suspects(),
        0,
        "whoever knows the password is no suspect"
    );
}

#[test]
fn a_nonce_pushed_out_is_never_taken_twice() {
    let mut config = AuthenticatorConfig::new(REALM, [5; 32]);
    config.limits.nonces_max = 4;
    let mut door = Authenticator::new(config);
    let mut used = Vec::new();
    for now in 0..10 {
        let asked = judge(&mut door, &register("c", 1, ""), now);
        let mut client = DigestClient::new(challenge(&asked, Algorithm::Sha256));
        let request = answer(&mut client, "anna", "secret");
        assert!(matches!(
            judge(&mut door, &request, now),
            Judgement::Authenticated(_)
        ));
        used.push(request);
    }
    for request in &used {
        let judged = judge(&mut door, request, 11);
        assert!(matches!(judged, Judgement::Challenge { .. }), "{judged:?}");
    }
}

#[test]
fn guessing_is_slow() {
    let mut door = door();
    let asked = judge(&mut door, &register("c", 1, ""), 0);
    for guess in 0..10 {
        let mut client = DigestClient::new(challenge(&asked, Algorithm::Sha256));
        let wrong = format!("guess {guess}");
        for name in ["anna", "nobody"] {
            let judged = judge(&mut door, &answer(&mut client, name, &wrong), 1);
            assert_eq!(why(&judged), "response does not match");
        }
    }
    let mut client = DigestClient::new(challenge(&asked, Algorithm::Sha256));
    let right = answer(&mut client, "anna", "secret");
    let Judgement::Blocked { retry_after } = judge(&mut door, &right, 2) else {
        panic!("ten wrong answers block");
    };
    assert!(retry_after <= Duration::from_secs(300));
    // Others are served, and time heals.
    let other = IpAddr::from([192, 0, 2, 2]);
    let ask = |door: &mut Authenticator, request: &Request| {
        door.judge(request, false, other, account, Duration::from_secs(2))
    };
    let asked = ask(&mut door, &register("c", 1, ""));
    let mut client = DigestClient::new(challenge(&asked, Algorithm::Sha256));
    let judged = ask(&mut door, &answer(&mut client, "anna", "secret"));
    assert!(matches!(judged, Judgement::Authenticated(_)));
    let later = judge(&mut door, &right, 400);
    assert!(matches!(later, Judgement::Challenge { .. }));
}

#[test]
fn a_flood_of_sources_is_bounded() {
    let mut config = AuthenticatorConfig::new(REALM, [5; 32]);
    config.limits.sources_max = 50;
    let mut door = Authenticator::new(config);
    let guess = |door: &mut Authenticator, from: IpAddr, now: u64| {
        let now = Duration::from_secs(now);
        let asked = door.judge(&register("c", 1, ""), false, from, account, now);
        let mut client = DigestClient::new(challenge(&asked, Algorithm::Sha256));
        let wrong = answer(&mut client, "anna", "guess");
        let judged = door.judge(&wrong, false, from, account, now);
        assert_eq!(why(&judged), "response does not match");
    };
    for host in 0..200 {
        guess(&mut door, [198, 51, 100, host].into(), host.into());
    }
    assert_eq!(door.suspects(), 50);
    // A whole /64 is one source.
    let mut door = self::door();
    for host in 0..9_u16 {
        let from = IpAddr::from([0x2001, 0xdb8, 0, 1, host, host, host, host]);
        guess(&mut door, from, 1);
    }
    assert_eq!(door.suspects(), 1);
}

#[test]
fn nobody_has_somebody_else_blocked_by_writing_his_address() {
    let mut door = door();
    let (attacker, victim) = (IpAddr::from([198, 51, 100, 7]), source());
    let judge_at = |door: &mut Authenticator, request: &Request, from| {
        door.judge(request, false, from, account, Duration::from_secs(1))
    };
    // He has a nonce of his own, and the victim's address on his datagrams.
    let asked = judge_at(&mut door, &register("c", 1, ""), attacker);
    let mut client = DigestClient::new(challenge(&asked, Algorithm::Sha256));
    for _ in 0..50 {
        let wrong = answer(&mut client, "anna", "guess");
        let judged = judge_at(&mut door, &wrong, victim);
        assert_eq!(
            why(&judged),
            "nonce is stale",
            "nothing is blamed on the victim"
        );
    }
    assert_eq!(door.suspects(), 0);
    // Nor does a nonce of one address let guess from another: not even the right word is heard.
    let right = answer(&mut client, "anna", "secret");
    assert_eq!(why(&judge_at(&mut door, &right, victim)), "nonce is stale");
    let asked = judge_at(&mut door, &register("c", 1, ""), victim);
    let mut client = DigestClient::new(challenge(&asked, Algorithm::Sha256));
    let judged = judge_at(&mut door, &answer(&mut client, "anna", "secret"), victim);
    assert!(matches!(judged, Judgement::Authenticated(_)));
}

#[test]
fn an_account_of_ones_own_forgives_no_guesses_at_another() {
    let mut door = door();
    let asked = judge(&mut door, &register("c", 1, ""), 0);
    let mut sha = DigestClient::new(challenge(&asked, Algorithm::Sha256));
    let own = |door: &mut Authenticator| {
        let asked = judge(door, &register("c", 1, ""), 1);
        let mut client = DigestClient::new(challenge(&asked, Algorithm::Md5));
        let judged = judge(door, &answer(&mut client, "ata", "secret"), 1);
        assert!(matches!(judged, Judgement::Authenticated(_)), "{judged:?}");
    };
    for guess in 0..10 {
        let wrong = format!("guess {guess}");
        let judged = judge(&mut door, &answer(&mut sha, "anna", &wrong), 1);
        assert_eq!(why(&judged), "response does not match");
        own(&mut door);
    }
    let judged = judge(&mut door, &answer(&mut sha, "anna", "secret"), 2);
    assert!(matches!(judged, Judgement::Blocked { .. }), "{judged:?}");
    // And who guesses at one account blocks that one only.
    own(&mut door);
}

#[test]
fn a_repeated_answer_is_no_guess() {
    let mut door = door();
    let asked = judge(&mut door, &register("c", 1, ""), 0);
    let mut client = DigestClient::new(challenge(&asked, Algorithm::Sha256));
    let right = answer(&mut client, "anna", "secret");
    let judged = judge(&mut door, &right, 1);
    assert!(matches!(judged, Judgement::Authenticated(_)));
    for _ in 0..20 {
        // A retransmission that was answered without a transaction.
        let again = judge(&mut door, &right, 1);
        assert_eq!(why(&again), "nc was used before");
        assert!(challenge(&again, Algorithm::Sha256).stale);
    }
    assert_eq!(door.suspects(), 0);
}

#[test]
fn credentials_that_lack_or_bend_something_are_wrong() {
    for (from, to) in [
        ("qop=auth,", ""),
        ("nc=00000001", "nc=1"),
        ("nc=00000001", "nc=00000000"),
        ("cnonce=\"cnonce\"", "cnonce=\"\""),
        ("uri=\"sip:home.example\"", "uri=\"sip:elsewhere.example\""),
        ("algorithm=SHA-256", "algorithm=SHA-512-256"),
        ("username=\"anna\"", "username=\"bert\""),
    ] {
        let mut door = door();
        let asked = judge(&mut door, &register("c", 1, ""), 0);
        let mut client = DigestClient::new(challenge(&asked, Algorithm::Sha256));
        let mut request = answer(&mut client, "anna", "secret");
        let value = request
            .headers
            .get_str(&HeaderName::Authorization)
            .unwrap()
            .to_owned();
        assert!(value.contains(from), "{value}");
        request
            .headers
            .set(HeaderName::Authorization, value.replace(from, to));
        let judged = judge(&mut door, &request, 1);
        assert!(
            matches!(judged, Judgement::Challenge { .. }),
            "{from} → {to}: {judged:?}"
        );
    }
}
