//! Revocation takes effect on live connections, on streams, and on every later try.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod household;

use std::time::{Duration, Instant};

use hearthline_hub::device::DeviceKind;
use hearthline_hub::person::Role;
use household::{Household, device_path};
use http_body_util::BodyExt as _;

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
