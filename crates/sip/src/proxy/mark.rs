//! Keyed hashes: what tells a transaction, a loop, a branch and an answer of ours.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher};

use crate::message::Request;
use crate::via::{MAGIC_COOKIE, Via};
use crate::{HeaderError, HeaderName, Method};

/// Makes the marks of one proxy; nobody outside knows the key, so nobody can aim at a collision.
#[derive(Clone)]
pub(super) struct Marks {
    /// SipHash with fixed keys, but a state that 32 secret bytes went into first.
    keyed: DefaultHasher,
}

/// Which server transaction a request belongs to (RFC 3261 section 17.2.3), as a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ServerMark(u64, u64);

/// What our branch says: `z9hG4bK`, the loop mark, the client transaction and its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BranchMark {
    pub(super) loop_mark: u64,
    pub(super) client: u64,
    pub(super) secret: u64,
}

impl Marks {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let mut keyed = DefaultHasher::new();
        keyed.write(key);
        Marks { keyed }
    }

    fn hasher(&self, purpose: u8) -> DefaultHasher {
        let mut hasher = self.keyed.clone();
        hasher.write_u8(purpose);
        hasher
    }

    /// The transaction of a request; an ACK and a CANCEL name that of their INVITE.
    pub(super) fn server(&self, request: &Request, via: &Via) -> Result<ServerMark, HeaderError> {
        let method = match request.method {
            Method::Ack | Method::Cancel => Method::Invite.as_str(),
            _ => request.method.as_str(),
        };
        let mut text = String::with_capacity(96);
        if let Some(branch) = via.unique_branch() {
            text.push_str(branch);
            text.make_ascii_lowercase();
            // Into memory: it cannot fail.
            let _ = write!(text, "\n{}:{}", via.host, via.port_or_default());
        } else {
            // A client of RFC 2543. The To tag is left out: an ACK has one, its INVITE has none.
            let headers = &request.headers;
            let from = headers.from()?;
            let (tag, seq) = (from.tag().unwrap_or_default(), headers.cseq()?.seq);
            text = format!(
                "{}\n{tag}\n{}\n{seq}\n{via}",
                request.uri,
                headers.call_id()?
            );
        }
        let half = |purpose| {
            let mut hasher = self.hasher(purpose);
            hasher.write(text.as_bytes());
            hasher.write_u8(0xff);
            hasher.write(method.as_bytes());
            hasher.finish()
        };
        Ok(ServerMark(half(1), half(2)))
    }

    /// Everything that decides where a request goes, as it arrived (RFC 3261 section 16.6 step
    /// 8). The topmost Via is left out: in a loop through another proxy it differs each time
    /// (RFC 5393 section 4.2).
    pub(super) fn of_loop(&self, request: &Request) -> u64 {
        let mut hasher = self.hasher(3);
        hasher.write(request.uri.to_string().as_bytes());
        for (name, value) in request.headers.iter() {
            let number = match name {
                HeaderName::Route => 1,
                HeaderName::From => 2,
                HeaderName::To => 3,
                HeaderName::CallId => 4,
                HeaderName::ProxyRequire => 5,
                HeaderName::ProxyAuthorization => 6,
                HeaderName::CSeq => 7,
                _ => continue,
            };
            hasher.write_u8(number);
            hasher.write(value);
        }
        hasher.finish()
    }

    /// Whether this request, unchanged in all that decides its way, has been here before.
    pub(super) fn is_loop(&self, request: &Request, loop_mark: u64) -> bool {
        let needle = format!("{MAGIC_COOKIE}{loop_mark:016x}.");
        let needle = needle.as_bytes();
        let mut rows = request.headers.get_all(&HeaderName::Via);
        rows.any(|row| row.windows(needle.len()).any(|window| window == needle))
    }

    /// The To tag of an answer of our own. It follows from the request, so that answers without
    /// a transaction are the same each time and their ACK is known again.
    pub(super) fn tag(&self, request: &Request, via: &Via) -> String {
        let mut hasher = self.hasher(4);
        hasher.write(via.branch().unwrap_or_default().as_bytes());
        hasher.write_u8(0xff);
        hasher.write(request.headers.get(&HeaderName::CallId).unwrap_or_default());
        format!("{:016x}", hasher.finish())
    }

    /// The branch of an ACK that is passed on without a transaction: the same for each copy.
    pub(super) fn stateless_branch(&self, loop_mark: u64, via: &Via) -> String {
        let mut hasher = self.hasher(5);
        hasher.write(via.to_string().as_bytes());
        format!("{MAGIC_COOKIE}{loop_mark:016x}.a.{:016x}", hasher.finish())
    }
}

impl BranchMark {
    pub(super) fn to_branch(self) -> String {
        let BranchMark {
            loop_mark,
            client,
            secret,
        } = self;
        format!("{MAGIC_COOKIE}{loop_mark:016x}.{client:x}.{secret:016x}")
    }

    /// Reads a branch of ours; `None`: it is somebody else's.
    pub(super) fn read(branch: &str) -> Option<BranchMark> {
        let rest = branch.strip_prefix(MAGIC_COOKIE)?;
        let mut parts = rest.split('.');
        let mut number = || u64::from_str_radix(parts.next()?, 16).ok();
        let (loop_mark, client, secret) = (number()?, number()?, number()?);
        Some(BranchMark {
            loop_mark,
            client,
            secret,
        })
    }
}
