//! Endpoints on loopback sockets.
#![allow(dead_code, unreachable_pub)] // each test file uses its part

use std::net::SocketAddr;
use std::time::Duration;

use hearthline_sip::endpoint::{
    Body, Endpoint, EndpointConfig, Event, InviteRequest, Target, Transport,
};
use hearthline_sip::{NameAddr, Uri};
use hearthline_transport::{Driver, Identity, Reach, Sockets, SocketsConfig};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::time::timeout;

pub const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A root and a certificate for `name` that it vouches for.
pub fn certificate(name: &str) -> (Vec<u8>, Identity) {
    let mut root = CertificateParams::new(Vec::<String>::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &root).unwrap();
    let identity = Identity {
        certificates_pem: leaf.pem().into_bytes(),
        key_pem: key.serialize_pem().into_bytes(),
    };
    (root.pem().into_bytes(), identity)
}

pub async fn agent(seed: u8, change: impl FnOnce(&mut SocketsConfig)) -> Driver {
    let mut config = SocketsConfig::new(Reach::LoopbackOnly);
    config.udp = vec![ANY];
    config.tcp = vec![ANY];
    change(&mut config);
    let sockets = Sockets::bind(config).await.unwrap();
    let config = EndpointConfig::new([seed; 32], sockets.local.clone());
    Driver::new(Endpoint::new(config), sockets)
}

pub fn invite(targets: Vec<Target>) -> InviteRequest {
    let name = |text: &str| NameAddr::parse(text).unwrap();
    let mut request = InviteRequest::new(
        Uri::parse("urn:service:sos").unwrap(),
        name("<sip:kitchen@example.com>"),
        name("<urn:service:sos>"),
        targets[0].clone(),
    );
    request.targets = targets;
    request.body = Some(Body::sdp("v=0\r\n"));
    request
}

/// The next event that `wanted` takes. Where datagrams are lost each is said again for up to 32 s (RFC 3261 section 17.1.1.2).
pub async fn until<T>(driver: &mut Driver, wanted: impl Fn(Event) -> Option<T>) -> T {
    let search = async {
        loop {
            let event = driver.next_event().await.expect("the sockets live");
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    };
    timeout(Duration::from_secs(40), search)
        .await
        .expect("it happens within forty seconds")
}

/// Answers the first call, waits for its end.
pub async fn answer_one(mut driver: Driver) -> Transport {
    let (call, source) = until(&mut driver, |event| match event {
        Event::Incoming { call, source, .. } => Some((call, source)),
        _ => None,
    })
    .await;
    let now = driver.now();
    driver
        .endpoint
        .accept(call, Some(Body::sdp("v=0\r\n")), now)
        .unwrap();
    until(&mut driver, |event| {
        matches!(event, Event::Ended { .. }).then_some(())
    })
    .await;
    // The answer to the BYE is still to go out.
    let _ = timeout(Duration::from_millis(100), driver.next_event()).await;
    source.transport
}

/// Calls, waits for the answer, hangs up, waits until that is through.
pub async fn call_and_hang_up(driver: &mut Driver, targets: Vec<Target>) {
    let now = driver.now();
    let call = driver.endpoint.invite(invite(targets), now).unwrap();
    until(driver, |event| {
        matches!(event, Event::Answered { .. }).then_some(())
    })
    .await;
    let now = driver.now();
    driver.endpoint.bye(call, None, now).unwrap();
    until(driver, |event| {
        matches!(event, Event::Ended { .. }).then_some(())
    })
    .await;
    let _ = timeout(Duration::from_millis(200), driver.next_event()).await;
}
