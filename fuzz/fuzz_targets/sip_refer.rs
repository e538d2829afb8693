//! Refer-To, Replaces, Referred-By, Refer-Sub, Event, Subscription-State and reports: read, and what is read is written
//! so that it reads the same.
#![no_main]

use hearthline_sip::refer::{ReferTo, Replaces, sipfrag, sipfrag_status};
use hearthline_sip::{HeaderName, Method, Request, Uri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(uri) = Uri::parse("sip:desk@example.com") else {
        return;
    };
    if let Ok(replaces) = Replaces::parse(data) {
        assert_eq!(Replaces::parse(replaces.to_string()), Ok(replaces));
    }
    if let Ok(status) = sipfrag_status(data) {
        assert_eq!(sipfrag_status(&sipfrag(status)), Ok(status));
    }
    let mut refer = Request::new(Method::Refer, uri.clone());
    for name in [
        HeaderName::ReferTo,
        HeaderName::ReferredBy,
        HeaderName::ReferSub,
        HeaderName::Event,
        HeaderName::SubscriptionState,
    ] {
        refer.headers.push(name, data);
    }
    let headers = &refer.headers;
    let _ = (headers.referred_by(), headers.refer_sub(), headers.event());
    let _ = headers.subscription_state();
    if let Ok(target) = ReferTo::of(&refer) {
        // Nobody is led to a service, an emergency service among them, by a Refer-To.
        assert!(matches!(target.uri, Uri::Sip(_) | Uri::Tel(_)));
        let mut again = Request::new(Method::Refer, uri);
        again.headers.push(HeaderName::ReferTo, target.to_string());
        assert_eq!(ReferTo::of(&again), Ok(target));
    }
});
