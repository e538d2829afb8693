//! Faults around calls: a hub that is killed, a device that changes its network, a clock that jumps, somebody who repeats
//! what others proved, and peers that send too much or too slowly.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::household::Household;
use crate::telephone::{DOMAIN, Home, Phone, talk};
use hearthline_emergency::numbers::Country;
use hearthline_hub::authority::LASTS_MS;
use hearthline_hub::device::{DeviceFields, DeviceKind};
use hearthline_hub::sip::SipConfig;
use hearthline_hub::sip::account::{PhoneDigest, SipAccount};
use hearthline_hub::text::Name;
use hearthline_hub::{Hub, HubConfig};
use hearthline_sip::endpoint::{Body, Credentials, Event};
use hearthline_sip::outbound::FlowTransport;
use hearthline_sip::target::Transport;
use hearthline_sip::{Limits, Message, Response, StatusCode, parse_datagram};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const FOLDER: &str = "HEARTH_TEST_HUB_FOLDER";

/// Not a test by itself: the hub that is killed, a process of its own.
#[tokio::test]
async fn a_hub_of_its_own() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let folder = PathBuf::from(folder);
    let mut sip = SipConfig::new(Country::Germany);
    sip.domain = DOMAIN.to_owned();
    // An address of its own: while it is down nobody else takes its ports.
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let own = Ipv4Addr::new(127, 64 + high % 64, middle, low.clamp(1, 254));
    let any = SocketAddr::from((own, 0));
    (sip.udp, sip.tcp, sip.tls) = (vec![any], vec![any], vec![any]);
    if folder.join("served").exists() {
        let served = served(&folder);
        sip.udp = vec![served["udp"].as_str().unwrap().parse().unwrap()];
        sip.tcp = vec![served["tcp"].as_str().unwrap().parse().unwrap()];
        sip.tls = vec![served["tls"].as_str().unwrap().parse().unwrap()];
    }
    // The killed one's lock goes with it, but perhaps not at the same moment.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut config = HubConfig::new(folder.join("home"));
    config.https = vec![any];
    if folder.join("served").exists() {
        config.https = vec![served(&folder)["https"].as_str().unwrap().parse().unwrap()];
    }
    config.sip = Some(sip);
    let hub = Hub::start(config).await.unwrap();
    let mut served = json!({"https": hub.addresses()[0]});
    for (transport, address) in hub.sip_addresses() {
        let name = match transport {
            FlowTransport::Udp => "udp",
            FlowTransport::Tcp => "tcp",
            _ => "tls",
        };
        served[name] = json!(address);
    }
    if !folder.join("served").exists() {
        let mut accounts = Vec::new();
        for name in ["Desk", "Hall"] {
            let fields = DeviceFields {
                name: Name::new(name).unwrap(),
                room: None,
                person: None,
            };
            let account = hub.add_sip_account(fields, PhoneDigest::Sha256).await;
            let account: SipAccount = account.unwrap();
            accounts.push(json!([account.username, account.password]));
        }
        served["accounts"] = json!(accounts);
        let fields = DeviceFields {
            name: Name::new("Tab").unwrap(),
            room: None,
            person: None,
        };
        let invited = hub.invite(DeviceKind::Browser, fields).await.unwrap();
        served["browser"] = json!(invited.code.to_string());
        std::fs::write(folder.join("served.new"), served.to_string()).unwrap();
        std::fs::rename(folder.join("served.new"), folder.join("served")).unwrap();
    }
    std::fs::write(folder.join("up"), "").unwrap();
    std::future::pending::<()>().await;
}

pub(crate) fn proof(user: &str, password: &str) -> Vec<Credentials> {
    vec![Credentials {
        username: user.to_owned(),
        password: password.to_owned(),
        realm: None,
    }]
}

fn at(household: &Household, wanted: FlowTransport) -> SocketAddr {
    let all = household.hub.sip_addresses();
    all.iter().find(|(own, _)| *own == wanted).unwrap().1
}

