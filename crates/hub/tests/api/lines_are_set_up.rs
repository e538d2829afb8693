//! Lines through the API: what is refused, what is shown, and that no password passes through it.

use crate::household::Household;
use hearthline_hub::person::Role;
use serde_json::json;

#[tokio::test]
async fn a_line_lies_on_this_machine_and_shows_its_health_but_no_secret() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    let line = |server: &str| {
        json!({"name": "Trunk", "kind": "sip_trunk", "position": 0, "enabled": true,
            "caller_number": "+493012340000",
            "sip": {"server": server, "username": "anna", "register": true, "drill": "service"}})
    };
    for far in ["sip:sip.example.com", "sip:192.0.2.7:5060;transport=tls"] {
        let (status, problem) = owner.post("/api/v1/lines", &line(far)).await;
        assert_eq!(
            (status, problem["field"].as_str()),
            (400, Some("sip.server")),
            "{problem}"
        );
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("this machine"), "{detail}");
    }
    // There is no field for a password.
    let mut secret = line("sip:127.0.0.1:5060");
    secret["sip"]["password"] = json!("drill only");
    let (status, _) = owner.post("/api/v1/lines", &secret).await;
    assert_eq!(status, 400);
    let (status, made) = owner
        .post("/api/v1/lines", &line("sip:127.0.0.1:5060;transport=tcp"))
        .await;
    assert_eq!(status, 201, "{made}");
    let (_, all) = owner.get("/api/v1/lines").await;
    assert_eq!(all[0]["sip"]["server"], "sip:127.0.0.1:5060;transport=tcp");
    assert_eq!(all[0]["unknown_callers"], "ring");
    assert_eq!(all[0]["health"], "unknown");
    assert!(all[0]["trouble"].is_null());
    let (status, days) = owner.get("/api/v1/lines/days").await;
    assert_eq!((status, &days), (200, &json!([])), "nobody looked yet");
    // An adult sees the lines and changes none; a child does not see them.
    let adult = home.login(Role::Adult).await;
    assert_eq!(adult.get("/api/v1/lines").await.0, 200);
    let (status, _) = adult.post("/api/v1/lines", &line("sip:127.0.0.1")).await;
    assert_eq!(status, 403);
    let child = home.login(Role::Child).await;
    assert_eq!(child.get("/api/v1/lines").await.0, 403);
}
