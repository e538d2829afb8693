//! Lines and LoST servers: do they answer? Only this machine is asked, each within a second, and no call is made.
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hearthline_emergency::call::{Line, Transport};
use hearthline_emergency::line::{AddressAs, LineBody};
use hearthline_emergency::lost::{
    Expires, FindService, LostLocation, LostRequest, LostResponse, TYPE_LOST,
};
use hearthline_emergency::service::ServiceUrn;
use hearthline_emergency::target::{DrillTargets, HttpUrl};
use hearthline_emergency::timestamp::Timestamp;
use hearthline_sip::framer::{Frame, StreamFramer};
use hearthline_sip::{HeaderName, Limits, Message, Method, Request, SipUri, Uri, parse_datagram};
use hearthline_speaker::config::{Household, LineSettings};
use hearthline_speaker::io::{password, store};
use hearthline_transport::Reach;

use super::{Check, State};

/// How long anybody has to answer.
const WITHIN: Duration = Duration::from_secs(1);
/// Largest answer read.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// The first repetition of a request over UDP (RFC 3261 §17.1.2.2, T1).
const T1: Duration = Duration::from_millis(500);
const BEYOND: &str = "is not on this machine; this version can call only drill call-takers on this machine, so it was not asked";

/// Each line and each server.
pub(super) fn checks(household: &Household) -> Vec<Check> {
    let mut checks = Vec::new();
    let lines = household.lines().unwrap_or_default();
    let hub = household.household.as_ref();
    if let Some(own) = hub.and_then(|hub| hub.line().ok()) {
        checks.push(line(&own, "start the hub: `hearth hub --sip --country US`"));
    } else if lines.is_empty() {
        let mend = "[[line]] name = \"drill\", uri = \"sip:drill@127.0.0.1:5060\", and start `hearth psap`";
        checks.push(Check::not(
            "line",
            State::Missing,
            "none: nothing to call through",
            mend,
        ));
    }
    for (own, settings) in lines.iter().zip(&household.lines) {
        let mend = "start the drill call-taker behind it: `hearth psap`";
        checks.push(line(own, mend));
        checks.push(addressing(own));
        checks.extend(account(settings));
    }
    let servers = household.lost_servers().unwrap_or_default();
    if servers.is_empty() {
        let mend = "[lost] servers: calls go to the line's own address without one";
        checks.push(Check::not(
            "lost",
            State::Note,
            "no LoST server is configured",
            mend,
        ));
    }
    checks.extend(servers.iter().map(|server| lost(server, household)));
    checks
}

/// How the line is asked, and what a call-taker on it would not be told.
fn addressing(line: &Line) -> Check {
    let what = format!("line {} call", line.name);
    let asked = match line.address_as {
        AddressAs::Service => "asks for the service (urn:service:sos)".to_owned(),
        AddressAs::Number(plan) => {
            format!("dials {}", plan.number_for(&ServiceUrn::SOS).as_str())
        }
    };
    match line.body {
        LineBody::Full => Check::ok(what, format!("{asked}, with address and data")),
        LineBody::SessionOnly => Check::not(
            what,
            State::Note,
            format!("{asked}, and sends no address: the caller must say it"),
            "body = \"full\" tries with the address first and falls back by itself",
        ),
    }
}

/// The account of a line: can its password be read, and by whom?
fn account(settings: &LineSettings) -> Option<Check> {
    let what = format!("line {} password", settings.name);
    settings.username.as_ref()?;
    let file = settings.password_file.as_deref();
    Some(match password::credentials(settings) {
        Err(why) => Check::not(
            what,
            State::Missing,
            why.to_string(),
            match file {
                Some(_) => {
                    "write it with: (umask 077; cat > FILE), then the password, Enter, Ctrl-D"
                }
                None => "set the variable in the environment that starts the speaker",
            },
        ),
        Ok(_) if file.is_some_and(|file| password::read_by_others(file).unwrap_or(true)) => {
            Check::not(
                what,
                State::Wrong,
                "others on this machine can read or change its file",
                format!(
                    "chmod 600 {}",
                    file.map(|file| file.display().to_string())
                        .unwrap_or_default()
                ),
            )
        }
        Ok(_) => Check::ok(what, "readable, and by nobody else"),
    })
}

