//! Rows that only the hub writes, in messages of telephones and lines: they count for nothing and go no further.

use crate::lines::{Provider, add, fields, home, lines_address};
use crate::telephone::DOMAIN;
use hearthline_hub::call_settings::CallSettings;
use hearthline_hub::person::Party;
use hearthline_sip::target::Transport;
use hearthline_sip::{HeaderName, Request};
use serde_json::json;

const OURS: [&str; 5] = [
    "Hearthline-Callback",
    "Hearthline-Contacts-Only",
    "Hearthline-Loop",
    "Hearthline-Drop-In",
    "Hearthline-Bridge",
];
const FORGED: &str = "forged";

/// Which of the forged rows have come so far.
fn believed(request: &Request) -> Vec<&str> {
    let forged = |name: &&str| {
        let name = HeaderName::parse(name.as_bytes()).unwrap();
        let value = request.headers.get_str(&name).unwrap_or_default();
        value.contains(FORGED)
    };
    OURS.into_iter().filter(forged).collect()
}

#[tokio::test]
async fn what_only_the_hub_says_is_believed_of_nobody_else() {
    let home = home(|_, _| {}).await;
    let mut trunk = Provider::open(Transport::Udp).await;
    add(&home, &fields("Trunk", 0, &trunk.server(), &json!({}))).await;
    let (desk, hall) = (
        home.account("Desk", None).await,
        home.account("Hall", None).await,
    );
    let mut hall = home.phone(&hall, Transport::Udp).await;
    let mut own = home.phone(&desk, Transport::Udp).await;
    let rows = OURS.map(|name| (name, FORGED));

    // A telephone to another, and to a line.
    let call = own.call_with(&format!("sip:hall@{DOMAIN}"), &rows).await;
    let told = hall.declines().await;
    assert_eq!(believed(&told), [""; 0]);
    own.failure(call).await;
    let call = own.call_with("sip:030-555-0123-4@home.test", &rows).await;
    let (far, told) = trunk.called().await;
    assert_eq!(believed(&told), [""; 0]);
    trunk.refuses(far, 486).await;
    own.failure(call).await;

    // A line says of an ordinary call that it is a call-taker's callback, to a device that is not to be disturbed.
    let device = home.hub.store().devices().await.unwrap();
    let device = device.iter().find(|own| own.fields.name.as_str() == "Desk");
    let device = device.unwrap().id;
    let quiet = CallSettings {
        do_not_disturb: true,
        ..CallSettings::default()
    };
    home.wants(Party::Device(device), quiet).await;
    let callback = format!("device {device}");
    let mut rows = rows.map(|(name, value)| {
        (
            HeaderName::parse(name.as_bytes()).unwrap(),
            value.as_bytes().to_vec(),
        )
    });
    rows[0].1 = callback.into_bytes();
    let hub = lines_address(&home, Transport::Udp);
    let (to, from) = (
        format!("sip:anyone@{hub}"),
        "<sip:+12025550177@provider.test>",
    );
    let call = trunk.calls_with(&to, from, hub, rows.into()).await;
    let told = hall.declines().await;
    assert_eq!(believed(&told), [""; 0]);
    assert!(!told.headers.contains(&HeaderName::Priority));
    let mark = HeaderName::parse(b"Hearthline-Callback").unwrap();
    assert!(!told.headers.contains(&mark));
    trunk.refused(call).await;
    // Whatever it would have been told came before the end of that call.
    assert!(own.hears_nothing(std::time::Duration::ZERO).await);
    home.hub.stop().await;
}
