//! Media sockets come in pairs.

use std::net::{IpAddr, Ipv4Addr};

use hearthline_transport::{Reach, RtpPair};

#[tokio::test]
async fn fifty_pairs_at_once_are_even_and_odd_and_carry_datagrams() {
    let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut pairs = Vec::new();
    for _ in 0..50 {
        let pair = RtpPair::bind(ip, Reach::LoopbackOnly).await.unwrap();
        let port = pair.port().unwrap();
        assert_eq!(port % 2, 0);
        assert_eq!(pair.rtcp.local_addr().unwrap().port(), port + 1);
        pairs.push(pair);
    }
    let to = pairs[1].rtp.local_addr().unwrap();
    pairs[0].rtp.send_to(b"audio", to).await.unwrap();
    let mut buffer = [0; 16];
    let (count, from) = pairs[1].rtp.recv_from(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..count], b"audio");
    assert_eq!(from, pairs[0].rtp.local_addr().unwrap());
}
