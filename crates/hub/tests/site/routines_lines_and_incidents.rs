//! Routines, lines' days, bundles of incidents and notifications in a real browser: `routines_lines_and_incidents.mjs` is
//! the person.

use hearthline_hub::device::DeviceKind;
use hearthline_hub::half_hour::HALF_HOUR_MS;
use hearthline_hub::hand_in::{Shown, hand_in};
use hearthline_hub::id::LineId;
use hearthline_hub::line::{LineHealth, LineTrouble};
use hearthline_hub::person::Role;
use serde_json::json;

use crate::browser::person;
use crate::household::{Household, PASSWORD, recorded};

#[tokio::test]
async fn are_what_a_person_makes_of_them_and_sees() {
    let home = Household::new().await;
    let owner = home.login(Role::Owner).await;
    let line = json!({"name": "Landline", "kind": "landline", "position": 0, "enabled": true});
    let (status, line) = owner.post("/api/v1/lines", &line).await;
    assert_eq!(status, 201, "{line}");
    let line: LineId = line["id"].as_str().unwrap().parse().unwrap();
    let store = home.hub.store();
    // Nobody looked in the first hours; silent in one half hour ten hours ago.
    for ago in (0..40).rev() {
        let at = home.clock.now().plus_ms(-ago * HALF_HOUR_MS);
        let (health, trouble) = match ago {
            20 => (LineHealth::Down, Some(LineTrouble::Silent)),
            _ => (LineHealth::Up, None),
        };
        let noted = store.note_line_health(line, health, trouble, at).await;
        noted.unwrap();
    }
    let member = home.device(DeviceKind::Speaker, "Kitchen", None).await;
    for why in [None, Some("This speaker knows of no <b>such</b> light.")] {
        let order = json!({"light": "Desk", "room": "Hall", "set": {"colour": "blue"}});
        let order = serde_json::from_value(order).unwrap();
        let now = home.clock.now();
        let id = store.order_light(member.device, &order, now).await.unwrap();
        let ended = store.end_light_order(member.device, id, why, now).await;
        ended.unwrap();
    }
    let shown = Shown {
        authority_pem: &member.ca_pem,
        certificate_pem: &member.certificate_pem,
        key_pem: &member.key_pem,
    };
    let words = "call 911 <script>window.hacked=1</script>";
    let opened = u64::try_from(home.clock.now().0).unwrap() - 3_600_000;
    let bundle = recorded::bundle(1, opened, words);
    hand_in(home.address(), shown, bundle).await.unwrap();
    let address = format!("https://{}", home.address());
    person("routines_lines_and_incidents.mjs", &[&address, PASSWORD]).await;
}
