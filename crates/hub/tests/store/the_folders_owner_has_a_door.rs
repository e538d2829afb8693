//! `hub.socket`: the first owner and invitations, beside a running hub.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use hearthline_hub::control::{ControlError, Done, Wish, ask};
use hearthline_hub::device::DeviceKind;
use hearthline_hub::invitation::read_url;
use hearthline_hub::join::join;
use hearthline_hub::{Hub, HubConfig};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

#[tokio::test]
async fn the_first_owner_and_an_invitation_come_in_by_the_socket() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let invite = Wish::Invite {
        kind: DeviceKind::Speaker,
        device: read(json!({"name": "Kitchen"})),
    };
    let nobody = ask(&data, &invite).await.err().unwrap();
    assert!(
        matches!(nobody, ControlError::NotRunning { .. }),
        "{nobody}"
    );
    let hub = Hub::start(HubConfig::new(&data)).await.unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(&data), mode(&data.join("hub.socket"))),
        (0o700, 0o600)
    );
    assert_eq!(
        (
            mode(&data.join("hub.sqlite")),
            mode(&data.join("authority.pem"))
        ),
        (0o600, 0o600)
    );

    let olive = |password: &str| Wish::AddPerson {
        person: read(json!({"name": "Olive", "role": "owner", "login": "olive"})),
        password: Some(password.to_owned()),
    };
    let short = ask(&data, &olive("short")).await.unwrap();
    assert!(matches!(short, Done::Refused { detail } if detail.contains("at least")));
    let Done::Added { id } = ask(&data, &olive("a long enough password")).await.unwrap() else {
        panic!("not added");
    };
    assert_eq!(hub.store().people().await.unwrap()[0].id, id);

    let Done::Invited { code, url, qr, .. } = ask(&data, &invite).await.unwrap() else {
        panic!("not invited");
    };
    let (from_url, ca) = read_url(&url).unwrap();
    assert_eq!(from_url.to_string(), code);
    assert!(qr.lines().count() > 15);
    join(hub.addresses()[0], &from_url, Some(ca)).await.unwrap();
    let Done::BackedUp { path } = ask(&data, &Wish::BackUp).await.unwrap() else {
        panic!("not backed up");
    };
    assert!(path.exists());

    // Nonsense and a silent visitor hold nobody up for long.
    let mut nonsense = tokio::net::UnixStream::connect(data.join("hub.socket"))
        .await
        .unwrap();
    nonsense.write_all(b"{\"call\": \"911\"}\n").await.unwrap();
    let mut answer = String::new();
    nonsense.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.contains("refused") && answer.contains("does not read"),
        "{answer}"
    );
    hub.stop().await;
    assert!(!data.join("hub.socket").exists());
}
