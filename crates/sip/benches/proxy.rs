//! Calls through the proxy core: INVITE, 180, 200, ACK, BYE, 200 over UDP, stateful, with a
//! decision and Record-Route; and what a call costs while it is held, counted by an allocator.
//!
//! The time includes writing the peers' messages, which is text pasted together.
#![allow(clippy::unwrap_used)] // a failing benchmark may stop
#![allow(missing_docs)] // made by criterion's macros

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use criterion::Criterion;
use hearthline_sip::outbound::{Flow, FlowId, FlowTransport, Hop};
use hearthline_sip::proxy::{
    Branch, Decision, Forward, Group, Identity, Input, Output, Proxy, ProxyConfig, Way,
};
use hearthline_sip::{Host, Target, Uri, target};

/// Counts what is allocated; it never looks at the memory.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// An allocator is unsafe by its trait; this one only counts and asks the system's.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on as they came.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";

fn address(host: u8) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, host], 5060))
}

fn flow(host: u8) -> Flow {
    Flow {
        id: FlowId(u64::from(host)),
        transport: FlowTransport::Udp,
        local: address(100),
        remote: address(host),
    }
}

struct Bench {
    proxy: Proxy,
    now: Duration,
    calls: u64,
}

/// A call under way: what each side must repeat.
struct Call {
    number: u64,
    /// The rows of the forwarded INVITE that its answers copy.
    rows: String,
    route: String,
}

impl Bench {
    fn new() -> Self {
        let identity = Identity {
            transport: FlowTransport::Udp,
            host: Host::V4([127, 0, 0, 100].into()),
            port: None,
        };
        let domains = vec![Host::parse("home.example").unwrap()];
        let mut config = ProxyConfig::new([1; 32], [2; 32], vec![identity], domains);
        config.limits.calls_per_source_max = u32::MAX;
        config.limits.transactions_per_source_max = u32::MAX;
        Bench {
            proxy: Proxy::new(config),
            now: Duration::ZERO,
            calls: 0,
        }
    }

    /// Hands in a message; gives what goes to this host.
    fn pass(&mut self, from: u8, text: &str, to: u8) -> Option<String> {
        let flow = flow(from);
        let bytes = text.as_bytes();
        self.proxy
            .handle_input(Input::Datagram { flow, bytes }, self.now);
        let mut passed = None;
        loop {
            match self.proxy.poll_output(self.now) {
                Output::Transmit { hop, bytes } => {
                    let host = match hop {
                        Hop::Flow { id, .. } => id.0,
                        Hop::Target(target) => match target.remote.ip() {
                            std::net::IpAddr::V4(ip) => u64::from(ip.octets()[3]),
                            std::net::IpAddr::V6(_) => 0,
                        },
                    };
                    if host == u64::from(to) {
                        passed = Some(String::from_utf8(bytes).unwrap());
                    }
                }
                Output::Decide { id, .. } => {
                    let callee = Target::new(target::Transport::Udp, address(2));
                    let contact = Uri::parse("sip:desk@127.0.0.2:5060").unwrap();
                    let way = Way::to(contact).at(callee);
                    let group = Group {
                        branches: vec![Branch::new(way, 1)],
                        ringing_max: None,
                    };
                    let forward = Forward {
                        groups: vec![group],
                        record_route: true,
                        ..Forward::default()
                    };
                    let decision = Decision::Forward(forward);
                    self.proxy.decide(id, decision, self.now).unwrap();
                }
                Output::Timeout(_) => return passed,
                other => {
                    let _ = black_box(other);
                }
            }
        }
    }

    fn ring(&mut self) -> Call {
        self.calls += 1;
        let number = self.calls;
        let invite = format!(
            "INVITE sip:desk@home.example SIP/2.0\r\n\
             Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKi{number:x};rport\r\n\
             From: \"Kitchen\" <sip:kitchen@home.example>;tag=f{number:x}\r\n\
             To: <sip:desk@home.example>\r\nCall-ID: {number:x}@127.0.0.1\r\nCSeq: 1 INVITE\r\n\
             Contact: <sip:kitchen@127.0.0.1:5060>\r\nMax-Forwards: 70\r\n\
             Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE\r\n\
             Supported: timer, 100rel\r\nUser-Agent: bench\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{SDP}",
            SDP.len()
        );
        let forwarded = self.pass(1, &invite, 2).unwrap();
        let mut rows = String::new();
        let mut route = String::new();
        for line in forwarded.split("\r\n").take_while(|line| !line.is_empty()) {
            let name = line.split(':').next().unwrap_or_default();
            match name {
                "Via" | "From" | "Call-ID" | "CSeq" => {}
                "Record-Route" => route = line.replacen("Record-Route", "Route", 1),
                _ => continue,
            }
            rows.push_str(line);
            rows.push_str("\r\n");
        }
        let rows = format!("{rows}To: <sip:desk@home.example>;tag=t{number:x}\r\n");
        let call = Call {
            number,
            rows,
            route,
        };
        let ringing = call.answer("180 Ringing", "");
        self.pass(2, &ringing, 1).unwrap();
        call
    }

