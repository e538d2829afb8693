//! Three hundred devices, each with a certificate of its own and an open stream: all are told of a change, and what
//! they cost is printed. (The aim of 2,000 needs more files than an ordinary shell may open; hub and clients share
//! this process.)
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod household;

use std::time::Instant;

use hearthline_hub::authority::Authority;
use hearthline_hub::certificate_request::CertificateRequest;
use hearthline_hub::device::{DeviceFields, DeviceKind, NewDevice};
use hearthline_hub::id::DeviceId;
use hearthline_hub::invitation::{Code, InvitationKey, NewInvitation};
use hearthline_hub::join::{Membership, make_request};
use hearthline_hub::person::Role;
use hearthline_hub::text::Name;
use household::Household;
use rcgen::KeyPair;
use serde_json::json;

const DEVICES: usize = 300;

/// Resident memory of this process, in bytes.
fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_device_is_told() {
    let home = Household::new().await;
    let now = home.clock.now();
    let store = home.hub.store();
    let authority = Authority::open(home.folder.path(), false, now).unwrap();
    // The slow derivation is tested elsewhere; here one key serves for all.
    let key = InvitationKey::derive(&Code::random().unwrap(), &home.hub.ca_fingerprint());
    let began = Instant::now();
    let mut members = Vec::new();
    for n in 0..DEVICES {
        let fields = DeviceFields {
            name: Name::new(&format!("Speaker {n}")).unwrap(),
            room: None,
            person: None,
        };
        let new = NewInvitation {
            key: key.clone(),
            kind: DeviceKind::Speaker,
            fields: fields.clone(),
            expires_at: now.plus_ms(600_000),
        };
        let invitation = store.invite(&new, now).await.unwrap();
        let pair = KeyPair::generate().unwrap();
        let request = CertificateRequest::from_der(&make_request(&pair).unwrap().0).unwrap();
        let id = DeviceId::random().unwrap();
        let (certificate, issued) = authority.issue_device(id, &request, now).unwrap();
        let device = NewDevice {
            id,
            kind: DeviceKind::Speaker,
            fields: fields.clone(),
            key_fingerprint: request.key_fingerprint(),
            certificate: issued,
        };
        store
            .accept_invitation(invitation.id, &device, now)
            .await
            .unwrap();
        members.push(Membership {
            device: id,
            kind: DeviceKind::Speaker,
            fields,
            key_pem: pair.serialize_pem(),
            certificate_pem: pem(&certificate),
            ca_pem: home.ca_pem.clone(),
            not_after: issued.not_after,
        });
    }
    println!("{DEVICES} devices enrolled in {:?}", began.elapsed());
    let owner = home.login(Role::Owner).await;
    let before = resident_bytes();
    let began = Instant::now();
    let mut streams = Vec::new();
    for member in &members {
        streams.push(home.as_device(member).events(None).await);
    }
    println!("{DEVICES} streams opened in {:?}", began.elapsed());
    let each = resident_bytes().saturating_sub(before) / DEVICES;
    println!("{} kB per device, hub and client together", each / 1024);
    let began = Instant::now();
    owner
        .post("/api/v1/rooms", &json!({"name": "Kitchen"}))
        .await;
    for stream in &mut streams {
        stream.next_of("rooms").await.unwrap();
    }
    println!("all told in {:?}", began.elapsed());
    for member in &members {
        assert_eq!(home.hub.live().count(member.device), 1);
    }
    // 2,000 devices within 300 MB leave 150 kB for each; here the client's half is in it too.
    assert!(each < 300 * 1024, "{each} bytes per device");
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}
