//! Revocation takes effect on live connections, on streams, and on every later try.

use std::time::{Duration, Instant};

use crate::household::{Household, device_path};
use hearthline_hub::device::DeviceKind;
use hearthline_hub::person::Role;
use http_body_util::BodyExt as _;
use serde_json::json;

#[tokio::test]
async fn an_open_connection_and_an_open_stream_end_at_once() {
    let home = Household::new().await;
    let own = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let kept = home.device(DeviceKind::Speaker, "Hall", None).await;
    let client = home.as_device(&own);
    let mut connection = client.connect().await.unwrap();
    let answer = connection
        .send_request(client.request("GET", "/api/v1/rooms", Vec::new()))
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    answer.into_body().collect().await.unwrap();
    let mut stream = client.events(None).await;
    let mut others = home.as_device(&kept).events(None).await;
    assert_eq!(home.hub.live().count(own.device), 2);

    let owner = home.login(Role::Owner).await;
    let (status, _) = owner.delete(&device_path(own.device)).await;
    assert_eq!(status, 204);
    let began = Instant::now();
    assert_eq!(
        stream.next().await,
        None,
        "the stream ends without telling more"
    );
    // Until the cut has come round, a request on the open connection is already nobody's.
    while connection.ready().await.is_ok() {
        let request = client.request("GET", "/api/v1/rooms", Vec::new());
        let Ok(answer) = connection.send_request(request).await else {
            break;
        };
        assert_eq!(answer.status().as_u16(), 401);
        let _ = answer.into_body().collect().await;
        assert!(began.elapsed() < Duration::from_secs(2), "never cut");
    }
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(home.hub.live().count(own.device), 0);
    assert!(
        client
            .try_send("GET", "/api/v1/me", Vec::new())
            .await
            .is_none()
    );
    let told = others.next_of("device_revoked").await.unwrap();
    assert_eq!(told.subject, own.device.to_string());
    // Its key cannot come back with another certificate either.
    assert!(
        client
            .try_send("POST", "/api/v1/certificate", b"{}".to_vec())
            .await
            .is_none()
    );
}

#[tokio::test]
async fn adults_change_their_own_devices_and_not_whose_they_are() {
    let home = Household::new().await;
    let (olive, adam) = (home.person(Role::Owner), home.person(Role::Adult));
    let adams = home
        .device(DeviceKind::Phone, "Adam's phone", Some(adam))
        .await;
    let olives = home
        .device(DeviceKind::Phone, "Olive's phone", Some(olive))
        .await;
    let shared = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let adult = home.login(Role::Adult).await;
    let fields = |person: Option<&hearthline_hub::person::Person>| json!({"name": "Renamed", "person": person.map(|person| person.id)});
    let (own, owners) = (device_path(adams.device), device_path(olives.device));
    assert_eq!(adult.put(&own, &fields(Some(adam))).await.0, 200);
    // Their own phone would read Olive's mailbox; Olive's phone would be theirs to revoke.
    assert_eq!(adult.put(&own, &fields(Some(olive))).await.0, 403);
    assert_eq!(adult.put(&own, &fields(None)).await.0, 403);
    assert_eq!(adult.put(&owners, &fields(Some(adam))).await.0, 403);
    assert_eq!(adult.put(&owners, &fields(Some(olive))).await.0, 403);
    let kitchen = device_path(shared.device);
    assert_eq!(adult.put(&kitchen, &fields(Some(adam))).await.0, 403);
    assert_eq!(adult.delete(&owners).await.0, 403);
    let owner = home.login(Role::Owner).await;
    assert_eq!(owner.put(&kitchen, &fields(Some(adam))).await.0, 200);
}

#[tokio::test]
async fn a_removed_childs_phone_is_nobodys() {
    let home = Household::new().await;
    let child = home.person(Role::Child);
    let phone = home
        .device(DeviceKind::Phone, "Chris's phone", Some(child))
        .await;
    let client = home.as_device(&phone);
    assert_eq!(client.get("/api/v1/calls").await.0, 403);
    let owner = home.login(Role::Owner).await;
    let path = format!("/api/v1/people/{}", child.id);
    assert_eq!(owner.delete(&path).await.0, 204);
    let answer = client.try_send("GET", "/api/v1/calls", Vec::new()).await;
    assert!(answer.is_none_or(|answer| answer.status().as_u16() == 401));
}

#[tokio::test]
async fn a_session_opened_on_a_phone_ends_with_the_phone_and_owners_end_any() {
    let home = Household::new().await;
    let adam = home.person(Role::Adult);
    let phone = home
        .device(DeviceKind::Phone, "Adam's phone", Some(adam))
        .await;
    let wish = json!({"login": "adam", "password": crate::household::PASSWORD, "kind": "app"});
    let (status, opened) = home.as_device(&phone).post("/api/v1/sessions", &wish).await;
    assert_eq!(
        (status, &opened["session"]["device"]),
        (201, &json!(phone.device))
    );
    // Whoever has the phone takes the token out of it and leaves the certificate behind.
    let mut stolen = home.anonymous();
    stolen.header(
        "authorization",
        &format!("Bearer {}", opened["token"].as_str().unwrap()),
    );
    assert_eq!(stolen.get("/api/v1/me").await.0, 200);
    let elsewhere = home.login(Role::Adult).await;
    let owner = home.login(Role::Owner).await;
    assert_eq!(owner.delete(&device_path(phone.device)).await.0, 204);
    assert_eq!(stolen.get("/api/v1/me").await.0, 401);
    assert_eq!(elsewhere.get("/api/v1/me").await.0, 200);

    let path = format!("/api/v1/people/{}/sessions", adam.id);
    assert_eq!(elsewhere.get(&path).await.0, 403, "for owners");
    let (_, list) = owner.get(&path).await;
    assert_eq!(list.as_array().unwrap().len(), 1);
    let session = format!("/api/v1/sessions/{}", list[0]["id"].as_str().unwrap());
    assert_eq!(home.login(Role::Child).await.delete(&session).await.0, 404);
    assert_eq!(owner.delete(&session).await.0, 204);
    assert_eq!(elsewhere.get("/api/v1/me").await.0, 401);
}

#[tokio::test]
async fn adults_revoke_their_own_devices_and_devices_themselves() {
    let home = Household::new().await;
    let adam = home.person(Role::Adult);
    let adams = home
        .device(DeviceKind::Phone, "Adam's phone", Some(adam))
        .await;
    let shared = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    let adult = home.login(Role::Adult).await;
    assert_eq!(adult.delete(&device_path(shared.device)).await.0, 403);
    assert_eq!(
        home.as_device(&adams)
            .delete(&device_path(shared.device))
            .await
            .0,
        403
    );
    assert_eq!(adult.delete(&device_path(adams.device)).await.0, 204);
    let gone = home
        .as_device(&shared)
        .try_send("DELETE", &device_path(shared.device), Vec::new())
        .await;
    // The answer may be cut off with the connection; what counts is that it is done.
    assert!(gone.is_none_or(|answer| answer.status().as_u16() == 204));
    let devices = home.hub.store().devices().await.unwrap();
    assert!(devices.iter().all(|device| device.revoked_at_ms.is_some()));
}
