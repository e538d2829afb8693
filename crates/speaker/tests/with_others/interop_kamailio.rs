//! Kamailio as the proxy between the device and a call-taker, and as the registrar that wants a password.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use crate::peer::speaker::{Speaker, line};
use crate::peer::{HOME, Peer, free_port, installed};
use hearthline_emergency::call::{Line, Transport as By};
use hearthline_psap::{Behaviour, CallReport, Print, PsapConfig, Running};
use hearthline_sip::endpoint::{
    Body, Credentials, Endpoint, EndpointConfig, Event, InviteRequest, RegisterRequest,
    RegistrationConfig, Target, Transport,
};
use hearthline_sip::offer_answer::{LocalAudio, answer};
use hearthline_sip::sdp::SessionDescription;
use hearthline_sip::{HeaderName, NameAddr, Request, Uri, multipart};
use hearthline_speaker::config::Household;
use hearthline_speaker::io::password;
use hearthline_transport::{Driver, Reach, Sockets, SocketsConfig};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

const KAMAILIO: &[(&str, &str)] = &[("kamailio", "kamailio kamailio-tls-modules")];
const REALM: &str = "home.test";
const PASSWORD: &str = "drill only";

/// Our own authority's certificate for 127.0.0.1, as files of `folder`; returns the authority's.
fn certificates(folder: &Path) -> Vec<u8> {
    let mut root = CertificateParams::new(Vec::<String>::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // OpenSSL takes a certificate whose issuer has its own name for self-signed.
    root.distinguished_name
        .push(DnType::CommonName, "drill root");
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .unwrap()
        .signed_by(&key, &root)
        .unwrap();
    std::fs::write(folder.join("root.pem"), root.pem()).unwrap();
    std::fs::write(folder.join("leaf.pem"), leaf.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    root.pem().into_bytes()
}

/// A proxy that sends every call to `destination`, stays on its path, and asks everyone but an emergency caller who they
/// are. Returns its port; TLS is on the port above.
fn kamailio(folder: &Path, by: By, destination: &str, algorithm: &str) -> (Peer, u16) {
    let port = free_port();
    // Without a TCP port the device must send its large INVITE by UDP (RFC 3261 section 18.1.1).
    let (listen, tls) = match by {
        By::Udp => ("disable_tcp=yes\n".to_owned(), String::new()),
        By::Tcp => (format!("listen=tcp:127.0.0.1:{port}\n"), String::new()),
        By::Tls => (
            format!("enable_tls=yes\nlisten=tls:127.0.0.1:{}\n", port + 1),
            format!(
                "loadmodule \"tls.so\"\nmodparam(\"tls\", \"config\", \"{}/tls.cfg\")\n",
                folder.display()
            ),
        ),
    };
    let files = folder.display();
    let tls_config = format!(
        "[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\ncertificate = {files}/leaf.pem\n\
         private_key = {files}/key.pem\n\n[client:default]\nmethod = TLSv1.2+\nverify_certificate = yes\n\
         require_certificate = yes\nca_list = {files}/root.pem\n"
    );
    std::fs::write(folder.join("tls.cfg"), tls_config).unwrap();
    let config = format!(
        r#"#!KAMAILIO
debug=2
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
dns=no
rev_dns=no
listen=udp:127.0.0.1:{port}
{listen}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
{tls}
modparam("rr", "enable_double_rr", 1)
modparam("usrloc", "db_mode", 0)
modparam("auth", "algorithm", "{algorithm}")

request_route {{
    if (!mf_process_maxfwd_header("10")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if (is_method("CANCEL")) {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    if (has_totag()) {{
        if (loose_route()) {{
            xlog("L_NOTICE", "within the dialog: $rm\n");
            t_relay();
            exit;
        }}
        if (is_method("ACK") && t_check_trans()) {{
            t_relay();
            exit;
        }}
        sl_send_reply("404", "Not Here");
        exit;
    }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("{REALM}", "{PASSWORD}", "0")) {{
            www_challenge("{REALM}", "1");
            exit;
        }}
        xlog("L_NOTICE", "good credentials: $hdr(Authorization)\n");
        save("location");
        exit;
    }}
    if ($ru =~ "^urn:service:sos") {{
        xlog("L_NOTICE", "an emergency call for $ru over $proto\n");
    }} else {{
        if (!pv_proxy_authenticate("{REALM}", "{PASSWORD}", "0")) {{
            proxy_challenge("{REALM}", "1");
            exit;
        }}
        xlog("L_NOTICE", "good credentials: $hdr(Proxy-Authorization)\n");
        consume_credentials();
    }}
    record_route();
    $du = "{destination}";
    t_relay();
}}
"#
    );
    std::fs::write(folder.join("kamailio.cfg"), config).unwrap();
    let file = folder.join("kamailio.cfg");
    let pid = folder.join("kamailio.pid");
    let arguments = [
        "-f",
        file.to_str().unwrap(),
        "-DD",
        "-E",
        "-m",
        "32",
        "-M",
        "8",
        "-Y",
        files_of(folder),
        "-P",
        pid.to_str().unwrap(),
    ];
    let mut peer = Peer::start("kamailio", &arguments, folder);
    peer.listens_on(if by == By::Tls { port + 1 } else { port });
    (peer, port)
}

fn files_of(folder: &Path) -> &str {
    folder.to_str().unwrap()
}

async fn psap(folder: &Path, behaviour: Behaviour) -> Running {
    let config = PsapConfig {
        sip_port: 0,
        tls_port: Some(free_port()),
        tls_certificate: Some(folder.join("leaf.pem")),
        tls_key: Some(folder.join("key.pem")),
        http_port: 0,
        calls_max: 2,
        print: Print::Nothing,
        behaviours: vec![behaviour],
        ..PsapConfig::default()
    };
    hearthline_psap::start(config).await.unwrap()
}

fn address_of(local: &[(Transport, SocketAddr)], by: By) -> String {
    let (transport, name) = match by {
        By::Udp => (Transport::Udp, "udp"),
        By::Tcp => (Transport::Tcp, "tcp"),
        By::Tls => (Transport::Tls, "tls"),
    };
    let (_, address) = local.iter().find(|(own, _)| *own == transport).unwrap();
    format!("sip:{address};transport={name}")
}

async fn report(psap: &Running) -> CallReport {
    let reports = psap.handle().reports().await.unwrap();
    assert_eq!(reports.len(), 1, "calls that the call-taker saw");
    reports.into_iter().next().unwrap()
}

#[tokio::test]
async fn an_emergency_call_passes_a_record_routing_proxy() {
    if !installed(KAMAILIO) {
        return;
    }
    for by in [By::Udp, By::Tcp, By::Tls] {
        let folder = tempfile::tempdir().unwrap();
        let roots = certificates(folder.path());
        let behaviour = Behaviour {
            reinvite_after_ms: Some(500),
            hang_up_after_ms: Some(1_500),
            ..Behaviour::default()
        };
        let psap = psap(folder.path(), behaviour).await;
        let (mut proxy, port) = kamailio(folder.path(), by, &address_of(&psap.sip, by), "MD5");
        let mut speaker = Speaker::start_trusting(vec![line("drill", port, by)], Some(roots)).await;
        speaker.hears("call 911");
        speaker
            .run_until("the call ends", |seen| seen.outcome().is_some())
            .await;
        speaker.run_for(Duration::from_millis(100)).await;
        assert_eq!(
            speaker.seen.outcome(),
            Some("answered"),
            "{by:?} {:#?}",
            speaker.seen.steps
        );
        assert!(
            speaker.seen.step("Ended { by: CallTaker }"),
            "{by:?} {:#?}",
            speaker.seen.steps
        );

        let report = report(&psap).await;
        let name = format!("{by:?}").to_lowercase();
        assert!(
            report.transport.to_lowercase().contains(&name),
            "it came by {}",
            report.transport
        );
        assert!(report.drill);
        assert!(
            report.is_sound(),
            "{by:?}: {:#?}",
            report
                .facts
                .iter()
                .filter(|fact| !fact.ok)
                .collect::<Vec<_>>()
        );
        let media = report.media.unwrap();
        assert!(
            media.received_packets > 30 && media.heard_rms > 1_000.0,
            "{media:?}"
        );
        assert!(speaker.seen.rtp_received > 30);

        proxy.stop();
        let log = proxy.printed();
        assert!(
            log.contains(&format!(
                "an emergency call for urn:service:sos over {name}"
            )),
            "{log}"
        );
        for method in ["ACK", "INVITE", "BYE"] {
            assert!(
                log.contains(&format!("within the dialog: {method}")),
                "{by:?}: no {method} in\n{log}"
            );
        }
        psap.stop().await;
    }
}

#[tokio::test]
async fn our_own_bye_follows_the_route_set() {
    if !installed(KAMAILIO) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let psap = psap(folder.path(), Behaviour::default()).await;
    let (mut proxy, port) = kamailio(
        folder.path(),
        By::Tcp,
        &address_of(&psap.sip, By::Tcp),
        "MD5",
    );
    let mut speaker = Speaker::start(vec![line("drill", port, By::Tcp)]).await;
    speaker.hears("call 911");
    speaker
        .run_until("it is answered", |seen| seen.step("Answered"))
        .await;
    speaker.hears("hang up the emergency call");
    speaker.run_for(Duration::from_millis(200)).await;
    speaker.hears_reply("yes");
    speaker
        .run_until("the call ends", |seen| seen.outcome().is_some())
        .await;
    speaker.run_for(Duration::from_millis(200)).await;
    assert!(report(&psap).await.ended_after_ms.is_some());
    proxy.stop();
    assert!(
        proxy.printed().contains("within the dialog: BYE"),
        "{}",
        proxy.printed()
    );
    psap.stop().await;
}

/// A plain SIP endpoint on UDP and TCP.
async fn agent() -> Driver {
    let mut config = SocketsConfig::new(Reach::LoopbackOnly);
    config.udp = vec![SocketAddr::new(HOME, 0)];
    config.tcp = vec![SocketAddr::new(HOME, 0)];
    let sockets = Sockets::bind(config).await.unwrap();
    let mut seed = [9; 32];
    seed[..2].copy_from_slice(&sockets.local(Transport::Udp).unwrap().port().to_be_bytes());
    let config = EndpointConfig::new(seed, sockets.local.clone());
    Driver::new(Endpoint::new(config), sockets)
}

/// The next event that `wanted` takes.
async fn until<T>(driver: &mut Driver, mut wanted: impl FnMut(Event) -> Option<T>) -> T {
    let search = async {
        loop {
            if let Some(found) = wanted(driver.next_event().await.unwrap()) {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(15), search)
        .await
        .expect("it happens within 15 seconds")
}

/// Takes one call and hangs up once the ACK is there: the proxy's workers may let a BYE behind it overtake. Returns the
/// INVITE and how many hops its ACK took.
async fn takes_one_call(mut callee: Driver) -> (Request, usize) {
    let (call, invite) = until(&mut callee, |event| match event {
        Event::Incoming { call, request, .. } => Some((call, *request)),
        _ => None,
    })
    .await;
    let parts = multipart::parts_of(
        &invite.headers,
        &invite.body,
        &multipart::MultipartLimits::default(),
    )
    .unwrap();
    let offer = multipart::find_by_type(&parts, "application/sdp").unwrap();
    let offer = SessionDescription::parse(&offer.body).unwrap();
    let (ours, _) = answer(&offer, &LocalAudio::new(HOME, free_port()), 1, 1).unwrap();
    let now = callee.now();
    callee
        .endpoint
        .accept(call, Some(Body::sdp(ours.to_bytes())), now)
        .unwrap();
    let hops = until(&mut callee, |event| match event {
        Event::Confirmed { ack, .. } => Some(ack.headers.get_all(&HeaderName::Via).count()),
        _ => None,
    })
    .await;
    let now = callee.now();
    callee.endpoint.bye(call, None, now).unwrap();
    until(&mut callee, |event| {
        matches!(event, Event::Ended { .. }).then_some(())
    })
    .await;
    let _ = tokio::time::timeout(Duration::from_millis(200), callee.next_event()).await;
    (invite, hops)
}

#[tokio::test]
async fn the_proxy_leaves_the_multipart_as_it_is() {
    if !installed(KAMAILIO) {
        return;
    }
    for by in [By::Udp, By::Tcp] {
        let folder = tempfile::tempdir().unwrap();
        let callee = agent().await;
        let destination = address_of(&callee.sockets().local, by);
        let (_proxy, port) = kamailio(folder.path(), by, &destination, "MD5");
        let taking = tokio::spawn(takes_one_call(callee));
        let mut speaker = Speaker::start(vec![line("drill", port, by)]).await;
        speaker.hears("call 911");
        speaker
            .run_until("the call ends", |seen| seen.outcome().is_some())
            .await;
        let (came, hops) = taking.await.unwrap();
        assert_eq!(hops, 2, "the ACK came through the proxy");
        assert_eq!(came.uri.to_string(), "urn:service:sos");
        let (_, sent) = speaker
            .seen
            .sent
            .iter()
            .find(|(_, bytes)| bytes.starts_with(b"INVITE "))
            .unwrap();
        let cut = sent
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap()
            + 4;
        assert!(came.body.len() > 1_300, "{} bytes", came.body.len());
        assert_eq!(came.body, &sent[cut..], "{by:?}");
    }
}

/// The household's line to a proxy at `port`, with its password in a file.
fn account(name: &str, port: u16, folder: &Path, password: &str) -> Line {
    let file = folder.join(format!("{name}.password"));
    std::fs::write(&file, format!("{password}\n")).unwrap();
    let household = format!(
        "[device]\nname = \"Kitchen\"\ncountry = \"US\"\n[person]\nname = \"Drill Household\"\n\
         [[line]]\nname = \"{name}\"\nuri = \"sip:127.0.0.1:{port}\"\ntransports = [\"udp\"]\naddress_as = \"number\"\n\
         username = \"kitchen\"\npassword_file = \"{}\"\n",
        file.display()
    );
    let household = Household::parse(&household).unwrap();
    let (lines, _) = password::lines(&household).unwrap();
    assert!(lines[0].credentials.is_some());
    lines.into_iter().next().unwrap()
}

/// Kamailio asks everybody for a password whose call is not for a service URN: a trunk.
#[tokio::test]
async fn a_line_that_asks_for_a_password_gets_it_from_its_file() {
    if !installed(KAMAILIO) {
        return;
    }
    for algorithm in ["SHA-256", "MD5"] {
        let folder = tempfile::tempdir().unwrap();
        certificates(folder.path());
        let behaviour = Behaviour {
            hang_up_after_ms: Some(1_000),
            ..Behaviour::default()
        };
        let psap = psap(folder.path(), behaviour).await;
        let (mut proxy, port) = kamailio(
            folder.path(),
            By::Udp,
            &address_of(&psap.sip, By::Udp),
            algorithm,
        );
        let line = account("trunk", port, folder.path(), PASSWORD);
        let mut speaker = Speaker::start(vec![line]).await;
        speaker.hears("call 911");
        speaker
            .run_until("the call ends", |seen| seen.outcome().is_some())
            .await;
        assert_eq!(
            speaker.seen.outcome(),
            Some("answered"),
            "{algorithm} {:#?}",
            speaker.seen.steps
        );
        let report = report(&psap).await;
        assert!(report.media.unwrap().received_packets > 20);
        proxy.stop();
        let log = proxy.printed();
        assert!(
            log.lines().any(|line| line.contains("good credentials")
                && line.contains(&format!("algorithm={algorithm}"))
                && line.contains("username=\"kitchen\"")),
            "{log}"
        );
        let record = String::from_utf8_lossy(&speaker.record).into_owned();
        assert!(record.contains("the line asks for user name and password"));
        assert!(!record.contains(PASSWORD) && !record.contains("\"kitchen\""));
        psap.stop().await;
    }
}

#[tokio::test]
async fn a_line_that_refuses_the_password_gives_way_to_the_next() {
    if !installed(KAMAILIO) {
        return;
    }
    for algorithm in ["SHA-256", "MD5"] {
        let folder = tempfile::tempdir().unwrap();
        certificates(folder.path());
        let behaviour = Behaviour {
            hang_up_after_ms: Some(1_000),
            ..Behaviour::default()
        };
        let psap = psap(folder.path(), behaviour).await;
        let (_proxy, port) = kamailio(
            folder.path(),
            By::Udp,
            &address_of(&psap.sip, By::Udp),
            algorithm,
        );
        let (_, direct) = psap
            .sip
            .iter()
            .find(|(own, _)| *own == Transport::Udp)
            .unwrap();
        let mut speaker = Speaker::start(vec![
            account("trunk", port, folder.path(), "not the password"),
            line("spare", direct.port(), By::Udp),
        ])
        .await;
        speaker.hears("call 911");
        speaker
            .run_until("the call ends", |seen| seen.outcome().is_some())
            .await;
        assert_eq!(
            speaker.seen.outcome(),
            Some("answered"),
            "{algorithm} {:#?}",
            speaker.seen.steps
        );
        // Two INVITEs for the trunk, the second with a digest; the third is the next line's. UDP may repeat each as it is.
        let mut sent: Vec<&[u8]> = speaker
            .seen
            .sent
            .iter()
            .map(|(_, bytes)| bytes.as_slice())
            .filter(|bytes| bytes.starts_with(b"INVITE "))
            .collect();
        sent.dedup();
        let invites: Vec<String> = sent
            .iter()
            .map(|bytes| crate::peer::speaker::first_line(bytes))
            .collect();
        let trunk = format!("INVITE sip:911@127.0.0.1:{port} SIP/2.0");
        assert_eq!(
            invites,
            [
                trunk.as_str(),
                trunk.as_str(),
                "INVITE urn:service:sos SIP/2.0"
            ]
        );
        assert_eq!(
            report(&psap).await.service.as_deref(),
            Some("urn:service:sos")
        );
        let record = String::from_utf8_lossy(&speaker.record).into_owned();
        assert!(
            record.contains("it refused the line's user name and password"),
            "{record}"
        );
        assert!(!record.contains("not the password"));
        psap.stop().await;
    }
}

fn name(text: &str) -> NameAddr {
    NameAddr::parse(text).unwrap()
}

fn credentials(password: &str) -> Vec<Credentials> {
    vec![Credentials {
        username: "kitchen".into(),
        password: password.into(),
        realm: None,
    }]
}

fn registration(port: u16, password: &str) -> RegisterRequest {
    RegisterRequest {
        registrar: Uri::parse(format!("sip:{REALM}")).unwrap(),
        address_of_record: name(&format!("<sip:kitchen@{REALM}>")),
        contact: None,
        target: Target::new(Transport::Udp, SocketAddr::new(HOME, port)),
        route: Vec::new(),
        credentials: credentials(password),
        config: RegistrationConfig::default(),
    }
}

#[tokio::test]
async fn digest_by_sha_256_and_by_md5_registers_and_calls() {
    if !installed(KAMAILIO) {
        return;
    }
    for algorithm in ["SHA-256", "MD5"] {
        let folder = tempfile::tempdir().unwrap();
        let callee = agent().await;
        let destination = address_of(&callee.sockets().local, By::Udp);
        let (mut proxy, port) = kamailio(folder.path(), By::Udp, &destination, algorithm);
        let mut caller = agent().await;

        let now = caller.now();
        caller
            .endpoint
            .register(registration(port, "wrong"), now)
            .unwrap();
        until(&mut caller, |event| {
            matches!(event, Event::RegistrationFailed { .. }).then_some(())
        })
        .await;
        assert!(
            !proxy.printed().contains("good credentials"),
            "{}",
            proxy.printed()
        );

        let now = caller.now();
        let registered = caller
            .endpoint
            .register(registration(port, PASSWORD), now)
            .unwrap();
        let expires = until(&mut caller, |event| match event {
            Event::Registered {
                registration,
                expires,
                ..
            } if registration == registered => Some(expires),
            Event::RegistrationFailed {
                registration,
                cause,
                ..
            } if registration == registered => {
                panic!("{algorithm}: {cause:?}")
            }
            _ => None,
        })
        .await;
        assert!(expires > Duration::from_secs(60), "{expires:?}");

        let taking = tokio::spawn(takes_one_call(callee));
        let uri = Uri::parse(format!("sip:desk@{REALM}")).unwrap();
        let (from, to) = (
            name(&format!("<sip:kitchen@{REALM}>")),
            name(&format!("<sip:desk@{REALM}>")),
        );
        let mut request = InviteRequest::new(
            uri,
            from,
            to,
            Target::new(Transport::Udp, SocketAddr::new(HOME, port)),
        );
        let offer = hearthline_sip::offer_answer::offer(&LocalAudio::new(HOME, free_port()), 1, 1);
        request.body = Some(Body::sdp(offer.to_bytes()));
        request.credentials = credentials(PASSWORD);
        let now = caller.now();
        caller.endpoint.invite(request, now).unwrap();
        until(&mut caller, |event| match event {
            Event::Answered { .. } => Some(()),
            Event::Failed { cause, .. } => panic!("{algorithm}: {cause:?}"),
            _ => None,
        })
        .await;
        until(&mut caller, |event| {
            matches!(event, Event::Ended { .. }).then_some(())
        })
        .await;
        let (invite, hops) = taking.await.unwrap();
        assert_eq!(hops, 2);
        assert!(
            !invite.headers.contains(&HeaderName::ProxyAuthorization),
            "the proxy keeps our credentials to itself"
        );

        proxy.stop();
        let log = proxy.printed();
        let good: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("good credentials"))
            .collect();
        assert_eq!(good.len(), 2, "{log}");
        assert!(
            good.iter()
                .all(|line| line.contains(&format!("algorithm={algorithm}"))
                    && line.contains("qop=auth")),
            "{good:?}"
        );
    }
}