/// What the hub process said of itself.
pub(crate) fn served(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("served")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Killed with the test, however that ends.
pub(crate) struct HubProcess(Child);

impl HubProcess {
    /// kill -9.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn hub_process(folder: &Path) -> HubProcess {
    let _ = std::fs::remove_file(folder.join("up"));
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "faults_in_calls::a_hub_of_its_own",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let child = HubProcess(child);
    let began = Instant::now();
    while !folder.join("up").exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "the hub starts");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

/// A device's sound: what it sends arrives at the other, by the addresses that the two told each other.
fn sound_goes(from: &UdpSocket, to: &UdpSocket) -> bool {
    let mut buffer = [0; 200];
    to.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    (0..50).all(|n: u8| {
        from.send_to(&[0x80, n], to.local_addr().unwrap()).unwrap();
        let received = loop {
            match to.recv_from(&mut buffer) {
                // A machine that was stopped meanwhile: signal(7).
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                received => break received,
            }
        };
        received.is_ok_and(|(_, sender)| buffer[1] == n && sender == from.local_addr().unwrap())
    })
}

fn session(sound: &UdpSocket) -> String {
    let port = sound.local_addr().unwrap().port();
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
    )
}

#[tokio::test]
async fn a_hub_killed_in_mid_call_takes_no_sound_with_it_and_the_call_ends_cleanly_later() {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = hub_process(folder.path());
    let served = served(folder.path());
    let at: SocketAddr = served["udp"].as_str().unwrap().parse().unwrap();
    let account = |index: usize| {
        let text = |at: usize| served["accounts"][index][at].as_str().unwrap().to_owned();
        (text(0), text(1))
    };
    let mut phones = Vec::new();
    for index in [0, 1] {
        let (user, password) = account(index);
        let mut phone = Phone::on(at, &user, proof(&user, &password), Transport::Udp).await;
        phone.register().await.unwrap();
        phones.push(phone);
    }
    let (mut hall, mut desk) = (phones.pop().unwrap(), phones.pop().unwrap());
    let [ours, theirs] = [0, 1].map(|_| UdpSocket::bind("127.0.0.1:0").unwrap());
    let (offer, answer) = (session(&ours), session(&theirs));
    let call = desk
        .call_describing(&format!("sip:{}@{DOMAIN}", hall.user), &offer)
        .await;
    let (incoming, told) = hall
        .wait(|event| match event {
            Event::Incoming { call, request, .. } => Some((*call, request.body.clone())),
            _ => None,
        })
        .await;
    assert_eq!(told, offer.as_bytes(), "the hub is no party of the sound");
    let body = Body::sdp(answer.clone());
    hall.act(move |endpoint, now| endpoint.accept(incoming, Some(body), now))
        .await
        .unwrap();
    desk.answered(call).await;
    hall.confirmed(incoming).await;
    assert!(sound_goes(&ours, &theirs) && sound_goes(&theirs, &ours));
    hub.kill();
    assert!(sound_goes(&ours, &theirs) && sound_goes(&theirs, &ours));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(sound_goes(&ours, &theirs), "the media goes on");
    let mut hub = hub_process(folder.path());
    // Nobody has registered again, and the end finds its way.
    hall.bye(incoming).await;
    desk.ended(call).await;
    // The next call as well.
    talk(&mut desk, &mut hall, &format!("sip:hall@{DOMAIN}")).await;
    hub.kill();
}

#[tokio::test]
async fn a_device_that_changes_its_network_in_mid_call_is_found_again_by_both_sides() {
    let home = Home::new().await;
    let (kitchen, study) = (
        home.enrol("Kitchen", None).await,
        home.enrol("Study", None).await,
    );
    let mut here = home.device(&kitchen).await;
    let mut there = home.device(&study).await;
    let out = here.call(&format!("sip:{}@{DOMAIN}", there.user)).await;
    let incoming = there.rings().await;
    there.accept(incoming).await;
    here.answered(out).await;
    there.confirmed(incoming).await;
    // The network is another one: the connection is gone, a new one comes from another address, with the same call.
    let before = here.local;
    here.moves_to_another_network(&kitchen).await;
    assert_ne!(here.local, before);
    here.register().await.unwrap();
    // It tells where its sound is now, over the new connection.
    here.act(move |endpoint, now| endpoint.reinvite(out, Body::sdp(crate::lines::SDP), now))
        .await
        .unwrap();
    let offered = there
        .wait(|event| match event {
            Event::Reinvite { request, .. } => Some(request.body.clone()),
            _ => None,
        })
        .await;
    assert_eq!(offered, crate::lines::SDP.as_bytes());
    there
        .act(move |endpoint, now| {
            endpoint.answer_reinvite(incoming, Some(Body::sdp(crate::lines::SDP)), now)
        })
        .await
        .unwrap();
    let status = here
        .wait(|event| match event {
            Event::ReinviteAnswered { response, .. } => Some(response.status),
            _ => None,
        })
        .await;
    assert_eq!(status, StatusCode::OK);
    // And the other side's end reaches it there.
    there.bye(incoming).await;
    here.ended(out).await;
    home.hub.stop().await;
}