fn line(line: &Line, mend: &str) -> Check {
    let what = format!("line {}", line.name);
    if !DrillTargets::loopback().permit(&line.target) {
        return Check::not(what, State::Wrong, BEYOND, "use a line on 127.0.0.1");
    }
    let uri = match Uri::parse(line.target.as_str()) {
        Ok(Uri::Sip(uri)) => uri,
        Ok(_) => return Check::not(what, State::Wrong, "not a SIP URI", "uri = \"sip:…\""),
        Err(error) => return Check::not(what, State::Wrong, error.to_string(), "correct the uri"),
    };
    let mut answers = Vec::new();
    let mut reached = false;
    for transport in &line.transports {
        let name = match transport {
            Transport::Tls => "tls",
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        };
        let answer = match (transport, address_of(line.target.host(), &uri, *transport)) {
            (_, Err(why)) => Err(why),
            // Its certificate is checked at the call; here it is only known that somebody listens.
            (Transport::Tls, Ok(address)) => connect(address).map(|_| "port open".to_owned()),
            (transport, Ok(address)) => {
                options(&uri, *transport, address).map(|status| format!("answered {status}"))
            }
        };
        reached |= answer.is_ok();
        answers.push(format!("{name} {}", answer.unwrap_or_else(|why| why)));
    }
    let found = answers.join(", ");
    if reached {
        Check::ok(what, found)
    } else {
        Check::not(what, State::Wrong, found, mend)
    }
}

/// Where `transport` goes: TLS on the port after an explicit one, unless the URI names its transport.
fn address_of(host: &str, uri: &SipUri, transport: Transport) -> Result<SocketAddr, String> {
    let port = match (transport, uri.port()) {
        (Transport::Tls, None) => 5061,
        (_, None) => 5060,
        (Transport::Tls, Some(port))
            if !uri.is_secure() && uri.params().get("transport").is_none() =>
        {
            port.checked_add(1).ok_or("no port after 65535")?
        }
        (_, Some(port)) => port,
    };
    reachable(host, port)
}

fn reachable(host: &str, port: u16) -> Result<SocketAddr, String> {
    (host, port)
        .to_socket_addrs()
        .map_err(|error| error.to_string())?
        .find(|address| Reach::LoopbackOnly.check(*address).is_ok())
        .ok_or_else(|| BEYOND.to_owned())
}

fn connect(address: SocketAddr) -> Result<TcpStream, String> {
    TcpStream::connect_timeout(&address, WITHIN).map_err(|error| in_words(&error))
}

fn in_words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => "nobody listens".into(),
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "no answer within 1 s".into(),
        _ => error.to_string(),
    }
}

