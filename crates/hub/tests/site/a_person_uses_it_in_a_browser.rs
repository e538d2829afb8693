//! The app in a real browser, against a real hub: `a_person_uses_it_in_a_browser.mjs` is the person. With
//! `HEARTH_SCREENSHOTS=FOLDER` every page is photographed in both themes and three widths.

use hearthline_hub::person::Role;
use serde_json::json;

use crate::browser::person;
use crate::household::{Household, PASSWORD};

#[tokio::test]
async fn signs_in_writes_reads_and_is_never_deceived() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    let line = json!({"name": "Provider", "kind": "sip_trunk", "position": 0, "enabled": true,
        "sip": {"server": "sip:127.0.0.1:5099", "drill": "service"}});
    assert_eq!(owner.post("/api/v1/lines", &line).await.0, 201);
    let speaker = home
        .device(
            hearthline_hub::device::DeviceKind::Speaker,
            "Kitchen speaker",
            None,
        )
        .await;
    let agenda = json!({"journal": "a1", "revision": 1, "clock_ms": 1_000, "items": [
        {"shown": {"id": 1, "kind": "reminder", "label": "water <img src=x onerror=window.hacked=1>", "whom": "Adam",
            "due_ms": 600_000, "repeats": true}, "item": {}},
        {"shown": {"id": 2, "kind": "timer", "left_ms": 60_000}, "item": {}},
        {"shown": {"id": 3, "kind": "line", "label": "flour", "whom": "shopping"}, "item": {}},
    ]});
    let kitchen = home.as_device(&speaker);
    assert_eq!(kitchen.put("/api/v1/me/agenda", &agenda).await.0, 204);
    let address = format!("https://{}", home.address());
    person("a_person_uses_it_in_a_browser.mjs", &[&address, PASSWORD]).await;
}
