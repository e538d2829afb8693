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
    let _speaker = home
        .device(
            hearthline_hub::device::DeviceKind::Speaker,
            "Kitchen speaker",
            None,
        )
        .await;
    let address = format!("https://{}", home.address());
    person("a_person_uses_it_in_a_browser.mjs", &[&address, PASSWORD]).await;
}
