//! A page can send anything.
use std::time::Instant;

use hearthline_webrtc::{Keys, OfferError, OpenError, open};

use crate::browser::Browser;

#[tokio::test]
async fn in_words_and_without_a_connection() {
    let keys = Keys::generate().unwrap();
    let good = Browser::new("127.0.0.1:5000".parse().unwrap(), Instant::now()).offer();
    let line = |begin: &str| {
        let at = good.find(begin).unwrap();
        let end = at + good[at..].find("\r\n").unwrap() + 2;
        good[at..end].to_owned()
    };
    let without = |begin: &str| good.replace(&line(begin), "");
    let cases = [
        (String::new(), "description"),
        ("hello".into(), "description"),
        (good.replace("v=0", "v=1"), "description"),
        (
            format!("{good}{}", "a=x\r\n".repeat(100_000)),
            "description",
        ),
        (without("a=fingerprint"), "sound"),
        (without("a=ice-pwd"), "sound"),
        (without("a=rtcp-mux"), "sound"),
        (good.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "sound"),
        (good.replace("111 63 9 0 8 13", "111 63"), "sound"),
        (good.replace("m=audio", "m=video"), "sound"),
        (good.replace("sha-256", "sha-1"), "sound"),
    ];
    for (offer, which) in cases {
        let refused = open(&offer, &keys).await;
        let shown = offer.chars().take(300).collect::<String>();
        let Err(OpenError::Offer(why)) = refused else {
            panic!("taken: {shown}");
        };
        let found = match &why {
            OfferError::Description(_) => "description",
            OfferError::Negotiation(_) => "sound",
            other => panic!("{other:?}: {shown}"),
        };
        assert_eq!(found, which, "{why}: {shown}");
        assert!(!why.to_string().is_empty());
    }
    assert!(open(&good, &keys).await.is_ok());
}