/// The first answer to a datagram.
pub(crate) async fn asked(
    socket: &tokio::net::UdpSocket,
    hub: SocketAddr,
    bytes: &[u8],
) -> Option<Response> {
    socket.send_to(bytes, hub).await.unwrap();
    let mut buffer = vec![0; 65_535];
    let received = tokio::time::timeout(Duration::from_secs(2), socket.recv_from(&mut buffer));
    let (count, _) = received.await.ok()?.unwrap();
    match parse_datagram(&buffer[..count], &Limits::default()) {
        Ok(Message::Response(response)) => Some(response),
        _ => None,
    }
}

#[tokio::test]
async fn a_registration_that_somebody_repeats_is_refused_and_moves_nothing() {
    use hearthline_sip::digest::{DigestClient, strongest};
    let home = Home::new().await;
    let own = home.account("Desk", None).await;
    let hub = home.address(Transport::Udp);
    let desk = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let thief = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let user = &own.username;
    let register = |at: SocketAddr, contact: SocketAddr, seq: u32, more: &str| {
        format!(
            "REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK{seq}{};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@{DOMAIN}>;tag=1\r\nTo: <sip:{user}@{DOMAIN}>\r\nCall-ID: watched\r\nCSeq: {seq} REGISTER\r\n\
             Contact: <sip:{user}@{contact}>\r\nExpires: 600\r\n{more}Content-Length: 0\r\n\r\n",
            at.port()
        )
    };
    let at = desk.local_addr().unwrap();
    let first = register(at, at, 1, "");
    let challenge = asked(&desk, hub, first.as_bytes()).await.unwrap();
    assert_eq!(challenge.status.code(), 401);
    let values = challenge.headers.www_authenticate().unwrap();
    let strong = strongest(&values).unwrap().remove(0);
    let secret = hearthline_sip::digest::Credentials {
        username: user.clone(),
        password: own.password.clone(),
    };
    let method = hearthline_sip::Method::Register;
    let asks = format!("sip:{DOMAIN}");
    let proof = DigestClient::new(strong).authorize(&secret, &method, &asks, b"", "cnonce");
    let proof = format!("Authorization: {proof}\r\n");
    let good = register(at, at, 2, &proof);
    let stands = asked(&desk, hub, good.as_bytes()).await.unwrap();
    assert_eq!(stands.status.code(), 200);
    // Who has watched sends the same proof for an address of their own: as a new request, and as an older one.
    let theirs = thief.local_addr().unwrap();
    for seq in [3, 2, 9] {
        let forged = register(theirs, theirs, seq, &proof);
        let answer = asked(&thief, hub, forged.as_bytes()).await.unwrap();
        assert_eq!(answer.status.code(), 401, "CSeq {seq}");
    }
    let now = hearthline_hub::clock::Clock::default().now();
    let bindings = home.hub.store().all_bindings(now).await.unwrap();
    assert_eq!(bindings.len(), 1);
    let bound = format!("{:?}", bindings[0]);
    assert!(bound.contains(&at.port().to_string()), "{bound}");
    assert!(!bound.contains(&theirs.port().to_string()), "{bound}");
    home.hub.stop().await;
}

