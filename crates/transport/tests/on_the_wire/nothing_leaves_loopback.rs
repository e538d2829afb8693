//! Invariant 6: a drill reaches nothing but this machine, by whatever door.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use crate::agents::{agent, invite, until};
use hearthline_sip::endpoint::{Event, FailureCause, Target, Transport};
use hearthline_transport::{
    BindError, Dns, FromNetwork, GuardedUdp, Reach, SendError, Sockets, SocketsConfig, ToNetwork,
};

const OUTSIDE: [&str; 4] = [
    "192.0.2.1:5060",
    "255.255.255.255:5060",
    "[2001:db8::1]:5060",
    "[::ffff:192.0.2.1]:5060",
];

fn outside() -> impl Iterator<Item = SocketAddr> {
    OUTSIDE.into_iter().map(|text| text.parse().unwrap())
}

#[tokio::test]
async fn no_transport_sends_or_connects_outside() {
    let mut config = SocketsConfig::new(Reach::LoopbackOnly);
    config.udp = vec![crate::agents::ANY];
    let mut sockets = Sockets::bind(config).await.unwrap();
    let mut tried = 0;
    for remote in outside() {
        for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
            let target = Target::new(transport, remote);
            let bytes = b"OPTIONS".to_vec();
            let message = ToNetwork::Transmit { target, bytes };
            sockets.sender.send(message).await.unwrap();
            let news = sockets.receiver.recv().await.unwrap();
            let refused = matches!(
                news,
                FromNetwork::Failed {
                    error: SendError::OutOfReach(_),
                    ..
                }
            );
            assert!(refused, "{news:?}");
            tried += 1;
        }
    }
    assert_eq!(sockets.counters.out_of_reach.load(Ordering::Relaxed), tried);
}

#[tokio::test]
async fn no_socket_listens_outside() {
    for text in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let mut config = SocketsConfig::new(Reach::LoopbackOnly);
        config.udp = vec![text.parse().unwrap()];
        let error = Sockets::bind(config).await.unwrap_err();
        assert!(matches!(error, BindError::OutOfReach { .. }), "{error}");
    }
}

#[tokio::test]
async fn media_does_not_go_outside() {
    let socket = GuardedUdp::bind(crate::agents::ANY, Reach::LoopbackOnly)
        .await
        .unwrap();
    for remote in outside() {
        let error = socket.send_to(b"rtp", remote).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
        let error = socket.try_send_to(b"rtp", remote).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    }
}

#[tokio::test]
async fn no_name_server_outside_is_asked() {
    for server in outside() {
        assert!(Dns::new(Reach::LoopbackOnly, BTreeMap::new(), &[server]).is_err());
    }
}

#[tokio::test]
async fn a_call_to_an_address_outside_fails_and_says_so() {
    let mut caller = agent(1, |_| {}).await;
    let target = Target::new(Transport::Udp, "192.0.2.1:5060".parse().unwrap());
    let now = caller.now();
    caller.endpoint.invite(invite(vec![target]), now).unwrap();
    let cause = until(&mut caller, |event| match event {
        Event::Failed { cause, .. } => Some(cause),
        _ => None,
    })
    .await;
    assert_eq!(cause, FailureCause::TransportFailed);
}