/// Asks with OPTIONS (RFC 3261 §11) and gives the status of the answer.
fn options(uri: &SipUri, transport: Transport, address: SocketAddr) -> Result<u16, String> {
    let deadline = Instant::now() + WITHIN;
    if transport == Transport::Udp {
        let local = if address.is_ipv4() {
            "127.0.0.1:0"
        } else {
            "[::1]:0"
        };
        let socket = UdpSocket::bind(local).map_err(|error| in_words(&error))?;
        socket.connect(address).map_err(|error| in_words(&error))?;
        let own = socket.local_addr().map_err(|error| in_words(&error))?;
        let (bytes, call_id) = request(uri, "UDP", own)?;
        let mut repeat = Instant::now();
        let mut buffer = vec![0; ANSWER_BYTES_MAX];
        loop {
            let now = Instant::now();
            if now >= repeat {
                socket.send(&bytes).map_err(|error| in_words(&error))?;
                repeat = now + T1;
            }
            let left = deadline.min(repeat).saturating_duration_since(now);
            if now >= deadline {
                return Err("no answer within 1 s".into());
            }
            socket
                .set_read_timeout(Some(left.max(Duration::from_millis(1))))
                .map_err(|error| in_words(&error))?;
            match socket.recv(&mut buffer) {
                Ok(length) => {
                    if let Ok(message) = parse_datagram(&buffer[..length], &Limits::default())
                        && let Some(status) = final_status(&message, &call_id)
                    {
                        return Ok(status);
                    }
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) => {}
                Err(error) => return Err(in_words(&error)),
            }
        }
    }
    let mut stream = connect(address)?;
    let own = stream.local_addr().map_err(|error| in_words(&error))?;
    let (bytes, call_id) = request(uri, "TCP", own)?;
    stream
        .set_write_timeout(Some(WITHIN))
        .and_then(|()| stream.write_all(&bytes))
        .map_err(|error| in_words(&error))?;
    let mut framer = StreamFramer::new(Limits::default());
    let mut buffer = [0; 4096];
    loop {
        let read = read_before(&mut stream, &mut buffer, deadline)?;
        if read == 0 {
            return Err("closed the connection without an answer".into());
        }
        framer.push(&buffer[..read]);
        while let Some(frame) = framer.next_frame() {
            match frame {
                Frame::Message(message) => {
                    if let Some(status) = final_status(&message, &call_id) {
                        return Ok(status);
                    }
                }
                Frame::Rejected(_) | Frame::Broken(_) => {
                    return Err("answered something that is not SIP".into());
                }
                Frame::Ping | Frame::Pong => {}
            }
        }
    }
}

fn final_status(message: &Message, call_id: &str) -> Option<u16> {
    let response = message.as_response()?;
    let code = response.status.code();
    (code >= 200 && response.headers.get_str(&HeaderName::CallId) == Some(call_id)).then_some(code)
}

fn request(uri: &SipUri, transport: &str, own: SocketAddr) -> Result<(Vec<u8>, String), String> {
    let token: String = store::random().map_err(|error| error.to_string())?[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let call_id = format!("{token}@{}", own.ip());
    let target = uri.for_request_uri();
    let mut request = Request::new(Method::Options, target.clone());
    let headers = &mut request.headers;
    headers.push_display(
        HeaderName::Via,
        format_args!("SIP/2.0/{transport} {own};branch=z9hG4bK{token};rport"),
    );
    headers.push_display(HeaderName::MaxForwards, 70);
    headers.push_display(
        HeaderName::From,
        format_args!("<sip:doctor@{own}>;tag={}", &token[..8]),
    );
    headers.push_display(HeaderName::To, format_args!("<{target}>"));
    headers.push_display(HeaderName::CallId, &call_id);
    headers.push_display(HeaderName::CSeq, "1 OPTIONS");
    headers.push_display(HeaderName::Contact, format_args!("<sip:doctor@{own}>"));
    Ok((request.to_bytes(), call_id))
}

/// One read that ends at `deadline` at the latest.
fn read_before(
    stream: &mut TcpStream,
    buffer: &mut [u8],
    deadline: Instant,
) -> Result<usize, String> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err("no answer within 1 s".into());
        }
        let read = stream
            .set_read_timeout(Some(left))
            .and_then(|()| stream.read(buffer));
        match read {
            // A machine that slept meanwhile: signal(7).
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => return read.map_err(|error| in_words(&error)),
        }
    }
}

fn lost(server: &HttpUrl, household: &Household) -> Check {
    let what = "lost";
    if !DrillTargets::loopback().permit_url(server) {
        return Check::not(
            what,
            State::Note,
            format!("a server {BEYOND}"),
            "calls go to the line's own address without it",
        );
    }
    let mut locations = Vec::new();
    if let Ok(Some(address)) = household.civic() {
        locations.push(LostLocation::civic("civic", address));
    }
    if let Ok(Some(shape)) = household.shape() {
        locations.push(LostLocation::geodetic("point", shape));
    }
    if locations.is_empty() {
        return Check::not(
            what,
            State::Missing,
            "no location to ask with",
            "give [address] or [point]",
        );
    }
    // A server that fails never stops a call, so none of this makes the speaker unready.
    match ask(server, locations) {
        Ok(found) => Check::ok(what, found),
        Err(why) => Check::not(
            what,
            State::Note,
            why,
            "start it; calls go to the line's own address without it",
        ),
    }
}

