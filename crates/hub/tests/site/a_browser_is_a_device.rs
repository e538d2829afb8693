//! A session becomes a device's by the signature of that device's key, and by nothing else; it ends with the device.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hearthline_hub::device::DeviceKind;
use hearthline_hub::join::{Membership, make_request};
use hearthline_hub::person::Role;
use hearthline_transport::home_authority::sign_es256;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use crate::household::{Client, Household, PASSWORD};

/// Signs in as a browser does: a cookie, and the token against forged requests.
async fn browser(home: &Household, login: &str) -> (Client, String) {
    let mut client = home.anonymous();
    let wish = json!({"login": login, "password": PASSWORD, "kind": "browser"});
    let (status, headers, body) = client
        .send_bytes("POST", "/api/v1/sessions", wish.to_string().into_bytes())
        .await;
    assert_eq!(status, 201);
    let cookie = headers["set-cookie"].to_str().unwrap();
    client.header("cookie", cookie.split(';').next().unwrap());
    let body: Value = serde_json::from_slice(&body).unwrap();
    let token = body["csrf_token"].as_str().unwrap().to_owned();
    client.header("x-csrf-token", &token);
    (client, token)
}

fn wish(own: &Membership, key: &Membership, token: &str) -> Value {
    let key = PrivateKeyDer::from_pem_slice(key.key_pem.as_bytes()).unwrap();
    let message = format!("hearthline browser session v1\n{token}");
    let signature = sign_es256(key.secret_der(), message.as_bytes()).unwrap();
    json!({"certificate_pem": own.certificate_pem, "signature": STANDARD.encode(signature)})
}

#[tokio::test]
async fn whose_key_signed_the_sessions_own_token() {
    let home = Household::new().await;
    let adam = home.person(Role::Adult);
    let tablet = home.device(DeviceKind::Browser, "Tablet", Some(adam)).await;
    let other = home.device(DeviceKind::Browser, "Other", Some(adam)).await;
    let hall = home.device(DeviceKind::Browser, "Hall", None).await;
    let (client, token) = browser(&home, "adam").await;
    let (olive, olives) = browser(&home, "olive").await;
    let bind = "/api/v1/me/device";

    for (wrong, status) in [
        (wish(&tablet, &other, &token), 403),
        (wish(&tablet, &tablet, &olives), 403),
        (
            json!({"certificate_pem": tablet.certificate_pem, "signature": "AAAA"}),
            403,
        ),
        (
            json!({"certificate_pem": tablet.ca_pem, "signature": "AAAA"}),
            403,
        ),
        (json!({"certificate_pem": "none", "signature": "AAAA"}), 400),
        (
            json!({"certificate_pem": tablet.certificate_pem, "signature": "?"}),
            400,
        ),
    ] {
        let (answered, body) = client.put(bind, &wrong).await;
        assert_eq!(answered, status, "{wrong} {body}");
    }
    let (status, _) = home
        .login(Role::Adult)
        .await
        .put(bind, &wish(&tablet, &tablet, ""))
        .await;
    assert_eq!(status, 403, "a bearer's session");
    // Another person's device, and the whole household's.
    assert_eq!(
        olive.put(bind, &wish(&tablet, &tablet, &olives)).await.0,
        403
    );
    assert_eq!(olive.put(bind, &wish(&hall, &hall, &olives)).await.0, 200);

    let (status, session) = client.put(bind, &wish(&tablet, &tablet, &token)).await;
    assert_eq!(status, 200, "{session}");
    assert_eq!(session["device"], tablet.device.to_string());
    let (_, me) = client.get("/api/v1/me").await;
    assert_eq!(me["session"]["device"], tablet.device.to_string());

    // A further certificate, for the same key alone.
    let certificate = "/api/v1/certificate";
    let own = rcgen::KeyPair::from_pem(&tablet.key_pem).unwrap();
    let request = json!({"request_pem": make_request(&own).unwrap().1});
    assert_eq!(client.post(certificate, &request).await.0, 200);
    let fresh = rcgen::KeyPair::generate().unwrap();
    let request = json!({"request_pem": make_request(&fresh).unwrap().1});
    assert_eq!(client.post(certificate, &request).await.0, 403);
    let (unbound, _) = browser(&home, "adam").await;
    assert_eq!(unbound.post(certificate, &request).await.0, 403);

    // The device goes, and the session with it.
    let owner = home.login(Role::Owner).await;
    let path = crate::household::device_path(tablet.device);
    assert_eq!(owner.delete(&path).await.0, 204);
    assert_eq!(client.get("/api/v1/me").await.0, 401);
    let (again, token) = browser(&home, "adam").await;
    let (status, body) = again.put(bind, &wish(&tablet, &tablet, &token)).await;
    assert_eq!(status, 403, "{body}");
}
