//! RFC 3263 through a table, and through a name server on loopback.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use hearthline_sip::resolve::Question;
use hearthline_sip::tokens::Tokens;
use hearthline_transport::{Dns, Reach};
use tokio::net::UdpSocket;

fn question(host: &str) -> Question {
    Question {
        host: host.to_owned(),
        port: None,
        transport: None,
        secure: false,
        emergency: true,
    }
}

fn tokens() -> Tokens {
    Tokens::from_seed([1; 32])
}

fn texts(targets: &[hearthline_sip::target::Target]) -> Vec<String> {
    targets.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn hosts_of_the_configuration_and_localhost_need_no_server() {
    let address = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 7));
    let table = Dns::hosts(&[("PSAP.example.com", address)]);
    let dns = Dns::new(Reach::LoopbackOnly, table, &[]).unwrap();
    let patience = Duration::from_secs(1);
    let found = dns
        .resolve(question("psap.example.com"), tokens(), patience)
        .await;
    assert_eq!(
        texts(&found),
        [
            "tls:127.0.0.7:5061",
            "tcp:127.0.0.7:5060",
            "udp:127.0.0.7:5060"
        ]
    );
    assert_eq!(found[0].server_name.as_deref(), Some("psap.example.com"));
    let found = dns.resolve(question("localhost"), tokens(), patience).await;
    assert!(texts(&found).contains(&"udp:127.0.0.1:5060".to_owned()));
    let found = dns
        .resolve(question("elsewhere.example.com"), tokens(), patience)
        .await;
    assert!(found.is_empty());
}

/// The length of the question section's name, and its type.
fn asked(query: &[u8]) -> (usize, u16) {
    let mut at = 12;
    while query[at] != 0 {
        at += 1 + usize::from(query[at]);
    }
    let kind = u16::from_be_bytes([query[at + 1], query[at + 2]]);
    (at + 5, kind)
}

/// A name server that knows one SRV and one address, and denies everything else.
async fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1_500];
        while let Ok((count, peer)) = socket.recv_from(&mut buffer).await {
            let query = &buffer[..count];
            let (end, kind) = asked(query);
            let name = String::from_utf8_lossy(&query[12..end]).to_ascii_lowercase();
            let mut data = Vec::new();
            match kind {
                1 if name.contains("\u{4}psap") => data.extend([127, 0, 0, 9]),
                33 if name.contains("_sips") && name.contains("line") => {
                    data.extend([0, 10, 0, 0, 0x13, 0xC6]);
                    data.extend(b"\x04psap\x07example\x04test\x00");
                }
                _ => {}
            }
            let mut answer = query[..2].to_vec();
            let found = u8::from(!data.is_empty());
            // A name that exists, with or without records of this type.
            answer.extend([0x84, 0x00, 0, 1, 0, found, 0, 0, 0, 0]);
            answer.extend(&query[12..end]);
            if found == 1 {
                answer.extend([0xC0, 12]);
                answer.extend(kind.to_be_bytes());
                answer.extend([0, 1, 0, 0, 0, 60]);
                answer.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
                answer.extend(data);
            }
            let _ = socket.send_to(&answer, peer).await;
        }
    });
    address
}

#[tokio::test]
async fn a_name_server_on_loopback_is_asked() {
    let server = name_server().await;
    let dns = Dns::new(Reach::LoopbackOnly, BTreeMap::new(), &[server]).unwrap();
    let patience = Duration::from_secs(5);
    let found = dns
        .resolve(question("line.example.test"), tokens(), patience)
        .await;
    assert_eq!(texts(&found), ["tls:127.0.0.9:5062"]);
    assert_eq!(found[0].server_name.as_deref(), Some("line.example.test"));
}

#[tokio::test]
async fn a_dead_name_server_costs_no_more_than_the_patience() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = silent.local_addr().unwrap();
    let dns = Dns::new(Reach::LoopbackOnly, BTreeMap::new(), &[server]).unwrap();
    let started = Instant::now();
    let patience = Duration::from_millis(300);
    let found = dns
        .resolve(question("line.example.test"), tokens(), patience)
        .await;
    assert!(found.is_empty());
    assert!(started.elapsed() < Duration::from_secs(1));
}