#[tokio::test]
async fn too_much_and_too_slow_end_their_own_connection_and_harm_nobody() {
    let home = Home::new().await;
    let (desk, hall) = (
        home.account("Desk", None).await,
        home.account("Hall", None).await,
    );
    let mut desk = home.phone(&desk, Transport::Udp).await;
    let mut hall = home.phone(&hall, Transport::Tcp).await;
    let tcp = home.address(Transport::Tcp);
    // Rows without end, a body that never comes, a Content-Length that cannot be.
    let endless = format!(
        "OPTIONS sip:{DOMAIN} SIP/2.0\r\nSubject: {}",
        "x".repeat(1 << 20)
    );
    let rows = format!(
        "OPTIONS sip:{DOMAIN} SIP/2.0\r\n{}",
        "A: b\r\n".repeat(20_000)
    );
    let body = format!(
        "OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKbig\r\nFrom: <sip:a@b.example>;tag=1\r\n\
         To: <sip:{DOMAIN}>\r\nCall-ID: big\r\nCSeq: 1 OPTIONS\r\nContent-Length: 999999999\r\n\r\n"
    );
    for text in [endless, rows, body] {
        let mut stream = tokio::net::TcpStream::connect(tcp).await.unwrap();
        // It may be closed before all of it was taken.
        let _ = stream.write_all(text.as_bytes()).await;
        let mut answer = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer));
        assert!(closed.await.is_ok(), "it is closed: {}", &text[..40]);
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty() || answer.starts_with("SIP/2.0 4") || answer.starts_with("SIP/2.0 5"),
            "{answer}"
        );
    }
    // Half a request byte by byte, on many connections at once: each for half a minute at most, and nobody waits for them.
    let mut slow = Vec::new();
    for _ in 0..50 {
        slow.push(tokio::net::TcpStream::connect(tcp).await.unwrap());
    }
    let began = Instant::now();
    let half = format!("INVITE sip:hall@{DOMAIN} SIP/2.0\r\nSubject: ");
    for byte in half.bytes() {
        for stream in &mut slow {
            let _ = stream.write_all(&[byte]).await;
        }
    }
    talk(&mut desk, &mut hall, &format!("sip:hall@{DOMAIN}")).await;
    let mut one = slow.pop().unwrap();
    while began.elapsed() < Duration::from_secs(45) {
        let mut buffer = [0; 1];
        let read = tokio::time::timeout(Duration::from_secs(1), one.read(&mut buffer)).await;
        if matches!(read, Ok(Ok(0) | Err(_))) || one.write_all(b"x").await.is_err() {
            break;
        }
    }
    let held = began.elapsed();
    println!("half a request was waited for for {held:?}");
    assert!(held < Duration::from_secs(40), "{held:?}");
    talk(&mut desk, &mut hall, &format!("sip:hall@{DOMAIN}")).await;
    home.hub.stop().await;
}

#[tokio::test]
async fn a_clock_that_jumps_ends_certificates_and_nothing_else() {
    let mut sip = SipConfig::new(Country::Germany);
    sip.domain = DOMAIN.to_owned();
    let household = Household::with_sip(sip).await;
    let clock = household.clock.clone();
    let udp = at(&household, FlowTransport::Udp);
    let account = |name: &str| {
        let fields = DeviceFields {
            name: Name::new(name).unwrap(),
            room: None,
            person: None,
        };
        household.hub.add_sip_account(fields, PhoneDigest::Sha256)
    };
    let (desk, hall) = (
        account("Desk").await.unwrap(),
        account("Hall").await.unwrap(),
    );
    let phone = |own: SipAccount| async move {
        let proof = proof(&own.username, &own.password);
        Phone::on(udp, &own.username, proof, Transport::Udp).await
    };
    let (mut desk, mut hall) = (phone(desk).await, phone(hall).await);
    desk.register().await.unwrap();
    hall.register().await.unwrap();
    let uri = format!("sip:hall@{DOMAIN}");
    // A day forward, two years back, ten years forward: passwords, registrations and calls do not hang on it.
    for days in [1, -730, 3_650] {
        clock.advance_ms(days * 24 * 3_600_000);
        talk(&mut desk, &mut hall, &uri).await;
        desk.register().await.unwrap();
        hall.register().await.unwrap();
        talk(&mut hall, &mut desk, &format!("sip:desk@{DOMAIN}")).await;
    }
    household.hub.stop().await;
}

/// With 403, or by closing the connection before that is read.
async fn refused_registration(phone: &mut Phone) {
    let patience = Duration::from_secs(3);
    if let Ok(answer) = tokio::time::timeout(patience, phone.register()).await {
        assert_eq!(answer.unwrap_err(), StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn a_certificate_that_has_ended_registers_nobody() {
    let mut sip = SipConfig::new(Country::Germany);
    sip.domain = DOMAIN.to_owned();
    let household = Household::with_sip(sip).await;
    let tls = at(&household, FlowTransport::Tls);
    let own = household.device(DeviceKind::Speaker, "Kitchen", None).await;
    let mut kitchen = Phone::certified_on(tls, &own).await.unwrap();
    kitchen.register().await.unwrap();
    household.clock.advance_ms(LASTS_MS + 24 * 3_600_000);
    // The connection that stands brings no new registration and is shut, and so is a new one.
    refused_registration(&mut kitchen).await;
    kitchen.closed().await;
    if let Some(mut again) = Phone::certified_on(tls, &own).await {
        refused_registration(&mut again).await;
        again.closed().await;
    }
    household.hub.stop().await;
}