fn ask(server: &HttpUrl, locations: Vec<LostLocation>) -> Result<String, String> {
    let service = ServiceUrn::parse("urn:service:sos").map_err(|error| error.to_string())?;
    let request = LostRequest::FindService(FindService {
        locations,
        service: Some(service),
        path: Vec::new(),
        validate_location: true,
        boundary_by_value: false,
        recursive: true,
    });
    let body = post(server, &request.to_bytes())?;
    match LostResponse::parse(&body).map_err(|error| format!("the answer is not LoST: {error}"))? {
        LostResponse::FindService(answer) => {
            let mapping = answer.mappings.first().ok_or("the answer has no mapping")?;
            let unix_ms = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_millis() as i64);
            if let Expires::At(until) = mapping.expires
                && until <= Timestamp::from_unix_ms(unix_ms)
            {
                return Err("the answer has expired already".into());
            }
            Ok(
                match answer
                    .validation
                    .map_or(0, |validation| validation.invalid.len())
                {
                    0 => "knows who is responsible for this address".into(),
                    count => format!(
                        "knows who is responsible, but holds {count} elements of the address for wrong"
                    ),
                },
            )
        }
        LostResponse::Errors(errors) => {
            let names: Vec<&str> = errors
                .errors
                .iter()
                .map(|error| error.kind.name())
                .collect();
            Err(format!("answered with the error {}", names.join(", ")))
        }
        LostResponse::Redirect(_) => Err("refers to another server".into()),
        LostResponse::Services(_) | LostResponse::Boundary(_) => {
            Err("answered another question".into())
        }
    }
}

/// A POST as short as HTTP allows: version 1.0, so that the answer ends with the connection.
fn post(server: &HttpUrl, body: &[u8]) -> Result<Vec<u8>, String> {
    let Some(rest) = server.as_str().get(7..).filter(|_| !server.is_https()) else {
        return Err("https is asked at the call only".into());
    };
    let deadline = Instant::now() + WITHIN;
    let (authority, path) = rest
        .split_once('/')
        .map_or((rest, String::new()), |(authority, path)| {
            (authority, path.to_owned())
        });
    let port = match authority.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => port
            .parse()
            .map_err(|_| "the port is not a number".to_owned())?,
        _ => 80,
    };
    let mut stream = connect(reachable(server.host(), port)?)?;
    let head = format!(
        "POST /{path} HTTP/1.0\r\nHost: {authority}\r\nContent-Type: {TYPE_LOST}\r\nAccept: {TYPE_LOST}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let sent = stream
        .set_write_timeout(Some(WITHIN))
        .and_then(|()| stream.write_all(head.as_bytes()))
        .and_then(|()| stream.write_all(body));
    sent.map_err(|error| in_words(&error))?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match read_before(&mut stream, &mut buffer, deadline)? {
            0 => break,
            read if answer.len() + read > ANSWER_BYTES_MAX => {
                return Err(format!(
                    "the answer is larger than {ANSWER_BYTES_MAX} bytes"
                ));
            }
            read => answer.extend_from_slice(&buffer[..read]),
        }
    }
    let head_end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .ok_or("the answer is not HTTP")?;
    let status = String::from_utf8_lossy(&answer[..head_end])
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse::<u16>().ok());
    match status {
        Some(200) => Ok(answer.split_off(head_end + 4)),
        Some(code) => Err(format!("answered HTTP {code}")),
        None => Err("the answer is not HTTP".into()),
    }
}
