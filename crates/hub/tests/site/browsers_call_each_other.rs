//! Two browsers of a home join it, call each other, and everything that a call can do is done:
//! `browsers_call_each_other.mjs` is the two people.

use hearthline_emergency::numbers::Country;
use hearthline_hub::device::{DeviceFields, DeviceKind};
use hearthline_hub::person::Role;
use hearthline_hub::sip::SipConfig;
use hearthline_hub::text::Name;

use crate::browser::person;
use crate::household::{Household, PASSWORD};

#[tokio::test]
async fn and_only_the_two_hear_it() {
    let home = Household::with_sip(SipConfig::new(Country::UnitedStates)).await;
    let fields = DeviceFields {
        name: Name::new("Adam's <img src=x onerror=window.hacked=1>").unwrap(),
        room: None,
        person: Some(home.person(Role::Adult).id),
    };
    let invited = home.hub.invite(DeviceKind::Browser, fields).await.unwrap();
    let address = format!("https://{}", home.address());
    let (_, link) = invited.url.split_once("/join").unwrap();
    let link = format!("{address}/join{link}");
    person("browsers_call_each_other.mjs", &[&address, PASSWORD, &link]).await;
}
