//! kill -9 of the hub in the middle of a browser's call with a telephone. Their sound is gone with the bridge's keys; the
//! call is not: whoever hangs up ends it for both, the browser also before it has registered again, and the next call has
//! a bridge again.

use std::net::SocketAddr;
use std::time::Duration;

use crate::browsers_are_bridged_to_telephones::{
    PLAIN, accepts, answered, is_of_the_hub, is_plain, protected, rung,
};
use crate::faults_in_calls::{hub_process, proof, served};
use crate::telephone::{DOMAIN, Phone};
use hearthline_hub::join::join;
use hearthline_sip::endpoint::{CallHandle, Event};
use hearthline_sip::target::Transport;

const HERE: &str = "urn:uuid:00000000-0000-1000-8000-0000000000bb";

/// The browser calls the telephone, by a bridge.
async fn talks(tab: &mut Phone, desk: &mut Phone) -> (CallHandle, CallHandle) {
    let to = format!("sip:{}@{DOMAIN}", desk.user);
    let out = tab.call_describing(&to, &protected("actpass", 0xAA)).await;
    let (call, (offer, _)) = rung(desk).await;
    is_plain(&offer);
    accepts(desk, call, PLAIN).await;
    is_of_the_hub(&answered(tab, out).await.0);
    desk.confirmed(call).await;
    (out, call)
}

/// The browser is there again and hears that its call is over, in whichever order.
async fn returns_to_the_end(tab: &mut Phone, out: CallHandle) {
    let mut over = false;
    let hears = |event: &Event| over |= matches!(event, Event::Ended { call, .. } if *call == out);
    tab.register_by_flow_hearing(HERE, hears).await;
    if !over {
        tab.ended(out).await;
    }
}

#[tokio::test]
async fn whoever_hangs_up_after_a_kill_ends_the_call_for_both() {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = hub_process(folder.path());
    let told = served(folder.path());
    let address = |name: &str| -> SocketAddr { told[name].as_str().unwrap().parse().unwrap() };
    let (udp, https) = (address("udp"), address("https"));
    let code = told["browser"].as_str().unwrap().parse().unwrap();
    let own = join(https, &code, None).await.unwrap();
    // Who starts knows all who have joined.
    hub.kill();
    hub = hub_process(folder.path());
    let text = |at: usize| told["accounts"][0][at].as_str().unwrap();
    let proof = proof(text(0), text(1));
    let mut desk = Phone::on(udp, text(0), proof, Transport::Udp).await;
    desk.register().await.unwrap();
    let mut tab = Phone::web_on(https, &own).await.expect("an upgrade");
    tab.register_by_flow(HERE).await;
    enum First {
        Telephone,
        TelephoneLongBefore,
        Browser,
        BrowserAtOnce,
    }
    for first in [
        First::Telephone,
        First::TelephoneLongBefore,
        First::Browser,
        First::BrowserAtOnce,
    ] {
        let (out, call) = talks(&mut tab, &mut desk).await;
        hub.kill();
        hub = hub_process(folder.path());
        if let First::TelephoneLongBefore = first {
            // A browser that has tried in vain a few times waits longer each time.
            desk.bye(call).await;
            tokio::time::sleep(Duration::from_secs(9)).await;
        }
        tab.returns_by_web(https, &own).await;
        match first {
            First::TelephoneLongBefore => returns_to_the_end(&mut tab, out).await,
            // It waits for the browser, which is reached by its connection alone.
            First::Telephone => {
                desk.bye(call).await;
                returns_to_the_end(&mut tab, out).await;
            }
            First::Browser => {
                tab.register_by_flow(HERE).await;
                tab.bye(out).await;
                desk.ended(call).await;
            }
            First::BrowserAtOnce => {
                tab.bye(out).await;
                desk.ended(call).await;
                tab.register_by_flow(HERE).await;
            }
        }
    }
    let (out, call) = talks(&mut tab, &mut desk).await;
    tab.bye(out).await;
    desk.ended(call).await;
    hub.kill();
}
