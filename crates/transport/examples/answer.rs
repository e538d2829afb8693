//! Answers every call on loopback: `answer PORT [reliable] [SECONDS]`. For trying the stack against
//! other programs, for example `sipp -sn uac 127.0.0.1:5070 -i 127.0.0.1`.

use std::time::Duration;

use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{Body, Endpoint, EndpointConfig, Event};
use hearthline_transport::{Driver, Reach, Sockets, SocketsConfig};

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 0\r\n";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let port: u16 = arguments.first().ok_or("which port?")?.parse()?;
    let reliable = arguments.iter().any(|word| word == "reliable");
    let seconds = arguments.last().and_then(|word| word.parse().ok());
    let until = Duration::from_secs(seconds.filter(|_| arguments.len() > 1).unwrap_or(10));
    let address = format!("127.0.0.1:{port}").parse()?;
    let mut config = SocketsConfig::new(Reach::LoopbackOnly);
    config.udp = vec![address];
    config.tcp = vec![address];
    let sockets = Sockets::bind(config).await?;
    let mut config = EndpointConfig::new([8; 32], sockets.local.clone());
    config.limits.calls_max = 4_096;
    config.limits.server_transactions_max = 65_536;
    config.limits.client_transactions_max = 4_096;
    let mut driver = Driver::new(Endpoint::new(config), sockets);
    let (mut calls, mut confirmed, mut ended) = (0_u32, 0_u32, 0_u32);
    while driver.now() < until {
        let left = until.saturating_sub(driver.now());
        let Ok(Some(event)) = tokio::time::timeout(left, driver.next_event()).await else {
            break;
        };
        let now = driver.now();
        match event {
            Event::Incoming { call, .. } => {
                calls += 1;
                let body = Some(Body::sdp(SDP));
                let (early, late) = if reliable { (body, None) } else { (None, body) };
                let status = StatusCode::RINGING;
                driver.endpoint.ring(call, status, early, reliable, now)?;
                driver.endpoint.accept(call, late, now)?;
            }
            Event::Confirmed { .. } => confirmed += 1,
            Event::Ended { .. } => ended += 1,
            _ => {}
        }
    }
    println!("{calls} calls, {confirmed} confirmed, {ended} ended");
    println!("{:?}", driver.endpoint);
    Ok(())
}
