//! The bundle of an incident: handed in by its device alone, checked before it is kept, given back byte by byte.

use std::os::unix::fs::PermissionsExt as _;

use hearthline_hub::device::{DeviceKind, Fingerprint};
use hearthline_hub::hand_in::{Shown, hand_in};
use hearthline_hub::join::JoinError;
use hearthline_hub::person::Role;
use hearthline_ledger::{IdentityKey, NoteKey, PublicKey, TrustPolicy};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::household::{Household, recorded};

const OPENED_MS: u64 = 1_795_356_000_000;

#[tokio::test]
async fn once_by_its_device_and_read_by_adults() {
    let home = Household::new().await;
    let member = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let shown = Shown {
        authority_pem: &member.ca_pem,
        certificate_pem: &member.certificate_pem,
        key_pem: &member.key_pem,
    };
    let bundle = recorded::bundle(1, OPENED_MS, "call nine one one");
    let id = hand_in(home.address(), shown, bundle.clone())
        .await
        .unwrap();
    let again = hand_in(home.address(), shown, bundle.clone())
        .await
        .unwrap();
    assert_eq!(id, again, "the same again changes nothing");
    let adult = home.login(Role::Adult).await;
    let (_, list) = adult.get("/api/v1/incidents").await;
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
    let incident = &list[0];
    assert_eq!(incident["id"], id.to_string());
    assert_eq!(incident["device"], member.device.to_string());
    assert_eq!(incident["outcome"], "answered");
    assert_eq!(incident["drill"], true);
    assert_eq!(incident["opened_at_ms"], OPENED_MS + 100);
    assert_eq!(incident["bundle"]["verdict"], "intact");
    assert_eq!(incident["bundle"]["bytes"], bundle.len());
    let sha256 = Fingerprint::of(&bundle).to_string();
    assert_eq!(incident["bundle_sha256"], sha256);
    let path = format!("/api/v1/incidents/{id}/bundle");
    let (status, headers, body) = adult.send_bytes("GET", &path, Vec::new()).await;
    assert_eq!(
        (status, headers["content-type"].to_str().unwrap()),
        (200, "application/zip")
    );
    assert!(
        headers["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("attachment")
    );
    assert!(body == bundle, "byte by byte");
    for role in [Role::Child, Role::Guest] {
        assert_eq!(home.login(role).await.get(&path).await.0, 403);
    }
    assert_eq!(
        home.as_device(&member).get(&path).await.0,
        403,
        "people read it"
    );
    // On disk for the hub alone; what was changed there is not given out.
    let file = home
        .folder
        .path()
        .join("bundles")
        .join(format!("{sha256}.zip"));
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
    let mut changed = bundle.clone();
    changed[1_000] ^= 1;
    std::fs::write(&file, &changed).unwrap();
    assert_eq!(adult.get(&path).await.0, 500);
}

#[tokio::test]
async fn and_nothing_that_was_changed_or_is_none() {
    let home = Household::new().await;
    let member = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let shown = Shown {
        authority_pem: &member.ca_pem,
        certificate_pem: &member.certificate_pem,
        key_pem: &member.key_pem,
    };
    let good = recorded::bundle(1, OPENED_MS, "call nine one one");
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    let half = good[..good.len() / 2].to_vec();
    for (name, bytes) in [
        ("changed", flipped),
        ("half", half),
        ("text", b"no bundle".to_vec()),
        ("nothing", Vec::new()),
    ] {
        let refused = hand_in(home.address(), shown, bytes).await.unwrap_err();
        let JoinError::Refused { status, detail } = &refused else {
            panic!("{name}: {refused}");
        };
        assert_eq!(*status, 400, "{name}: {detail}");
        assert!(detail.contains("not kept"), "{name}: {detail}");
    }
    let mut device = home.as_device(&member);
    device.header("content-type", "application/json");
    let path = "/api/v1/incidents/bundles";
    assert_eq!(device.send_bytes("POST", path, good.clone()).await.0, 415);
    device.header("content-type", "application/zip");
    let large = vec![0_u8; hearthline_hub::bundle::BUNDLE_BYTES_MAX + 1];
    let answer = device.try_send("POST", path, large).await;
    assert!(
        answer.is_none_or(|answer| answer.status() == 413),
        "too large"
    );
    // People hand in nothing, an owner neither.
    let mut owner = home.login(Role::Owner).await;
    owner.header("content-type", "application/zip");
    assert_eq!(owner.send_bytes("POST", path, good.clone()).await.0, 403);
    let (_, list) = owner.get("/api/v1/incidents").await;
    assert_eq!(list, serde_json::json!([]));
    assert!(
        !home.folder.path().join("bundles").exists(),
        "nothing was written"
    );
    // The same incident exported anew: the first stays.
    hand_in(home.address(), shown, good).await.unwrap();
    let other = recorded::bundle(1, OPENED_MS, "call nine one one now");
    let refused = hand_in(home.address(), shown, other).await.unwrap_err();
    assert!(
        matches!(refused, JoinError::Refused { status: 409, .. }),
        "{refused}"
    );
    let files = std::fs::read_dir(home.folder.path().join("bundles")).unwrap();
    assert_eq!(files.count(), 1, "what was refused takes up no place");
}

/// [`recorded::WITNESS`] and the first of the devices, as an owner writes them down.
fn policy() -> TrustPolicy {
    let (name, secret) = recorded::WITNESS;
    let pair = Ed25519KeyPair::from_seed_unchecked(&secret).unwrap();
    let public: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
    let key = NoteKey::witness(name, PublicKey::from_bytes(&public).unwrap()).unwrap();
    let device = IdentityKey::from_secret(&[1; 32]).key_id();
    let text = format!("device {device}\nwitness w {}\nquorum w\n", key.to_vkey());
    TrustPolicy::parse(&text).unwrap()
}

#[tokio::test]
async fn who_saw_it_counts_where_the_owner_believes_them() {
    let home = Household::new().await;
    let member = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let shown = || Shown {
        authority_pem: &member.ca_pem,
        certificate_pem: &member.certificate_pem,
        key_pem: &member.key_pem,
    };
    let verdicts = async |home: &Household| -> Vec<String> {
        let (_, list) = home.login(Role::Adult).await.get("/api/v1/incidents").await;
        let rows = list.as_array().unwrap().iter();
        rows.map(|row| row["bundle"]["verdict"].as_str().unwrap().to_owned())
            .collect()
    };
    // The bundle brings its witness along; that alone says nothing.
    let first = recorded::witnessed(1, OPENED_MS);
    hand_in(home.address(), shown(), first).await.unwrap();
    assert_eq!(verdicts(&home).await, ["intact"]);
    let home = home.believing(policy()).await;
    let unseen = recorded::bundle(1, OPENED_MS + 200_000, "call nine one one");
    hand_in(home.address(), shown(), unseen).await.unwrap();
    let second = recorded::witnessed(1, OPENED_MS + 400_000);
    hand_in(home.address(), shown(), second).await.unwrap();
    // Of a device that the owner has not written down a witness proves nothing; it is not called changed either.
    let strangers = recorded::witnessed(2, OPENED_MS + 600_000);
    hand_in(home.address(), shown(), strangers).await.unwrap();
    // The newest first; what was said of the first stays what it was.
    assert_eq!(
        verdicts(&home).await,
        ["intact", "witnessed", "intact", "intact"]
    );
}
