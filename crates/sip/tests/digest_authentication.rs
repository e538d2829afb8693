//! Digest: the examples of RFC 2617 and RFC 7616, and both sides against each other.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use std::time::Duration;

use hearthline_sip::auth::AuthValue;
use hearthline_sip::digest::{
    Algorithm, Challenge, Credentials, DigestClient, DigestError, DigestServer, Qop, Secret,
    Verdict, strongest,
};
use hearthline_sip::{HeaderName, Headers, Method, Uri};

fn challenges(rows: &[&str]) -> Vec<AuthValue> {
    let mut headers = Headers::new();
    for row in rows {
        headers.push(HeaderName::WwwAuthenticate, *row);
    }
    headers.www_authenticate().unwrap()
}

fn mufasa(password: &str) -> Credentials {
    Credentials {
        username: "Mufasa".into(),
        password: password.into(),
    }
}

const SHA: &str = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, \
    nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

#[test]
fn examples_of_the_rfcs() {
    let get = Method::parse("GET").unwrap();
    let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    for (row, expected) in [
        (
            SHA.to_owned(),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
        (
            SHA.replace("SHA-256", "MD5"),
            "8ca523f5e9506fed4657c9700eebdbec",
        ),
    ] {
        let challenge = strongest(&challenges(&[&row])).unwrap().remove(0);
        assert_eq!(challenge.qop, [Qop::Auth, Qop::AuthInt]);
        let mut client = DigestClient::new(challenge);
        let value = client.authorize(
            &mufasa("Circle of Life"),
            &get,
            "/dir/index.html",
            b"",
            cnonce,
        );
        assert_eq!(value.get("response"), Some(expected));
        assert_eq!(value.get("nc"), Some("00000001"));
        let again = client.authorize(
            &mufasa("Circle of Life"),
            &get,
            "/dir/index.html",
            b"",
            cnonce,
        );
        assert_eq!(again.get("nc"), Some("00000002"));
        assert_ne!(again.get("response"), Some(expected));
    }
    let row = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
        nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
    let mut client = DigestClient::new(strongest(&challenges(&[row])).unwrap().remove(0));
    let value = client.authorize(
        &mufasa("Circle Of Life"),
        &get,
        "/dir/index.html",
        b"",
        "0a4f113b",
    );
    assert_eq!(
        value.get("response"),
        Some("6629fae49393a05397450978507c4ef1")
    );
    assert_eq!(
        value.get("opaque"),
        Some("5ccc069c403ebaf9f0171e9517f40e41")
    );
}

#[test]
fn the_strongest_challenge_of_each_realm_is_answered() {
    let chosen = strongest(&challenges(&[
        "Digest realm=\"a\", nonce=\"1\", algorithm=MD5, qop=\"auth\"",
        "Digest realm=\"b\", nonce=\"2\"",
        "Digest realm=\"a\", nonce=\"3\", algorithm=SHA-512-256, qop=\"auth\"",
        "Digest realm=\"a\", nonce=\"4\", algorithm=SHA-256, qop=\"token, auth-int\"",
        "Bearer realm=\"c\"",
    ]))
    .unwrap();
    let picked: Vec<_> = chosen
        .iter()
        .map(|c| (c.nonce.as_str(), c.algorithm))
        .collect();
    assert_eq!(picked, [("4", Algorithm::Sha256), ("2", Algorithm::Md5)]);
    assert_eq!(chosen[0].qop, [Qop::AuthInt]);
    let error = |rows: &[&str]| strongest(&challenges(rows)).unwrap_err();
    assert_eq!(error(&[]), DigestError::NoChallenge);
    assert_eq!(error(&["Basic realm=\"x\""]), DigestError::Scheme);
    assert_eq!(
        error(&["Digest realm=\"x\", nonce=\"n\", algorithm=SHA256"]),
        DigestError::Algorithm
    );
    assert_eq!(
        error(&["Digest realm=\"x\", nonce=\"n\", qop=\"token\""]),
        DigestError::Qop
    );
    assert_eq!(
        error(&["Digest realm=\"x\""]),
        DigestError::Missing("nonce")
    );
}

#[test]
fn challenges_survive_the_wire() {
    let challenge = Challenge {
        realm: "a \"b\" \\ c".into(),
        nonce: "n/=".into(),
        opaque: Some(String::new()),
        stale: true,
        algorithm: Algorithm::Sha256Sess,
        qop: vec![Qop::Auth],
    };
    let text = challenge.to_value().to_string();
    assert_eq!(
        Challenge::from_value(&challenges(&[&text])[0]),
        Ok(challenge)
    );
}

const NOW: Duration = Duration::from_secs(1000);

struct Scene {
    server: DigestServer,
    uri: Uri,
}

impl Scene {
    fn new() -> Scene {
        Scene {
            server: DigestServer::new("home.example.com", [7; 32]),
            uri: Uri::parse("sip:home.example.com").unwrap(),
        }
    }

    fn client(&mut self, pick: usize, now: Duration) -> DigestClient {
        let values = self.server.challenges(false, now);
        DigestClient::new(Challenge::from_value(&values[pick]).unwrap())
    }

    fn verify(&mut self, value: &AuthValue, body: &[u8], now: Duration) -> Verdict {
        // As it goes over the wire.
        let mut headers = Headers::new();
        headers.push_display(HeaderName::Authorization, value);
        let value = headers.authorization().unwrap().remove(0);
        let lookup = |name: &str, algorithm: Algorithm| match name {
            "alice" => Some(Secret::Password("secret".into())),
            "bob" => Some(Secret::Ha1(algorithm.ha1(
                "bob",
                "home.example.com",
                "hidden",
            ))),
            _ => None,
        };
        self.server
            .verify(&value, &Method::Register, &self.uri, body, lookup, now)
    }
}

fn who(username: &str, password: &str) -> Credentials {
    Credentials {
        username: username.into(),
        password: password.into(),
    }
}

fn answer(client: &mut DigestClient, who: &Credentials) -> AuthValue {
    client.authorize(who, &Method::Register, "sip:home.example.com", b"", "c1")
}

#[test]
fn right_credentials_are_accepted_with_either_algorithm_and_secret() {
    let mut scene = Scene::new();
    for pick in [0, 1] {
        for (name, password) in [("alice", "secret"), ("bob", "hidden")] {
            let mut client = scene.client(pick, NOW);
            for _ in 0..3 {
                let value = answer(&mut client, &who(name, password));
                let verdict = scene.verify(&value, b"", NOW);
                assert_eq!(
                    verdict,
                    Verdict::Accepted {
                        username: name.into()
                    }
                );
            }
        }
    }
}

#[test]
fn wrong_credentials_replays_and_foreign_uris_are_refused() {
    let mut scene = Scene::new();
    let mut client = scene.client(0, NOW);
    let wrong = answer(&mut client, &who("alice", "secreT"));
    assert!(matches!(scene.verify(&wrong, b"", NOW), Verdict::Wrong(_)));
    let stranger = answer(&mut client, &who("mallory", ""));
    assert!(matches!(
        scene.verify(&stranger, b"", NOW),
        Verdict::Wrong(_)
    ));
    let good = answer(&mut client, &who("alice", "secret"));
    assert!(matches!(
        scene.verify(&good, b"", NOW),
        Verdict::Accepted { .. }
    ));
    assert_eq!(
        scene.verify(&good, b"", NOW),
        Verdict::Wrong("nc was used before")
    );
    let elsewhere = client.authorize(
        &who("alice", "secret"),
        &Method::Register,
        "sip:other.example.com",
        b"",
        "c",
    );
    assert_eq!(
        scene.verify(&elsewhere, b"", NOW),
        Verdict::Wrong("uri is not the request's")
    );
    let other_method = client.authorize(
        &who("alice", "secret"),
        &Method::Invite,
        "sip:home.example.com",
        b"",
        "c",
    );
    assert_eq!(
        scene.verify(&other_method, b"", NOW),
        Verdict::Wrong("response does not match")
    );
    assert_eq!(
        scene.verify(&AuthValue::new("NoOneKnowsThis"), b"", NOW),
        Verdict::Absent
    );
}

#[test]
fn old_and_forged_nonces_are_stale() {
    let mut scene = Scene::new();
    let mut client = scene.client(0, NOW);
    let value = answer(&mut client, &who("alice", "secret"));
    assert_eq!(
        scene.verify(&value, b"", NOW + Duration::from_secs(301)),
        Verdict::Stale
    );
    let mut foreign = Scene {
        server: DigestServer::new("home.example.com", [8; 32]),
        ..Scene::new()
    };
    let value = answer(&mut foreign.client(0, NOW), &who("alice", "secret"));
    assert_eq!(scene.verify(&value, b"", NOW), Verdict::Stale);
    // A stale challenge is worth one more try, a second plain refusal is not.
    let mut stale = Challenge::from_value(&scene.server.challenges(true, NOW)[0]).unwrap();
    assert!(stale.stale && client.renew(stale.clone()));
    let _ = answer(&mut client, &who("alice", "secret"));
    stale.stale = false;
    assert!(!client.renew(stale));
}

#[test]
fn auth_int_covers_the_body() {
    let mut scene = Scene::new();
    let mut challenge = Challenge::from_value(&scene.server.challenges(false, NOW)[0]).unwrap();
    challenge.qop = vec![Qop::AuthInt];
    let mut client = DigestClient::new(challenge);
    let value = client.authorize(
        &who("alice", "secret"),
        &Method::Register,
        "sip:home.example.com",
        b"body",
        "c",
    );
    assert_eq!(value.get("qop"), Some("auth-int"));
    assert!(matches!(
        scene.verify(&value, b"bodY", NOW),
        Verdict::Wrong(_)
    ));
    assert!(matches!(
        scene.verify(&value, b"body", NOW),
        Verdict::Accepted { .. }
    ));
}

#[test]
fn secrets_do_not_show() {
    assert!(!format!("{:?}", who("alice", "secret")).contains("secret"));
    assert!(!format!("{:?}", Secret::Password("secret".into())).contains("secret"));
    assert!(!format!("{:?}", DigestServer::new("r", [77; 32])).contains("77"));
}
