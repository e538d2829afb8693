//! Enrolment end to end over real TLS on loopback.

use crate::household::Household;
use hearthline_hub::authority::LASTS_MS;
use hearthline_hub::device::{DeviceFields, DeviceKind, Fingerprint};
use hearthline_hub::invitation::{Code, read_url};
use hearthline_hub::join::{JoinError, join, make_request};
use hearthline_hub::person::Role;
use hearthline_hub::text::Name;
use rcgen::KeyPair;
use serde_json::json;

fn fields(name: &str) -> DeviceFields {
    DeviceFields {
        name: Name::new(name).unwrap(),
        room: None,
        person: None,
    }
}

#[tokio::test]
async fn a_device_joins_with_a_typed_code_and_is_known_by_its_certificate() {
    let home = Household::new().await;
    let invited = home
        .hub
        .invite(DeviceKind::Speaker, fields("Kitchen"))
        .await
        .unwrap();
    // Typed as people type, without the fingerprint of the QR code.
    let typed: Code = invited.code.to_string().to_lowercase().parse().unwrap();
    let own = join(home.address(), &typed, None).await.unwrap();
    assert_eq!(own.fields.name.as_str(), "Kitchen");
    let (status, me) = home.as_device(&own).get("/api/v1/me").await;
    assert_eq!(
        (status, me["device"]["id"].as_str().unwrap()),
        (200, own.device.to_string().as_str())
    );
    // The certificate is good for SIP and HTTPS of the hub, and the key never left the device.
    assert!(own.key_pem.contains("PRIVATE KEY"));
    let (status, _) = home.anonymous().get("/api/v1/me").await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn the_qr_code_pins_the_home() {
    let home = Household::new().await;
    let invited = home
        .hub
        .invite(DeviceKind::Phone, fields("Phone"))
        .await
        .unwrap();
    let (code, ca) = read_url(&invited.url).unwrap();
    let other = Fingerprint::of(b"somebody else's authority");
    let refused = join(home.address(), &code, Some(other)).await;
    assert!(
        matches!(refused, Err(JoinError::OtherAuthority)),
        "{refused:?}"
    );
    join(home.address(), &code, Some(ca)).await.unwrap();
    assert!(invited.qr().lines().count() > 15);
}

#[tokio::test]
async fn a_code_works_once_even_for_two_at_the_same_moment() {
    let home = Household::new().await;
    let invited = home
        .hub
        .invite(DeviceKind::Speaker, fields("Twin"))
        .await
        .unwrap();
    let (one, two) = tokio::join!(
        join(home.address(), &invited.code, None),
        join(home.address(), &invited.code, None)
    );
    assert_eq!(
        usize::from(one.is_ok()) + usize::from(two.is_ok()),
        1,
        "{one:?} {two:?}"
    );
    assert_eq!(home.hub.store().devices().await.unwrap().len(), 1);
    let again = join(home.address(), &invited.code, None).await;
    assert!(
        matches!(again, Err(JoinError::Refused { status: 403, .. })),
        "{again:?}"
    );
}

#[tokio::test]
async fn a_code_ends_after_ten_minutes() {
    let home = Household::new().await;
    let invited = home
        .hub
        .invite(DeviceKind::Speaker, fields("Late"))
        .await
        .unwrap();
    home.clock.advance_ms(10 * 60_000 + 1);
    let late = join(home.address(), &invited.code, None).await;
    assert!(
        matches!(late, Err(JoinError::Refused { status: 403, .. })),
        "{late:?}"
    );
}

#[tokio::test]
async fn five_wrong_codes_lock_every_open_invitation() {
    let home = Household::new().await;
    let invited = home
        .hub
        .invite(DeviceKind::Speaker, fields("Locked"))
        .await
        .unwrap();
    for _ in 0..5 {
        let wrong = join(home.address(), &Code::random().unwrap(), None).await;
        assert!(
            matches!(wrong, Err(JoinError::Refused { status: 403, .. })),
            "{wrong:?}"
        );
    }
    let right = join(home.address(), &invited.code, None).await;
    assert!(
        matches!(right, Err(JoinError::Refused { status: 403, .. })),
        "{right:?}"
    );
    let owner = home.login(Role::Owner).await;
    let (_, list) = owner.get("/api/v1/invitations").await;
    assert_eq!(list[0]["state"], "locked");
    assert_eq!(list[0]["wrong_tries"], 5);
    assert!(home.hub.store().devices().await.unwrap().is_empty());
}

/// Somebody between joiner and hub who replaces the request by one for a key of theirs, or passes off their own
/// answer, has no proof for it.
#[tokio::test]
async fn somebody_in_between_can_neither_swap_the_key_nor_replay_the_proof() {
    let home = Household::new().await;
    let invited = home
        .hub
        .invite(DeviceKind::Speaker, fields("Target"))
        .await
        .unwrap();
    let ca = home.hub.ca_fingerprint();
    let key = hearthline_hub::invitation::InvitationKey::derive(&invited.code, &ca);
    let victim = KeyPair::generate().unwrap();
    let (request, _) = make_request(&victim).unwrap();
    let seen_proof = key.join_proof(&request, &ca);
    let (_, attackers_request) = make_request(&KeyPair::generate().unwrap()).unwrap();
    let proof = base64(&seen_proof);
    let (status, body) = home
        .anonymous()
        .post(
            "/api/v1/join",
            &json!({"request_pem": attackers_request, "proof": proof}),
        )
        .await;
    assert_eq!(status, 403, "{body}");
    assert!(home.hub.store().devices().await.unwrap().is_empty());
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[tokio::test]
async fn what_is_no_request_is_refused_with_the_field() {
    let home = Household::new().await;
    home.hub
        .invite(DeviceKind::Speaker, fields("X"))
        .await
        .unwrap();
    for (body, field) in [
        (
            json!({"request_pem": "nonsense", "proof": ""}),
            "request_pem",
        ),
        (
            json!({"request_pem": "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "proof": ""}),
            "request_pem",
        ),
        (json!({"request_pem": 7, "proof": ""}), "request_pem"),
    ] {
        let (status, problem) = home.anonymous().post("/api/v1/join", &body).await;
        assert_eq!(
            (status, problem["field"].as_str()),
            (400, Some(field)),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn a_certificate_renews_itself_also_after_its_end_but_does_nothing_else_then() {
    let home = Household::new().await;
    let own = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let old = home.as_device(&own);
    home.clock.advance_ms(LASTS_MS + 24 * 3_600_000);
    let (status, problem) = old.get("/api/v1/rooms").await;
    assert_eq!(status, 403, "{problem}");
    assert!(
        problem["detail"].as_str().unwrap().contains("renew"),
        "{problem}"
    );
    let key = KeyPair::generate().unwrap();
    let (_, request_pem) = make_request(&key).unwrap();
    let (status, renewed) = old
        .post("/api/v1/certificate", &json!({"request_pem": request_pem}))
        .await;
    assert_eq!(status, 200, "{renewed}");
    let fresh = hearthline_hub::join::Membership {
        key_pem: key.serialize_pem(),
        certificate_pem: renewed["certificate_pem"].as_str().unwrap().to_owned(),
        ..own
    };
    // The hub's own certificate has ended by the hub's moved clock only; the client's clock still accepts it.
    let stored = home.hub.store().device(fresh.device).await.unwrap();
    assert_eq!(
        stored.key_fingerprint,
        Fingerprint::of(&{
            use rcgen::PublicKeyData as _;
            key.subject_public_key_info()
        })
    );
    let (status, me) = home.as_device(&fresh).get("/api/v1/me").await;
    assert_eq!(status, 200, "{me}");
    // Long after the grace nobody gets in with it any more.
    home.clock.advance_ms(2 * LASTS_MS);
    assert!(
        old.try_send("GET", "/api/v1/me", Vec::new())
            .await
            .is_none()
    );
}

#[tokio::test]
async fn a_certificate_of_another_home_is_nobodys() {
    let (home, other) = (Household::new().await, Household::new().await);
    let foreign = other.device(DeviceKind::Speaker, "Elsewhere", None).await;
    let client = home.as_device(&foreign);
    assert!(
        client
            .try_send("GET", "/api/v1/me", Vec::new())
            .await
            .is_none()
    );
}
