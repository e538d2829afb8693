//! What a hub can do to the calls that it carries when it wants to listen.

/// Whom it deceives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The callee: what callers say is changed.
    Callee,
    /// The caller: what callees say is changed.
    Caller,
}

/// How.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meddling {
    /// It puts the fingerprint of its own certificate in.
    OwnFingerprint(Side),
    /// The same, and takes the signature away.
    OwnFingerprintUnsigned(Side),
    /// It takes protection and signature away.
    InTheClear(Side),
    /// It takes the protection away and leaves the signature.
    Downgraded(Side),
}

const PROTECTING: [&str; 7] = [
    "a=fingerprint:",
    "a=setup:",
    "a=ice-",
    "a=candidate:",
    "a=end-of-candidates",
    "a=rtcp-mux",
    "a=crypto:",
];

impl Meddling {
    /// The message as it goes on.
    #[must_use]
    pub fn meddle(self, bytes: Vec<u8>) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return bytes;
        };
        let (Meddling::OwnFingerprint(side)
        | Meddling::OwnFingerprintUnsigned(side)
        | Meddling::InTheClear(side)
        | Meddling::Downgraded(side)) = self;
        let theirs = match side {
            Side::Callee => text.starts_with("INVITE "),
            Side::Caller => text.starts_with("SIP/2.0 200") && text.contains(" INVITE\r\n"),
        };
        let Some((head, body)) = text.split_once("\r\n\r\n").filter(|_| theirs) else {
            return bytes;
        };
        let body: String = body
            .split_inclusive("\r\n")
            .filter_map(|line| self.line(line))
            .collect();
        let unsigned = matches!(
            self,
            Meddling::OwnFingerprintUnsigned(_) | Meddling::InTheClear(_)
        );
        let head: Vec<String> = head
            .split("\r\n")
            .filter(|line| !(unsigned && line.starts_with("Identity:")))
            .map(|line| match line.split_once(':') {
                Some(("Content-Length" | "l", _)) => format!("Content-Length: {}", body.len()),
                _ => line.to_owned(),
            })
            .collect();
        format!("{}\r\n\r\n{body}", head.join("\r\n")).into_bytes()
    }

    fn line(self, line: &str) -> Option<String> {
        match self {
            Meddling::OwnFingerprint(_) | Meddling::OwnFingerprintUnsigned(_) => {
                Some(match line.starts_with("a=fingerprint:sha-256 ") {
                    true => format!("a=fingerprint:sha-256 {}\r\n", ["AB"; 32].join(":")),
                    false => line.to_owned(),
                })
            }
            Meddling::InTheClear(_) | Meddling::Downgraded(_) => {
                let protecting = PROTECTING.iter().any(|start| line.starts_with(start));
                (!protecting).then(|| line.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"))
            }
        }
    }
}