    fn pick_up(&mut self, call: &Call) {
        let ok = call.answer("200 OK", SDP);
        self.pass(2, &ok, 1).unwrap();
        let ack = call.request("ACK", 1);
        self.pass(1, &ack, 2).unwrap();
    }

    fn hang_up(&mut self, call: &Call) {
        let bye = call.request("BYE", 2);
        let forwarded = self.pass(1, &bye, 2).unwrap();
        let mut ok = String::from("SIP/2.0 200 OK\r\n");
        for line in forwarded.split("\r\n").take_while(|line| !line.is_empty()) {
            let name = line.split(':').next().unwrap_or_default();
            if matches!(name, "Via" | "From" | "To" | "Call-ID" | "CSeq") {
                ok.push_str(line);
                ok.push_str("\r\n");
            }
        }
        ok.push_str("Content-Length: 0\r\n\r\n");
        self.pass(2, &ok, 1).unwrap();
    }
}

impl Call {
    fn answer(&self, status: &str, body: &str) -> String {
        let (rows, length) = (&self.rows, body.len());
        format!(
            "SIP/2.0 {status}\r\n{rows}Contact: <sip:desk@127.0.0.2:5060>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    }

    fn request(&self, method: &str, cseq: u32) -> String {
        let (number, route) = (self.number, &self.route);
        format!(
            "{method} sip:desk@127.0.0.2:5060 SIP/2.0\r\n\
             Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK{method}{number:x};rport\r\n{route}\r\n\
             From: \"Kitchen\" <sip:kitchen@home.example>;tag=f{number:x}\r\n\
             To: <sip:desk@home.example>;tag=t{number:x}\r\nCall-ID: {number:x}@127.0.0.1\r\n\
             CSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
    }
}

/// Bytes that one call holds while it rings, in the 32 s after the answer, and later.
fn held() {
    const CALLS: usize = 5_000;
    let mut bench = Bench::new();
    let start = HELD.load(Ordering::Relaxed);
    let calls: Vec<Call> = (0..CALLS).map(|_| bench.ring()).collect();
    let own: usize = calls
        .iter()
        .map(|c| size_of::<Call>() + c.rows.capacity() + c.route.capacity())
        .sum();
    let per_call = |own: usize| (HELD.load(Ordering::Relaxed) - start).saturating_sub(own) / CALLS;
    println!("ringing: {} bytes a call", per_call(own));
    for call in &calls {
        bench.pick_up(call);
    }
    println!("just answered: {} bytes a call", per_call(own));
    bench.now += Duration::from_secs(40);
    while !matches!(bench.proxy.poll_output(bench.now), Output::Timeout(_)) {}
    println!("answered 40 s ago: {} bytes a call", per_call(own));
    for call in &calls {
        bench.hang_up(call);
    }
    println!("just ended: {} bytes a call", per_call(own));
}

fn main() {
    held();
    let mut criterion = Criterion::default().configure_from_args();
    let mut bench = Bench::new();
    criterion.bench_function("one call through the proxy, INVITE to 200 of BYE", |b| {
        b.iter(|| {
            // 300 calls a second, so that the transactions of 32 s stand behind.
            bench.now += Duration::from_micros(3_333);
            let call = bench.ring();
            bench.pick_up(&call);
            bench.hang_up(&call);
        });
    });
    criterion.bench_function("the peers' texts alone", |b| {
        let call = Bench::new().ring();
        b.iter(|| {
            black_box(call.answer("180 Ringing", ""));
            black_box(call.answer("200 OK", SDP));
            black_box(call.request("ACK", 1));
            black_box(call.request("BYE", 2))
        });
    });
    criterion.final_summary();
}
