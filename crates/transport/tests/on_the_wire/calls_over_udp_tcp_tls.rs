//! Whole calls between two endpoints over real loopback sockets.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::agents::{ANY, agent, answer_one, call_and_hang_up, certificate, invite, until};
use hearthline_sip::endpoint::{Body, Event, FailureCause, Target, Transport};
use hearthline_transport::{
    FromNetwork, Reach, SendError, Sockets, SocketsConfig, ToNetwork, Trust,
};

#[tokio::test]
async fn a_call_over_udp_and_one_over_tcp() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let callee = agent(2, |_| {}).await;
        let target = Target::new(transport, callee.sockets().local(transport).unwrap());
        let answered = tokio::spawn(answer_one(callee));
        let mut caller = agent(1, |_| {}).await;
        call_and_hang_up(&mut caller, vec![target]).await;
        assert_eq!(answered.await.unwrap(), transport);
    }
}

#[tokio::test]
async fn a_large_call_goes_by_tcp_and_its_body_arrives_whole() {
    let mut callee = agent(2, |_| {}).await;
    // Both on one port, as a SIP server has them.
    let tcp = callee.sockets().local(Transport::Tcp).unwrap();
    let mut caller = agent(1, |_| {}).await;
    let mut request = invite(vec![Target::new(Transport::Udp, tcp)]);
    let body: Vec<u8> = (0..20_000_u32)
        .map(|i| u8::try_from(i % 251).unwrap())
        .collect();
    request.body = Some(Body::sdp(body.clone()));
    let now = caller.now();
    caller.endpoint.invite(request, now).unwrap();
    let calling = tokio::spawn(async move { caller.next_event().await });
    let (received, source) = until(&mut callee, |event| match event {
        Event::Incoming {
            request, source, ..
        } => Some((request.body, source)),
        _ => None,
    })
    .await;
    assert_eq!(received, body);
    assert_eq!(source.transport, Transport::Tcp);
    calling.abort();
}

#[tokio::test]
async fn a_call_over_tls_with_a_certificate_that_is_good() {
    let (root, identity) = certificate("psap.example.com");
    let callee = agent(2, |config| {
        config.identity = Some(identity);
        config.tls = vec![ANY];
    })
    .await;
    let mut target = Target::new(
        Transport::Tls,
        callee.sockets().local(Transport::Tls).unwrap(),
    );
    target.server_name = Some("psap.example.com".to_owned());
    let answered = tokio::spawn(answer_one(callee));
    let mut caller = agent(1, |config| {
        config.roots_pem = root;
        // Contact names an address for TLS.
        config.tls = Vec::new();
    })
    .await;
    call_and_hang_up(&mut caller, vec![target]).await;
    assert_eq!(answered.await.unwrap(), Transport::Tls);
}

/// Sends a message over TLS and tells what came of the connection.
async fn connect_tls(name: &str, trust: Trust, with_root: bool) -> FromNetwork {
    let (root, identity) = certificate("psap.example.com");
    let mut server = SocketsConfig::new(Reach::LoopbackOnly);
    server.tls = vec![ANY];
    server.identity = Some(identity);
    let server = Sockets::bind(server).await.unwrap();
    let mut client = SocketsConfig::new(Reach::LoopbackOnly);
    client.trust = trust;
    if with_root {
        client.roots_pem = root;
    }
    let mut client = Sockets::bind(client).await.unwrap();
    let mut target = Target::new(Transport::Tls, server.local(Transport::Tls).unwrap());
    target.server_name = Some(name.to_owned());
    let bytes = b"\r\n\r\n".to_vec();
    let message = ToNetwork::Transmit { target, bytes };
    client.sender.send(message).await.unwrap();
    client.receiver.recv().await.unwrap()
}

#[tokio::test]
async fn a_certificate_is_judged_and_the_judgement_recorded() {
    let good = connect_tls("psap.example.com", Trust::Verified, true).await;
    assert!(
        matches!(good, FromNetwork::Connected { verified: true, .. }),
        "{good:?}"
    );
    for (name, with_root) in [("other.example.com", true), ("psap.example.com", false)] {
        let refused = connect_tls(name, Trust::Verified, with_root).await;
        assert!(
            matches!(
                refused,
                FromNetwork::Failed {
                    error: SendError::Tls(_),
                    ..
                }
            ),
            "{refused:?}"
        );
        let emergency = connect_tls(name, Trust::Any, with_root).await;
        assert!(
            matches!(
                emergency,
                FromNetwork::Connected {
                    verified: false,
                    ..
                }
            ),
            "{emergency:?}"
        );
    }
    let good = connect_tls("psap.example.com", Trust::Any, true).await;
    assert!(matches!(
        good,
        FromNetwork::Connected { verified: true, .. }
    ));
}

#[tokio::test]
async fn tls_that_fails_gives_way_to_tcp_and_tcp_to_udp() {
    let callee = agent(2, |_| {}).await;
    let udp = callee.sockets().local(Transport::Udp).unwrap();
    // A listener that answers the TLS hello with plain text, and a port where nobody listens.
    let plain = tokio::net::TcpListener::bind(ANY).await.unwrap();
    let plain_address = plain.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 \r\n").await;
        }
    });
    let nobody = {
        let listener = tokio::net::TcpListener::bind(ANY).await.unwrap();
        listener.local_addr().unwrap()
    };
    let targets = vec![
        Target::new(Transport::Tls, plain_address),
        Target::new(Transport::Tcp, nobody),
        Target::new(Transport::Udp, udp),
    ];
    let answered = tokio::spawn(answer_one(callee));
    let mut caller = agent(1, |config| config.trust = Trust::Any).await;
    let started = tokio::time::Instant::now();
    call_and_hang_up(&mut caller, targets).await;
    assert_eq!(answered.await.unwrap(), Transport::Udp);
    assert!(started.elapsed() < Duration::from_secs(3));
    let failed = &caller.sockets().counters.connects_failed;
    assert_eq!(failed.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_peer_that_accepts_and_says_nothing_is_given_up_after_two_seconds() {
    let silent = tokio::net::TcpListener::bind(ANY).await.unwrap();
    let target = Target::new(Transport::Tls, silent.local_addr().unwrap());
    let mut caller = agent(1, |_| {}).await;
    let now = caller.now();
    caller.endpoint.invite(invite(vec![target]), now).unwrap();
    let started = tokio::time::Instant::now();
    let cause = until(&mut caller, |event| match event {
        Event::Failed { cause, .. } => Some(cause),
        _ => None,
    })
    .await;
    assert_eq!(cause, FailureCause::TransportFailed);
    let passed = started.elapsed();
    assert!(passed < Duration::from_secs(3), "{passed:?}");
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let listener = tokio::net::TcpListener::bind(ANY).await.unwrap();
    let target = Target::new(Transport::Tcp, listener.local_addr().unwrap());
    let client = Sockets::bind(SocketsConfig::new(Reach::LoopbackOnly))
        .await
        .unwrap();
    for _ in 0..5 {
        let (target, bytes) = (target.clone(), b"abc".to_vec());
        let message = ToNetwork::Transmit { target, bytes };
        client.sender.send(message).await.unwrap();
    }
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut received = [0; 15];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut received)
        .await
        .unwrap();
    assert_eq!(&received, b"abcabcabcabcabc");
    let second = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
    assert!(second.is_err(), "a second connection was made");
}
