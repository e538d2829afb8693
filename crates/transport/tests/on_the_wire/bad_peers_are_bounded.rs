//! Garbage, floods, silence, half messages, too many connections.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::agents::{agent, answer_one, call_and_hang_up, certificate};
use hearthline_sip::endpoint::{Target, Transport};
use hearthline_transport::Driver;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(5);

/// Runs the endpoint beside the test; gives its TCP address.
fn serve(driver: Driver) -> SocketAddr {
    let address = driver.sockets().local(Transport::Tcp).unwrap();
    tokio::spawn(async move {
        let mut driver = driver;
        while driver.next_event().await.is_some() {}
    });
    address
}

/// Whether the peer closes within the patience; what it sent before.
async fn closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut received = Vec::new();
    let reading = stream.read_to_end(&mut received);
    // A reset is as good as an end.
    let _ = timeout(PATIENCE, reading)
        .await
        .expect("the connection is closed");
    received
}

fn value(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_binary_protocol_is_hung_up_on_at_its_first_byte() {
    let server = agent(1, |_| {}).await;
    let counters = server.sockets().counters.clone();
    let address = serve(server);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"\x16\x03\x01\x02\x00").await.unwrap();
    assert!(closed(&mut stream).await.is_empty());
    assert_eq!(value(&counters.garbage_closed), 1);
}

#[tokio::test]
async fn text_that_is_no_sip_is_closed_by_the_endpoint() {
    let server = agent(1, |_| {}).await;
    let counters = server.sockets().counters.clone();
    let address = serve(server);
    let mut stream = TcpStream::connect(address).await.unwrap();
    // No end of the header section can ever come within the limits.
    let line = [b'x'; 1_000];
    for _ in 0..200 {
        if stream.write_all(&line).await.is_err() {
            break;
        }
    }
    closed(&mut stream).await;
    assert_eq!(value(&counters.closed_on_request), 1);
}

#[tokio::test]
async fn a_request_cut_anywhere_is_put_together() {
    let address = serve(agent(1, |_| {}).await);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let request = "OPTIONS sip:kitchen@127.0.0.1 SIP/2.0\r\n\
        Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKcut\r\n\
        From: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n\
        Call-ID: cut\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
    for piece in request.as_bytes().chunks(7) {
        stream.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut answer = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&answer, b"SIP/2.0 200 ");
}

#[tokio::test]
async fn half_open_connections_and_handshakes_time_out() {
    let (_, identity) = certificate("psap.example.com");
    let server = agent(1, |config| {
        config.identity = Some(identity);
        config.tls = vec![crate::agents::ANY];
        config.limits.first_byte_timeout = Duration::from_millis(200);
        config.limits.handshake_timeout = Duration::from_millis(200);
    })
    .await;
    let counters = server.sockets().counters.clone();
    let tls = server.sockets().local(Transport::Tls).unwrap();
    let tcp = serve(server);
    let mut plain = TcpStream::connect(tcp).await.unwrap();
    let mut silent = TcpStream::connect(tls).await.unwrap();
    closed(&mut plain).await;
    closed(&mut silent).await;
    assert_eq!(value(&counters.idle_closed), 1);
    assert_eq!(value(&counters.handshakes_failed), 1);
}

#[tokio::test]
async fn a_flood_of_bytes_is_cut_off() {
    let server = agent(1, |config| config.limits.bytes_per_second_max = 10_000).await;
    let counters = server.sockets().counters.clone();
    let address = serve(server);
    let mut stream = TcpStream::connect(address).await.unwrap();
    for _ in 0..1_000 {
        // Keep-alives, so that only their number is wrong.
        if stream
            .write_all(&[b"\r\n".as_slice(); 100].concat())
            .await
            .is_err()
        {
            break;
        }
    }
    closed(&mut stream).await;
    assert_eq!(value(&counters.flood_closed), 1);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_refused_and_a_call_still_comes_through() {
    let server = agent(2, |config| config.limits.connections_max = 8).await;
    let counters = server.sockets().counters.clone();
    let udp = server.sockets().local(Transport::Udp).unwrap();
    let tcp = server.sockets().local(Transport::Tcp).unwrap();
    let answered = tokio::spawn(answer_one(server));
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(TcpStream::connect(tcp).await.unwrap());
    }
    let mut caller = agent(1, |_| {}).await;
    call_and_hang_up(&mut caller, vec![Target::new(Transport::Udp, udp)]).await;
    assert_eq!(answered.await.unwrap(), Transport::Udp);
    assert_eq!(value(&counters.connections_refused), 12);
}

#[tokio::test]
async fn a_connection_that_dies_fails_the_call_at_once() {
    let listener = tokio::net::TcpListener::bind(crate::agents::ANY)
        .await
        .unwrap();
    let target = Target::new(Transport::Tcp, listener.local_addr().unwrap());
    let mut caller = agent(1, |_| {}).await;
    let now = caller.now();
    caller
        .endpoint
        .invite(crate::agents::invite(vec![target]), now)
        .unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut some = [0; 10];
        let _ = stream.read_exact(&mut some).await;
    });
    crate::agents::until(&mut caller, |event| {
        matches!(event, hearthline_sip::endpoint::Event::Failed { .. }).then_some(())
    })
    .await;
}
