//! Calls with sipp on loopback, as caller and as callee, with loss and with 100rel.
//! Skipped where sipp is not installed (Debian: `sip-tester`), unless CI is set.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::agents::{agent, invite, until};
use hearthline_sip::StatusCode;
use hearthline_sip::endpoint::{Body, Event, Target, Transport};
use hearthline_transport::Driver;
use tokio::process::{Child, Command};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

fn free_port() -> u16 {
    let socket = UdpSocket::bind(crate::agents::ANY).unwrap();
    socket.local_addr().unwrap().port()
}

/// Starts sipp; `None`: it is not installed.
fn sipp(arguments: &[&str]) -> Option<Child> {
    let started = Command::new("sipp")
        .args(arguments)
        .args(["-i", "127.0.0.1", "-nostdin", "-timeout", "50"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    match started {
        Ok(child) => Some(child),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "sipp: {error}");
            println!("skipped: sipp is not installed (Debian: sip-tester)");
            None
        }
    }
}

async fn succeeds(mut sipp: Child) {
    let status = timeout(PATIENCE, sipp.wait()).await.expect("sipp ends");
    assert_eq!(status.unwrap().code(), Some(0), "sipp counts a failed call");
}

fn scenario(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipp");
    folder.join(name).to_str().unwrap().to_owned()
}

/// Answers everything, ringing before.
fn answer_all(mut driver: Driver, reliable: bool) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        while let Some(event) = driver.next_event().await {
            let now = driver.now();
            if let Event::Incoming { call, .. } = event {
                let ringing = StatusCode::RINGING;
                let endpoint = &mut driver.endpoint;
                endpoint.ring(call, ringing, None, reliable, now).unwrap();
                endpoint
                    .accept(call, Some(Body::sdp("v=0\r\n")), now)
                    .unwrap();
            }
        }
    })
}

#[tokio::test]
async fn sipp_calls_us_with_and_without_loss() {
    for lost in ["0", "10"] {
        let callee = agent(2, |_| {}).await;
        let address = callee.sockets().local(Transport::Udp).unwrap().to_string();
        let answering = answer_all(callee, false);
        let port = free_port().to_string();
        let arguments = [
            "-sn", "uac", &address, "-p", &port, "-m", "40", "-r", "40", "-d", "50", "-lost", lost,
        ];
        let Some(sipp) = sipp(&arguments) else {
            return;
        };
        succeeds(sipp).await;
        answering.abort();
    }
}

#[tokio::test]
async fn sipp_demands_reliable_ringing() {
    let callee = agent(2, |_| {}).await;
    let address = callee.sockets().local(Transport::Udp).unwrap().to_string();
    let answering = answer_all(callee, false);
    let (port, file) = (
        free_port().to_string(),
        scenario("caller_requires_100rel.xml"),
    );
    let Some(sipp) = sipp(&["-sf", &file, &address, "-p", &port, "-m", "20", "-r", "20"]) else {
        return;
    };
    succeeds(sipp).await;
    answering.abort();
}

/// Calls sipp so many times, one after the other.
async fn call_sipp(arguments: &[&str], transport: Transport, calls: u32) {
    let port = free_port();
    let (text, count) = (port.to_string(), calls.to_string());
    let mut all = arguments.to_vec();
    all.extend(["-p", &text, "-m", &count]);
    let Some(sipp) = sipp(&all) else {
        return;
    };
    // sipp says nowhere that it is ready.
    tokio::time::sleep(Duration::from_millis(700)).await;
    let mut caller = agent(1, |_| {}).await;
    let remote = SocketAddr::from(([127, 0, 0, 1], port));
    for _ in 0..calls {
        let mut request = invite(vec![Target::new(transport, remote)]);
        // sipp's own scenario answers for itself; the service URN is none of its names.
        request.request_uri = hearthline_sip::Uri::parse("sip:service@127.0.0.1").unwrap();
        let now = caller.now();
        let call = caller.endpoint.invite(request, now).unwrap();
        until(&mut caller, |event| {
            matches!(event, Event::Answered { .. }).then_some(())
        })
        .await;
        let now = caller.now();
        caller.endpoint.bye(call, None, now).unwrap();
        until(&mut caller, |event| {
            matches!(event, Event::Ended { .. }).then_some(())
        })
        .await;
    }
    let carrying = tokio::spawn(async move { while caller.next_event().await.is_some() {} });
    succeeds(sipp).await;
    carrying.abort();
}

#[tokio::test]
async fn we_call_sipp_over_udp_and_tcp() {
    call_sipp(&["-sn", "uas"], Transport::Udp, 20).await;
    call_sipp(&["-sn", "uas", "-t", "t1"], Transport::Tcp, 20).await;
}

#[tokio::test]
async fn we_call_sipp_through_loss() {
    call_sipp(&["-sn", "uas", "-lost", "10"], Transport::Udp, 10).await;
}

#[tokio::test]
async fn sipp_rings_reliably() {
    let file = scenario("callee_rings_reliably.xml");
    call_sipp(&["-sf", &file], Transport::Udp, 10).await;
}
