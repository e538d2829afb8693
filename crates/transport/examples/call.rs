//! Calls a SIP peer on loopback, talks for a moment, hangs up: `call ADDRESS [udp|tcp] [COUNT]`.
//! For trying the stack against other programs, for example `sipp -sn uas -i 127.0.0.1 -p 5070`.

use std::net::SocketAddr;
use std::time::Duration;

use hearthline_sip::endpoint::{
    Body, Endpoint, EndpointConfig, Event, InviteRequest, Target, Transport,
};
use hearthline_sip::{NameAddr, Uri};
use hearthline_transport::{Driver, Reach, Sockets, SocketsConfig};

type AnyError = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), AnyError> {
    let mut arguments = std::env::args().skip(1);
    let remote: SocketAddr = arguments.next().ok_or("which address?")?.parse()?;
    let transport = arguments.next().unwrap_or_else(|| "udp".to_owned());
    let transport = Transport::from_name(&transport).ok_or("udp or tcp?")?;
    let count: u32 = arguments.next().unwrap_or_else(|| "1".to_owned()).parse()?;

    let mut config = SocketsConfig::new(Reach::LoopbackOnly);
    config.udp = vec!["127.0.0.1:0".parse()?];
    config.tcp = vec!["127.0.0.1:0".parse()?];
    let sockets = Sockets::bind(config).await?;
    let config = EndpointConfig::new([7; 32], sockets.local.clone());
    let mut driver = Driver::new(Endpoint::new(config), sockets);
    for _ in 0..count {
        let answered = call(&mut driver, Target::new(transport, remote)).await?;
        println!("answered after {} ms", answered.as_millis());
    }
    // Until the answer to the last BYE is in.
    let _ = tokio::time::timeout(Duration::from_millis(300), driver.next_event()).await;
    println!("{count} calls ended; {:?}", driver.endpoint);
    Ok(())
}

async fn call(driver: &mut Driver, target: Target) -> Result<Duration, AnyError> {
    let port = target.remote.port();
    let mut request = InviteRequest::new(
        Uri::parse(format!("sip:service@127.0.0.1:{port}"))?,
        NameAddr::parse("<sip:kitchen@example.com>")?,
        NameAddr::parse("<sip:service@example.com>")?,
        target,
    );
    request.body = Some(Body::sdp(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio 40000 RTP/AVP 0\r\n",
    ));
    let started = driver.now();
    let ours = driver.endpoint.invite(request, started)?;
    loop {
        match driver.next_event().await.ok_or("the sockets are gone")? {
            Event::Answered { .. } => break,
            Event::Failed { cause, .. } => return Err(format!("failed: {cause:?}").into()),
            _ => {}
        }
    }
    let answered = driver.now() - started;
    let now = driver.now();
    driver.endpoint.bye(ours, None, now)?;
    while !matches!(driver.next_event().await, Some(Event::Ended { .. }) | None) {}
    Ok(answered)
}
