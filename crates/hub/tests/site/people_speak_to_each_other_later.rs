//! Voice messages in the app, and a browser in trouble: two tabs, a lost connection, no microphone.

use hearthline_emergency::numbers::Country;
use hearthline_hub::sip::SipConfig;

use crate::browser::person;
use crate::household::{Household, PASSWORD};

#[tokio::test]
async fn and_a_browser_in_trouble_says_so() {
    let home = Household::with_sip(SipConfig::new(Country::UnitedStates)).await;
    let address = format!("https://{}", home.address());
    person(
        "people_speak_to_each_other_later.mjs",
        &[&address, PASSWORD],
    )
    .await;
}
