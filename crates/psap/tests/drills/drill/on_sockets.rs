//! A caller on real sockets.

use core::time::Duration;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use hearthline_media as media;
use hearthline_psap::Running;
use hearthline_sip::endpoint::{self, Endpoint, EndpointConfig, Event, Input};
use hearthline_sip::offer_answer::{self, LocalAudio};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::target::{Target, Transport};
use hearthline_transport::{FromNetwork, Reach, RtpPair, Sockets, SocketsConfig, ToNetwork, Trust};

use super::{emergency_invite, request, rms, tone};

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Another seed each time: two callers must not use the same Call-ID.
fn seed_of(sockets: &Sockets) -> [u8; 32] {
    let port = sockets.local(Transport::Udp).unwrap().port();
    let mut seed = [0; 32];
    seed[..2].copy_from_slice(&port.to_be_bytes());
    seed
}

pub struct Outcome {
    pub answered: bool,
    /// Packets of the call-taker's voice.
    pub packets: u64,
    pub heard_rms: f64,
    /// What the caller heard, 16 kHz.
    pub heard: Vec<i16>,
}

/// Calls, waits 8 s for an answer, talks for so long, hangs up.
pub async fn call(target: Target, talk: Duration) -> Outcome {
    call_patiently(target, Duration::from_secs(8), talk).await
}

/// The same with so much patience.
pub async fn call_patiently(target: Target, patience: Duration, talk: Duration) -> Outcome {
    let mut sockets = SocketsConfig::new(Reach::LoopbackOnly);
    let address = SocketAddr::new(HOME, 0);
    sockets.udp.push(address);
    sockets.tcp.push(address);
    sockets.trust = Trust::Any;
    let mut sockets = Sockets::bind(sockets).await.unwrap();
    let pair = RtpPair::bind(HOME, Reach::LoopbackOnly).await.unwrap();
    let offer = offer_answer::offer(&LocalAudio::new(HOME, pair.port().unwrap()), 1, 1);
    let mut local = sockets.local.clone();
    local.push((Transport::Tls, sockets.local(Transport::Tcp).unwrap()));
    let mut endpoint = Endpoint::new(EndpointConfig::new(seed_of(&sockets), local));
    let mut request = request(emergency_invite(&offer.to_bytes()), |_| {});
    request.targets = vec![target];
    let epoch = Instant::now();
    let handle = endpoint.invite(request, epoch.elapsed()).unwrap();
    let mut session: Option<(media::Session, SocketAddr)> = None;
    let mut outcome = Outcome {
        answered: false,
        packets: 0,
        heard_rms: 0.0,
        heard: Vec::new(),
    };
    let (mut heard, mut voice) = (Vec::new(), tone(16_000 * 60).into_iter());
    let (mut buffer, mut hung_up) = (vec![0; 2_048], false);
    let mut hang_up_at = patience;
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    loop {
        let now = epoch.elapsed();
        if now > hang_up_at && !hung_up {
            hung_up = true;
            let _ = endpoint.bye(handle, None, now);
        }
        let mut over = now > hang_up_at + Duration::from_secs(4);
        loop {
            match endpoint.poll_output(now) {
                endpoint::Output::Transmit { target, bytes } => {
                    sockets
                        .sender
                        .send(ToNetwork::Transmit { target, bytes })
                        .await
                        .unwrap();
                }
                endpoint::Output::Event(Event::Answered { response, .. }) => {
                    outcome.answered = true;
                    hang_up_at = now + talk;
                    let answer = SessionDescription::parse(&response.body).unwrap();
                    let agreed = offer_answer::answer_received(&offer, &answer).unwrap();
                    let codec = media::Codec::from_static_payload_type(agreed.payload_type);
                    let config = media::SessionConfig::new(codec.unwrap(), 5);
                    let to =
                        SocketAddr::new(agreed.remote_address.ip().unwrap(), agreed.remote_port);
                    session = Some((media::Session::new(config).unwrap(), to));
                }
                endpoint::Output::Event(Event::Ended { .. } | Event::Failed { .. }) => over = true,
                endpoint::Output::Timeout(_) => break,
                _ => {}
            }
        }
        if let Some((session, to)) = &mut session {
            loop {
                match session.poll_output(now) {
                    media::Output::Rtp(bytes) => drop(pair.rtp.try_send_to(&bytes, *to)),
                    media::Output::Playout(samples) => heard.extend(samples),
                    media::Output::Timeout(_) => break,
                    _ => {}
                }
            }
        }
        if over {
            // The 200 to our BYE is taken; what is on its way may arrive.
            tokio::time::sleep(Duration::from_millis(50)).await;
            if let Some((session, _)) = &session {
                outcome.packets = session.statistics().received_packets;
            }
            outcome.heard_rms = rms(&heard);
            outcome.heard = heard;
            return outcome;
        }
        tokio::select! {
            Some(news) = sockets.receiver.recv() => match &news {
                FromNetwork::Received { transport, local, remote, bytes, .. } => {
                    let input = Input::Received {
                        transport: *transport, local: *local, remote: *remote, bytes,
                    };
                    endpoint.handle_input(input, epoch.elapsed());
                }
                FromNetwork::Failed { target, .. } => {
                    endpoint.handle_input(Input::TransportFailed { target }, epoch.elapsed());
                }
                _ => {}
            },
            Ok((length, _)) = pair.rtp.recv_from(&mut buffer) => {
                if let Some((session, _)) = &mut session {
                    session.handle_rtp(&buffer[..length], epoch.elapsed());
                }
            }
            _ = tick.tick() => {
                let now = epoch.elapsed();
                endpoint.handle_input(Input::Timeout, now);
                if let Some((session, _)) = &mut session {
                    let frame: Vec<i16> = voice.by_ref().take(320).collect();
                    session.handle_microphone(&frame, now);
                }
            }
        }
    }
}

pub fn target(running: &Running, transport: Transport) -> Target {
    let found = running.sip.iter().find(|(own, _)| *own == transport);
    let mut target = Target::new(transport, found.unwrap().1);
    if transport == Transport::Tls {
        target.server_name = Some("localhost".to_owned());
    }
    target
}
